# Builds glibc's own tests against an installed library, outside of its source's build: `make -f`, in the source.
#
# A test that needs the inside of the library does not compile, and is none of run/.

CC = cc
AR = ar
DIRS = dirent io login misc posix resource rt signal socket sysdeps/unix/sysv/linux sysvipc time

# Clang takes for errors what GCC takes for warnings.
FLAGS = -std=gnu11 -D_GNU_SOURCE -O2 -w -Wno-error=incompatible-pointer-types -Wno-error=implicit-function-declaration \
  -Wno-error=int-conversion -DTIMEOUTFACTOR=1 -Ishim -Ishim/include
PLACES = SRCDIR OBJDIR OBJDIR_ELF_LDSO INSTDIR LIBDIR BINDIR SBINDIR SLIBDIR ROOTSBINDIR COMPLOCALEDIR SYSCONFDIR
SUPPORT_FLAGS = $(FLAGS) -include limits.h -include stddef.h -include errno.h -Isupport -Imalloc '-Dlibc_hidden_def(x)=' \
  '-Dlibc_hidden_proto(x)=' -Dattribute_hidden= '-D__set_errno(e)=(errno = (e))' $(PLACES:%='-D%_PATH="/nowhere"')
HEADERS = array_length intprops libc-diag libc-pointer-arith scratch_buffer

SOURCES = $(wildcard support/support*.c support/x*.c support/check*.c support/timespec*.c support/temp_file.c) \
  $(wildcard $(addprefix support/,blob_repeat.c delayed_exit.c dtotimespec.c ignore_stderr.c next_to_fault.c oom_error.c \
    resolv_test.c set_fortify_handler.c write_message.c)) \
  $(wildcard malloc/dynarray_*.c malloc/scratch_buffer_*.c)
OBJECTS = $(SOURCES:%.c=objects/%.o)
TESTS = $(filter-out %-time64,$(patsubst %.c,run/%,$(wildcard $(foreach dir,$(DIRS),$(dir)/tst-*.c $(dir)/test-*.c))))

all: $(TESTS)

run/%: %.c libsupport.a
	@mkdir -p $(@D)
	-@$(CC) $(FLAGS) -o $@ $< libsupport.a -lpthread -lrt -lm -lresolv 2> $@.why && rm $@.why

libsupport.a: $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $$(find objects -name '*.o')

# What needs the inside of the library is left out here, too.
objects/%.o: %.c shim/ready
	@mkdir -p $(@D)
	-@$(CC) $(SUPPORT_FLAGS) -c $< -o $@ 2> /dev/null

shim/ready:
	@mkdir -p shim/include
	@ln -sf ../support ../malloc ../test-skeleton.c $(HEADERS:%=../include/%.h) shim
	@ln -sf ../../include/array_length.h shim/include
	@: > shim/config.h; : > shim/libc-config.h
	@printf '#include <elf.h>\n#define _STACK_GROWS_DOWN 1\n#define DEFAULT_STACK_PERMS (PF_R | PF_W)\n' > shim/stackinfo.h
	@printf '#include <sys/syscall.h>\n#define __timespec64 timespec\n' > shim/sysdep.h
	@: > $@
