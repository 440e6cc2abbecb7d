# Asks the compiler $RECORDED_CC and keeps what it says and makes, for answer.sh.
directory=${0%/*}
key=$({
	printf '%s\n' "$@"
	for word; do
		case $word in *.c) cat -- "$word" ;; esac
	done
} 2>/dev/null | sha256sum)
answer=$directory/answers/${key%% *}
mkdir -p "$answer/made"
before=$answer/before
: > "$before"
$RECORDED_CC "$@" > "$answer/stdout" 2> "$answer/stderr"
status=$?
echo "$status" > "$answer/status"
find . -maxdepth 1 -type f -newer "$before" ! -name '*.log' ! -name confdefs.h | sed 's,^\./,,' > "$answer/names"
while read -r name; do
	cp "$name" "$answer/made/$name"
done < "$answer/names"
cat "$answer/stdout"
cat "$answer/stderr" >&2
exit "$status"
