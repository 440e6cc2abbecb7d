# A compiler that gives recorded answers: what the one that was asked the same said and made.
# The same question is the same arguments and the same sources.
directory=${0%/*}
key=$({
	printf '%s\n' "$@"
	for word; do
		case $word in *.c) cat -- "$word" ;; esac
	done
} 2>/dev/null | sha256sum)
answer=$directory/answers/${key%% *}
if ! [ -d "$answer" ]; then
	printf '%s\n' "$*" >> "$directory/unanswered"
	exit 99
fi
cat "$answer/stdout"
cat "$answer/stderr" >&2
while read -r name; do
	cp "$answer/made/$name" "$name"
done < "$answer/names"
read -r status < "$answer/status"
exit "$status"
