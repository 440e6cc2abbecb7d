# lind: thin targets over cargo, the patch-queue tool and the libc build.
#
#   make run      from a clean machine to the first sandboxed program
#   make test     everything that must hold
#   make help     all targets

SHELL     := /bin/bash
PREFIX    ?= /usr/local
DIST      := target/dist
PACKAGES  := $(shell cat .github/packages.txt)
CARGO     ?= cargo
# A shell's background jobs start with SIGINT and SIGQUIT ignored; the tests raise and send signals.
TEST      := env --default-signal $(CARGO) test
DRIVERS   := lind-ar lind-ranlib lind-nm lind-strip lind-ld lind-as lind-objcopy lind-objdump lind-readelf lind-pkg-config

.DEFAULT_GOAL := help
.PHONY: help run build prerequisites import host sysroot dist rootfs dist-rootfs test test-apps smoke-apps check bench install clean

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

run: build ## Build what is missing, then compile and run the first program.
	@mkdir -p target/first
	$(DIST)/bin/lind-cc -O2 tests/c/hello.c -o target/first/hello
	$(DIST)/bin/lind target/first/hello

build: prerequisites import host sysroot dist ## Leave a complete, relocatable installation in target/dist.

prerequisites: ## Install the Debian packages that a build needs (as root), or name the command.
	@missing=$$(for p in $(PACKAGES); do \
	    dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	    set -- $$missing; echo "prerequisites: installing $$*"; \
	    if [ "$$(id -u)" != 0 ]; then \
	        echo "make: these Debian packages are missing: $$*" >&2; \
	        echo "hint: sudo apt-get update && sudo apt-get install -y $$*" >&2; exit 1; fi; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$@"; } \
	        > /tmp/lind-prerequisites.log 2>&1 || { tail -5 /tmp/lind-prerequisites.log >&2; \
	        echo "make: apt-get could not install: $$*" >&2; echo "hint: see /tmp/lind-prerequisites.log" >&2; exit 1; }; fi
	@command -v $(CARGO) >/dev/null || { echo "make: $(CARGO) not found: lind needs Rust 1.95 or newer" >&2; \
	    echo "hint: install Rust with rustup, then run make again" >&2; exit 1; }

import: ## Unpack, verify and patch the pinned upstream sources under target/.
	@$(CARGO) tool import

host: import ## Build the lind command and the compiler driver.
	@$(CARGO) build --release --package lind-boot --package lind-cc

sysroot: import ## Build the C library (nothing to do when the port is unchanged).
	@lind-glibc/build.sh --source target/glibc/src --build target/glibc/build --output target/sysroot

dist: host sysroot
	@mkdir -p $(DIST)/bin $(DIST)/lib/lind $(DIST)/share
	@install -C target/release/lind target/release/lind-cc $(DIST)/bin/
	@for tool in $(DRIVERS); do ln -sfn lind-cc $(DIST)/bin/$$tool; done
	@cp -au --no-target-directory target/sysroot $(DIST)/lib/lind/sysroot
	@cp -au --no-target-directory lind-glibc/compiler/share $(DIST)/share/lind

rootfs: build ## Build a root directory of Debian's shells and basic commands in target/rootfs.
	$(CARGO) run --quiet --release --package lind-tests --bin rootfs

dist-rootfs: rootfs ## Make that root directory a piece of the installation: share/lind/rootfs, which install takes along.
	@rm -rf $(DIST)/share/lind/rootfs
	@cp -a target/rootfs $(DIST)/share/lind/rootfs

test: build ## Run everything that must hold: unit, property, C, command-line and hostile tests.
	$(CARGO) tool check
	$(TEST) --quiet --release --manifest-path wasmtime/tool/Cargo.toml
	$(TEST) --release --workspace

test-apps: build ## Build real programs from Debian's sources, use them and run their test suites under lind (an hour).
	$(TEST) --release --package lind-tests --test apps

# What is left of it are eight programs that are built in a few minutes; scripts need the whole root directory.
LONG_APPS := suite coreutils diffutils findutils fio gawk grep make postmark procps python redis selftests socat stress system
smoke-apps: build ## The quick part of test-apps, which CI runs.
	$(TEST) --release --package lind-tests --test apps -- $(LONG_APPS:%=--skip %)

check: import ## Formatting, lints and the patch queues.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	$(CARGO) clippy --release --package lind-tests --test apps -- -D warnings
	$(CARGO) clippy --release --manifest-path wasmtime/tool/Cargo.toml --all-targets -- -D warnings
	$(CARGO) tool check

bench: build ## Measure, with native columns in the same run.
	$(CARGO) bench --package lind-tests

install: build ## Copy the installation to PREFIX (default /usr/local).
	@mkdir -p $(DESTDIR)$(PREFIX)
	cp -a $(DIST)/. $(DESTDIR)$(PREFIX)/

clean: ## Remove everything that was built or unpacked.
	rm -rf target wasmtime/tool/target tests/bench/stock/target
