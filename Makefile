# verity-bpf: `make help` lists what can be made. `setup`, `demo`, `test` and what starts the test machine install by apt
# what is missing; nothing else installs anything.
SHELL := /bin/sh
BINARY := .build/release/verity-bpf
VM_TESTS := .build/release/vm-tests
# Without a run path of $ORIGIN: nothing is loaded from beside the binary.
SWIFT_RELEASE := VERITY_BPF_PROFILE=release swift build -c release --static-swift-stdlib --disable-local-rpath

.PHONY: help setup build man install demo gate test mutate kernel-abi vm vm-shell vm-test vm-matrix corpus corpus-machine volumes analysis-proof lint fmt bench bench-quick growth fuzz generated clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install by apt what building needs; silent when nothing is missing
	@tools/setup build

build: ## build .build/release/verity-bpf, and verity-bpf-link beside it
	@tools/setup check build
	@$(SWIFT_RELEASE) --product verity-bpf
	@$(SWIFT_RELEASE) --product verity-bpf-link

man: build ## write the manual pages to out/man
	@mkdir -p out/man && $(BINARY) --generate-manual out/man

# PREFIX is where it will be found, DESTDIR what is put before that while a package is made.
PREFIX ?= /usr/local
# logrotate reads /etc, whatever the prefix is.
SYSCONFDIR ?= /etc
install: build ## install the command and its linking helper, manual pages, completions, schemas and registration below PREFIX, how its log is rotated, and the gate after `make gate`
	@tools/install $(BINARY) "$(DESTDIR)$(PREFIX)" "$(DESTDIR)$(SYSCONFDIR)" "$(PREFIX)"

demo: ## pack the demo programs, prove and load them, show the refusals (root)
	@tools/setup demo
	@$(MAKE) --no-print-directory build
	@tools/demo $(BINARY)

gate: build ## pack the gate, which makes the kernel refuse loads (docs/gate.md), into out/gate/gate.raw
	@$(MAKE) --no-print-directory -s -C images/gate -f ../demo/Makefile OUT="$(CURDIR)/out/gate/objects"
	@$(BINARY) build-image out/gate/objects -o out/gate/gate.raw --name gate --version 1.0.0 --configurable gate.bpf.o

test: ## build and run every test (root runs the kernel tests too)
	@tools/setup test
	@for suite in trixie sid; do tools/debian $$suite erofs-utils > /dev/null || true; done
	@$(MAKE) --no-print-directory build
	@tools/test

mutate: setup ## take guards out one at a time and see that a test fails for each: minutes a row (ONLY=WORDS; root)
	@tools/mutate $(ONLY)

kernel-abi: setup ## compare the kernel's numbers in KernelABI with the newest headers that Debian has
	@tools/kernel-abi

vm: ## make the test machine ready, without booting it: what runs in it, and its kernel (KERNEL=6.1|6.12|6.18|7.2|7.3)
	@tools/setup vm
	@$(SWIFT_RELEASE) --product verity-bpf
	@$(SWIFT_RELEASE) --product verity-bpf-link
	@$(SWIFT_RELEASE) --product vm-tests
	@tools/vm/kernel $(or $(KERNEL),6.12) >/dev/null

vm-test: vm ## boot the test machine four times and run its cases (KERNEL=, ONLY=)
	@VM_REQUIRED=$${VM_REQUIRED:-yes} tools/vm/run test $(BINARY) $(VM_TESTS)

vm-shell: vm ## boot the test machine to a prompt (BOOT=secure-boot|integrity|confidentiality|plain; Ctrl-A X ends it)
	@tools/vm/run shell $(BINARY) $(VM_TESTS) $(BOOT)

vm-matrix: vm ## run the test machine on every kernel series, and write docs/kernels.md
	@tools/vm/matrix $(BINARY) $(VM_TESTS)

corpus: ## load what Debian packages ship with bpftool and with us, and write docs/compatibility.md (root)
	@tools/setup test
	@$(MAKE) --no-print-directory build
	@tools/corpus table $(BINARY)

corpus-machine: ## load what the selftests and the loaders of libbpf-tools load, in the test machine: after analysis-proof, an hour (root)
	@tools/setup proof
	@$(MAKE) --no-print-directory build
	@tools/corpus machine $(BINARY)

volumes: ## make volumes of every kind, ask what becomes of them, and write the table in docs/compatibility.md
	@tools/setup volumes
	@$(MAKE) --no-print-directory build
	@tools/volumes $(BINARY)

analysis-proof: ## hold the analysis against the kernel's verifier, and write docs/analysis-proof.md: half an hour (root)
	@tools/setup proof
	@$(MAKE) --no-print-directory build
	@tools/analysis-proof all $(BINARY)

lint: ## check format and the rules of CONTRIBUTING.md
	@tools/lint

fmt: ## format the sources
	@swift format -i -r Package.swift Sources Tests Fuzz

generated: ## write what follows from tables in the code: docs/policy-properties.md, docs/threat-model.md, the editors' files, the fuzzer's words
	@VERITY_BPF_WRITE_GENERATED=1 swift test --filter GeneratedFilesTests

bench: ## compare with veritysetup, mkfs.erofs and bpftool on the same work
	@tools/setup test
	@$(MAKE) --no-print-directory build
	@tools/bench $(BINARY)

bench-quick: ## run every row of the comparison in little time, judging nothing
	@tools/setup test
	@$(MAKE) --no-print-directory build
	@tools/bench $(BINARY) quick

growth: ## double the input of each command, and see that its work does not grow faster (tools/growth)
	@tools/setup test
	@$(MAKE) --no-print-directory build
	@tools/growth $(BINARY)

fuzz: ## give what reads other people's bytes random input for a minute (docs/fuzzing.md)
	@tools/setup build
	@tools/fuzz

clean: ## remove what was built
	@rm -rf .build out
