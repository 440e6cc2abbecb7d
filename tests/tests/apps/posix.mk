# Builds the tests of the Open POSIX Test Suite, without running them: `make -f`, in the source.
#
# A test that does not compile is none of run/. Of those of sigaction, which are the same for each signal, some are built.

CC = cc
FLAGS = -std=gnu99 -D_GNU_SOURCE -D_POSIX_C_SOURCE=200112L -O2 -w -Iinclude
FEW = $(wildcard $(foreach n,1 9 12 20,conformance/interfaces/sigaction/*-$(n).c))
SOURCES = $(filter-out conformance/interfaces/sigaction/%,$(wildcard conformance/interfaces/*/[0-9]*.c)) $(FEW) \
  $(wildcard functional/*/*.c)

all: $(SOURCES:%.c=run/%)

run/%: %.c
	@mkdir -p $(@D)
	-@$(CC) $(FLAGS) -o $@ $< -lpthread -lrt -lm 2> $@.why && rm $@.why
