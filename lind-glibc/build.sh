#!/bin/bash
# Builds the C library's sysroot from the imported tree:
#
#   lind-glibc/build.sh --source target/glibc/src --build target/glibc/build --output target/sysroot
#       [--cc target/release/lind-cc] [--jobs N]
#
# Does nothing if the tree, the driver's flags and this script are those of the sysroot that is there. Otherwise the
# objects that changed are made again, or all of them if it can matter to all, and the new sysroot replaces the old one
# as a whole at the end.
set -euo pipefail

target=wasm32-unknown-linux-gnu
llvm=22
source='' build='' output='' cc=target/release/lind-cc jobs=$(nproc)

fail() {
    echo "lind-glibc: $1" >&2
    if [ $# -gt 1 ]; then echo "hint: $2" >&2; fi
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --source) source=$2 ;;
    --build) build=$2 ;;
    --output) output=$2 ;;
    --cc) cc=$2 ;;
    --jobs) jobs=$2 ;;
    *) fail "unknown argument '$1'" ;;
    esac
    shift 2
done
[ -n "$source" ] && [ -n "$build" ] && [ -n "$output" ] || fail "--source, --build and --output are needed"
[ -f "$source/.patch-queue" ] || fail "'$source' is not an imported tree" "run: cargo tool import"
[ -x "$cc" ] || fail "there is no compiler driver at '$cc'" "run: cargo build --release --package lind-cc"

mkdir -p "$build/empty"
exec 9>"$build/lock"
flock 9
script=$(realpath "$0")
source=$(realpath "$source") build=$(realpath "$build") cc=$(realpath "$cc") output=$(realpath -m "$output")
builtins=/usr/lib/llvm-$llvm/lib/clang/$llvm/lib/wasi/libclang_rt.builtins-wasm32.a
[ -f "$builtins" ] || fail "'$builtins' is missing" "install the Debian package libclang-rt-$llvm-dev-wasm32"

# What decides about the sysroot. The second line of the import's stamp is the digest of patches, overlay and upstream.
# `setup` also decides about every object: a change of it starts from scratch, since a new file of the overlay may stand
# in for a generic one, which no dependency file knows.
driver=$(cd / && LIND_SYSROOT=$build/empty "$cc" -### -O2 -c -x c /dev/null 2>&1)
setup=$({
    cat "$script" /usr/include/linux/version.h
    echo "$driver"
    stat -c '%s %Y' "$builtins"
    sed 1,3d "$source/.patch-queue" | awk '{ print $NF }
        $NF ~ /(^|\/)(configure|preconfigure|Implies|Subdirs|Depend|Make[a-z.]*|[^\/]*\.mk|[^\/]*\.awk|Versions|shlib-versions)$/ { print $1 }'
} | sha256sum | cut -c1-64)
stamp="$setup $(sed -n 2p "$source/.patch-queue")"

if [ -f "$output/.lind-glibc" ] && [ "$(cat "$output/.lind-glibc")" = "$stamp" ] &&
    [ -z "$(find "$source" -type f -newer "$output/.lind-glibc" ! -name .patch-queue -print -quit)" ]; then
    exit 0
fi

log=$build/build.log
: >"$log"
: >"$build/began"
# Everything but tests, manuals, translations, locale sources and time zones.
subdirs='csu assert ctype locale intl catgets math setjmp signal stdlib stdio-common libio malloc string wcsmbs time
    dirent grp pwd posix io termios resource misc socket sysvipc gmon gnulib iconv iconvdata wctype shadow gshadow argp
    rt debug dlfcn elf crypt'
subdirs=$(echo $subdirs)
say() { echo "lind-glibc: $1"; }
run() {
    nice "$@" >>"$log" 2>&1 && return
    echo "--- the end of $log:" >&2
    { grep -E -B3 '(error:|\*\*\*|undefined symbol)' "$log" || tail -n 20 "$log"; } | tail -n 25 | cut -c1-300 >&2
    fail "$1 failed" "the whole output is in $log"
}

objects=$build/objects
if [ "$(cat "$objects/.setup" 2>/dev/null)" != "$setup" ]; then
    rm -rf "$objects" "$build/tools" "$build/kernel-headers"
    mkdir -p "$objects" "$build/tools"

    # glibc's configure script asks the compiler for the other tools, and takes the GNU tools' version lines only.
    tool() {
        printf '#!/bin/sh\n%s\n' "$2" >"$build/tools/$1"
        chmod +x "$build/tools/$1"
    }
    tool as "case \"\$*\" in *--version*) echo 'GNU assembler (GNU Binutils) 2.40'; exit;; esac
exec clang-$llvm --target=$target -c -x assembler \"\$@\""
    tool ld "case \"\$*\" in *--version*|-v) echo 'LLD $llvm.1 (compatible with GNU linkers)'; exit;; esac
exec wasm-ld-$llvm \"\$@\""
    for name in ar ranlib nm objcopy objdump readelf strip; do
        tool $name "exec llvm-$name-$llvm \"\$@\""
    done
    # glibc wants a GCC of at least 6.2 that does not know _Float128; the rest is said for GCC on an ELF machine.
    tool cc "case \"\$1\" in
-print-prog-name=*|--print-prog-name=*) echo '$build/tools/'\${1##*=}; exit;;
esac
case \"\$*\" in *-fno-tree-loop-distribute-patterns*)
    for word; do
        shift
        case \$word in -fno-tree-loop-distribute-patterns) ;; *) set -- \"\$@\" \"\$word\";; esac
    done
