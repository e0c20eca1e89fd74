# verity-bpf: `make help` lists what can be made. Every target installs first what is missing.
SHELL := /bin/sh
BINARY := .build/release/verity-bpf
VM_TESTS := .build/release/vm-tests
# Without a run path of $ORIGIN: nothing is loaded from beside the binary.
SWIFT_RELEASE := swift build -c release --static-swift-stdlib --disable-local-rpath

.PHONY: help setup build man install demo test vm vm-shell vm-test vm-matrix corpus lint fmt bench bench-quick fuzz clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install by apt what is missing; silent when nothing is
	@tools/setup

build: setup ## build .build/release/verity-bpf, and verity-bpf-commands beside it
	@$(SWIFT_RELEASE) --product verity-bpf
	@$(SWIFT_RELEASE) --product verity-bpf-commands

man: build ## write the manual pages to out/man
	@tools/man $(BINARY) out/man

# PREFIX is where it will be found, DESTDIR what is put before that while a package is made.
PREFIX ?= /usr/local
install: build ## install the command, its manual pages, completions and schemas below PREFIX
	@tools/install $(BINARY) "$(DESTDIR)$(PREFIX)"

demo: build ## pack the demo programs, prove and load them, show the refusals (root)
	@tools/demo $(BINARY)

test: build ## build and run every test (root runs the kernel tests too)
	@tools/test

vm: ## make the test machine ready, without booting it: what runs in it, and its kernel (KERNEL=6.1|6.12|6.18|7.2|7.3)
	@tools/setup vm
	@$(SWIFT_RELEASE) --product verity-bpf
	@$(SWIFT_RELEASE) --product verity-bpf-commands
	@swift build -c release --static-swift-stdlib --product vm-tests
	@tools/vm/kernel $(or $(KERNEL),6.12) >/dev/null

vm-test: vm ## boot the test machine four times and run its cases (KERNEL=, ONLY=)
	@VM_REQUIRED=$${VM_REQUIRED:-yes} tools/vm/run test $(BINARY) $(VM_TESTS)

vm-shell: vm ## boot the test machine to a prompt (BOOT=secure-boot|integrity|confidentiality|plain; Ctrl-A X ends it)
	@tools/vm/run shell $(BINARY) $(VM_TESTS) $(BOOT)

vm-matrix: vm ## run the test machine on every kernel series, and write docs/kernels.md
	@tools/vm/matrix $(BINARY) $(VM_TESTS)

corpus: build ## load what Debian packages ship with bpftool and with us, and write docs/compatibility.md (root)
	@tools/corpus table $(BINARY)

lint: setup ## check format and the rules of CONTRIBUTING.md
	@tools/lint

fmt: setup ## format the sources
	@swift format -i -r Package.swift Sources Tests

bench: build ## compare with veritysetup, mkfs.erofs and bpftool on the same work
	@tools/bench $(BINARY)

bench-quick: build ## run every row of the comparison in little time, judging nothing
	@tools/bench $(BINARY) quick

fuzz: setup ## feed the parsers random input for a minute
	@tools/fuzz 60

clean: ## remove what was built
	@rm -rf .build out
