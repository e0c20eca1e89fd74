# verity-bpf: `make help` lists what can be made. Every target installs first what is missing.
SHELL := /bin/sh
BINARY := .build/release/verity-bpf
SWIFT_RELEASE := swift build -c release --static-swift-stdlib --product verity-bpf

.PHONY: help setup build demo test corpus lint fmt bench bench-quick fuzz clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install by apt what is missing; silent when nothing is
	@tools/setup

build: setup ## build .build/release/verity-bpf
	@$(SWIFT_RELEASE)

demo: build ## pack the demo programs, prove and load them, show the refusals (root)
	@tools/demo $(BINARY)

test: build ## build and run every test (root runs the kernel tests too)
	@tools/test

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