esac
export LIND_SYSROOT='$build/empty'
exec '$cc' -fgnuc-version=6.5.0 -Qunused-arguments \"\$@\" \\
    -ftls-model=local-exec -fno-rounding-math"

    # The kernel's headers: those of this machine that do not depend on the processor, and asm/ for ours.
    headers=$build/kernel-headers
    mkdir -p "$headers/asm"
    cp -r /usr/include/linux /usr/include/asm-generic "$headers/"
    for name in misc mtd rdma scsi sound video xen; do
        if [ -d /usr/include/$name ]; then cp -r /usr/include/$name "$headers/"; fi
    done
    for file in "$headers"/asm-generic/*.h; do
        name=${file##*/}
        case $name in
        *-common.h | *-base.h | *-defs.h | int-*.h | hugetlb_encode.h) ;;
        *) echo "#include <asm-generic/$name>" >"$headers/asm/$name" ;;
        esac
    done
    cp "$source"/sysdeps/unix/sysv/linux/wasm32/kernel-headers/asm/*.h "$headers/asm/"

    say "configuring"
    cd "$objects"
    run "$source/configure" --host=$target --build=x86_64-pc-linux-gnu --prefix=/usr --with-headers="$headers" \
        --enable-kernel=5.10 --enable-static-nss --enable-stack-protector=no --disable-shared --disable-werror \
        --disable-profile --disable-nscd --disable-build-nscd --disable-timezone-tools --disable-static-pie \
        --disable-default-pie --disable-mathvec --disable-multi-arch --without-selinux --without-gd \
        CC="$build/tools/cc" CXX= CPP="$build/tools/cc -E" BUILD_CC=gcc CFLAGS='-O2 -g0' \
        AR="$build/tools/ar" RANLIB="$build/tools/ranlib" NM="$build/tools/nm" \
        OBJCOPY="$build/tools/objcopy" OBJDUMP="$build/tools/objdump" READELF="$build/tools/readelf"
    echo "$setup" >.setup
fi
cd "$objects"

# Count objects as they come: on one line of a terminal, now and then elsewhere.
progress() {
    local total=2620 count
    while sleep "$1" >/dev/null 2>&1; do
        count=$(find "$objects" -name '*.o' | wc -l)
        printf "$2" "$count" "$((count > total ? count : total))"
    done
}
say "compiling (the log is $log)"
if [ -t 1 ]; then
    progress 1 '\rlind-glibc: %d of about %d objects ' 9>&- &
else
    progress 30 'lind-glibc: %d of about %d objects\n' 9>&- &
fi
counter=$!
trap 'kill $counter 2>/dev/null || true' EXIT
run make -j"$jobs" build-programs=no all-subdirs="$subdirs" all
kill $counter
trap - EXIT
if [ -t 1 ]; then printf '\r\033[K'; fi

say "installing"
new=$build/new-sysroot
rm -rf "$new"
mkdir -p "$new"
run make build-programs=no all-subdirs="$subdirs" install_root="$new" install
cp -rn "$build/kernel-headers/." "$new/usr/include/"

# The compiler's own functions. The packaged ones are made without threads in mind; they have neither atomics nor
# thread-local data, so that only their list of features stands in the way of linking them.
members=$build/builtins
rm -rf "$members"
mkdir -p "$members"
cd "$members"
"$build/tools/ar" x "$builtins"
for object in *; do
    "$build/tools/objcopy" --strip-debug --remove-section=target_features "$object"
done
"$build/tools/ar" rcsD "$new/usr/lib/libclang_rt.builtins-wasm32.a" *

# Every function of every library links: what remains undefined would be found by users.
say "checking"
printf '#include <stdio.h>\nint main(int argc, char **argv, char **envp) { return puts(*argv); }\n' >"$build/all.c"
run env LIND_SYSROOT="$new" "$cc" -O2 -c "$build/all.c" -o "$build/all.o"
run "$build/tools/ld" -o "$build/all.wasm" --shared-memory --import-memory --max-memory=4294967296 --fatal-warnings \
    --no-gc-sections "$new/usr/lib/crt1.o" "$build/all.o" --whole-archive \
    "$new"/usr/lib/lib{c,m,anl,crypt,dl,pthread,resolv,rt,util}.a --no-whole-archive \
    "$new/usr/lib/libclang_rt.builtins-wasm32.a"
grep -q __stub_revoke "$new/usr/include/gnu/stubs.h" || fail "gnu/stubs.h lists no stubs" "see $log"

# With the time of the beginning: what is edited while make runs is newer.
echo "$stamp" >"$new/.lind-glibc"
touch -r "$build/began" "$new/.lind-glibc"
mkdir -p "$(dirname "$output")"
rm -rf "$build/old-sysroot"
if [ -e "$output" ]; then mv -T "$output" "$build/old-sysroot"; fi
mv -T "$new" "$output"
rm -rf "$build/old-sysroot" "$members"
say "the sysroot is $output ($SECONDS s)"
