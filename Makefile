# Every task of this project is a target here; `make help` lists them. Node is the one of the lock file; the machine's own only
# starts npm.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PREFIX ?= /usr
BIN := $(CURDIR)/node_modules/.bin
NODE := $(BIN)/node
# make exports variables of its command line (PROFILE, LAYOUT, VARIANT, GUESTOS_SUITE, GUESTOS_MIRROR, FRESH, FILE, TEST) to the scripts.
export PATH := $(BIN):$(PATH)

.PHONY: help
help: ## this list
	@echo "guestos-boot: boot orchestrator of a GuestOS. From a fresh clone each target sets up what it needs."
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: setup
setup: ## install all that is missing, for every target: Debian packages (as root or by sudo), npm packages
	@tools/setup.sh

# Each target sets up what it needs, and no more: sections of tools/host-packages.txt, with a + between them.
setup-%:
	@tools/setup.sh $(subst +, ,$*)

.PHONY: build
build: setup-build ## dist/: the program as one executable, its manual, its bill of materials
	@$(NODE) --run build

.PHONY: install
install: ## lay out dist/, etc/ and share/ below DESTDIR (PREFIX=/usr, PROFILE=boundary)
	@tools/install.sh "$(DESTDIR)" "$(PREFIX)"

.PHONY: deb
deb: build ## dist/guestos-boot_VERSION_amd64.deb, a Debian package (docs/image.md; PROFILE=boundary)
	@$(NODE) tools/package.ts deb

.PHONY: tarball
tarball: build ## dist/guestos-boot-VERSION-linux-amd64.tar.gz, what `make install` lays out
	@$(NODE) tools/package.ts tarball

.PHONY: schemas
schemas: setup-node ## share/schemas/ (JSON Schemas) and the tables of values in docs/, from the schemas in src
	@$(NODE) tools/schemas.ts

.PHONY: image
image: setup-build+image build ## build/guestos.img, a bootable disk (PROFILE=boundary, LAYOUT=prod, VARIANT=prod, GUESTOS_SUITE=, GUESTOS_MIRROR=)
	@[ "$(PROFILE)" != setupos ] || $(NODE) --run image:hostos
	@[ "$(PROFILE)$(VARIANT)" != setuposprod ] || PROFILE= $(NODE) --run image
	@$(NODE) --run image

.PHONY: update-image
update-image: setup-build+image image ## build/update-VERSION.tar.zst, an upgrade image with manifest and signature (VERSION=, PROFILE=hostos)
	@VERSION="$(VERSION)" $(NODE) image/update/update-image.ts

.PHONY: boot
boot: setup-build+image+boot image ## boot the disk in QEMU and show what the boot chain did (FRESH=1 from a new disk, PROFILE=boundary)
	@$(NODE) lab/boot.ts

.PHONY: lifecycle
lifecycle: setup-build+image+boot build ## from a stick to a running node: three images, an installation on empty drives, the node from its drives (DRIVES=2)
	@PROFILE=setupos $(MAKE) --no-print-directory image
	@$(NODE) lab/lifecycle.ts

.PHONY: ssh
ssh: setup-boot ## log in to the running VM (PROFILE=boundary)
	@$(NODE) lab/ssh.ts

.PHONY: stop
stop: setup-node ## stop the running VM (PROFILE=boundary)
	@$(NODE) lab/stop.ts

.PHONY: format
format: setup-node ## format the sources
	@$(NODE) --run format

.PHONY: check
check: setup ## the fast gate: format, types, lint, dead code, tests of code and of the command line (FILE=part-of-path TEST=name for some tests alone)
	@$(NODE) tools/test.ts check

.PHONY: check-system
check-system: setup ## the tests with real tools on files and in namespaces, which need no VM
	@$(NODE) tools/test.ts check-system

# Set-up is called here, and is no prerequisite, so that its failure is counted too.
.PHONY: test
test: ## everything: check, check-system, the images, whole boots in QEMU; ends with "N passed, N failed"
	@tools/setup.sh || { echo "the set-up failed, see above"; echo "0 passed, 1 failed"; exit 1; }
	@$(NODE) tools/test.ts all

# What a user-mode machine needs is set up where one is asked for.
SETUP_USER_MODE := $(if $(findstring user-mode,$(MACHINE) $(BENCH_MACHINES)),setup-user-mode)

.PHONY: test-vm
test-vm: setup image ## the VM tests alone (FILE=part-of-path TEST=name for some)
	@$(NODE) --run image:boundary
	@case "$(FILE)" in "" | *setupos*) $(NODE) --run image:hostos && $(NODE) --run image:setupos ;; esac
	@$(NODE) tools/test.ts vm

.PHONY: test-power
test-power: setup setup-user-mode image ## whole boots that make test has no time for, 50 power cuts of an upgrade among them; hours (CUTS=50 SEED=1 LANES=1 FILE= MACHINE=user-mode)
	@$(NODE) --run image:hostos
	@$(NODE) --run image:setupos
	@CUTS="$(CUTS)" SEED="$(SEED)" LANES="$(LANES)" MACHINE="$(MACHINE)" $(NODE) tools/test.ts power

.PHONY: test-crash
test-crash: setup $(SETUP_USER_MODE) ## kills at every effect, power cuts all over a first boot and an upgrade, replayed, other orders of the units, failing disks (SCENARIO= EFFECT= RECORDING= MACHINE=user-mode ORDERS= FAULT=; docs/reliability.md)
	@[ -n "$(RECORDING)$(MACHINE)$(POINT)$(ORDERS)$(FAULT)" ] || $(NODE) test/crash/effects/explore-effects.ts
	@[ -n "$(SCENARIO)$(EFFECT)" ] || $(MAKE) --no-print-directory image
	@[ -n "$(SCENARIO)$(EFFECT)$(ORDERS)$(FAULT)" ] || $(NODE) test/crash/explore.ts
	@[ -n "$(SCENARIO)$(EFFECT)$(RECORDING)$(POINT)$(FAULT)" ] || $(NODE) test/crash/explore-orders.ts
	@[ -n "$(SCENARIO)$(EFFECT)$(RECORDING)$(MACHINE)$(POINT)$(ORDERS)" ] || $(NODE) test/crash/explore-write-faults.ts

.PHONY: test-media
test-media: setup setup-user-mode ## VFAT media damaged by the thousand, in a user-mode machine (MEDIA=5000 SEED=1; docs/reliability.md)
	@$(NODE) test/crash/media/explore-media.ts

.PHONY: bench
bench: setup-build+image+boot+bench $(SETUP_USER_MODE) image ## start-up, monitor, runner alone, boots beside those of a shell chain (BENCH_BOOTS=5 BENCH_MACHINES=), upgrades (BENCH_MIB=)
	@status=0; for name in startup monitor scheduler boot upgrade; do $(NODE) bench/$$name.ts || status=1; done; exit $$status

.PHONY: soak
soak: setup-build+bench build ## an hour of the monitor in a minute (SOAK_SECONDS=): it must not grow
	@$(NODE) bench/soak.ts

.PHONY: clean
clean: ## remove what was built
	@rm -rf dist build

.PHONY: distclean
distclean: clean ## remove the npm packages too
	@rm -rf node_modules
