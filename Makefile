# Everything that is done with this project is a target here; `make help` lists them. Node is the one of the lock file, never the
# machine's: that one only starts npm.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PREFIX ?= /usr
BIN := $(CURDIR)/node_modules/.bin
NODE := $(BIN)/node
# Variables given on the command line (LAYOUT, VARIANT, GUESTOS_SUITE, GUESTOS_MIRROR, FRESH, FILE) reach the scripts as environment.
export PATH := $(BIN):$(PATH)

.PHONY: help
help: ## this list
	@echo "guestos-boot: boot orchestrator of a GuestOS. From a fresh clone each target sets up what it needs."
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: setup
setup: ## install what is missing: Debian packages (as root or by sudo), npm packages
	@tools/setup.sh

.PHONY: build
build: setup ## dist/guestos-boot, the program as one executable
	@$(NODE) --run build

.PHONY: install
install: ## lay out dist/guestos-boot and etc/ below DESTDIR (PREFIX=/usr)
	@tools/install.sh "$(DESTDIR)" "$(PREFIX)"

.PHONY: image
image: build ## build/guestos.img, a bootable disk (LAYOUT=prod, VARIANT=prod, GUESTOS_SUITE=, GUESTOS_MIRROR=)
	@$(NODE) --run image

.PHONY: update-image
update-image: image ## build/update-VERSION.tar.zst, an upgrade image with manifest and signature (VERSION=)
	@VERSION="$(VERSION)" $(NODE) vm/update-image.ts

.PHONY: boot
boot: image ## boot the disk in QEMU and show what the boot chain did (FRESH=1 from a new disk)
	@$(NODE) vm/boot.ts

.PHONY: ssh
ssh: setup ## log in to the running VM
	@$(NODE) vm/ssh.ts

.PHONY: stop
stop: setup ## stop the running VM
	@$(NODE) vm/stop.ts

.PHONY: format
format: setup ## format the sources
	@$(NODE) --run format

.PHONY: check
check: setup ## the fast gate: format, types, lint, dead code, tests that need no VM
	@$(NODE) tools/test.ts check

# Set-up is called here, not required, so that its failure is counted too.
.PHONY: test
test: ## everything: check, the image, whole boots in QEMU; ends with "N passed, N failed"
	@tools/setup.sh || { echo "the set-up failed, see above"; echo "0 passed, 1 failed"; exit 1; }
	@$(NODE) tools/test.ts all

.PHONY: test-vm
test-vm: image ## the VM tests alone (FILE=name for one file)
	@$(NODE) tools/test.ts vm

.PHONY: bench
bench: build ## how long the executable takes to start and to install an image (BENCH_MIB=), beside what it is held against
	@$(NODE) bench/startup.ts
	@$(NODE) bench/upgrade.ts

.PHONY: clean
clean: ## remove what was built
	@rm -rf dist build

.PHONY: distclean
distclean: clean ## remove the npm packages too
	@rm -rf node_modules
