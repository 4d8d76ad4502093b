# The one door. `make help` says what is behind it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# What `make run` and `make bench` build. Tests are always built for debugging.
CONFIGURATION ?= release
# Where the service keeps everything, and where it listens.
DATA_DIR ?= var/instanta
LISTEN ?= 127.0.0.1:8420
# The demo guest's disk. Tests that boot a machine find it by this variable.
GUEST := var/demo-guest.qcow2
export INSTANTA_DEMO_GUEST := $(abspath $(GUEST))

FORMATTED := $(wildcard Sources Tests Benchmarks)
IMPORT_CHECK := --explicit-target-dependency-import-check error

.PHONY: help run demo build test test-guest test-console test-clients interop screens check fmt hooks bench ci clean packages

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: build $(GUEST) ## Install what is missing, build, and start the service with a demo environment
	exec "$$(swift build -c $(CONFIGURATION) --show-bin-path)/instanta" serve \
	    --data-dir $(DATA_DIR) --listen $(LISTEN) --demo-guest $(GUEST)

demo: ## Roll back, make a golden image, clone to find a fault: told against the running service; POOL=NAME: in that pool
	POOL="$(POOL)" exec scripts/demo

build: packages ## Build the instanta program
	swift build -c $(CONFIGURATION) --product instanta

test: packages $(GUEST) ## Build and run every test
	swift build --build-tests $(IMPORT_CHECK)
	scripts/run-tests

test-console: packages $(GUEST) ## Build the program and follow the guide in a real browser
	swift build --product instanta
	scripts/run-tests Browser

test-clients: packages $(GUEST) ## Build the program and drive it with other people's clients of CloudStack
	swift build --product instanta
	scripts/run-tests Interop

interop: packages $(GUEST) ## Build the program and run an Ansible playbook against it, twice
	swift build --product instanta
	scripts/run-tests Interop Ansible

screens: packages $(GUEST) ## Take the pictures of docs/screens anew
	swift build --product instanta
	scripts/make-screens

test-guest: packages $(GUEST) ## Check what the demo guest promises
	scripts/test-demo-guest $(GUEST)

check: packages ## Formatting, layers, documentation, scripts, words: all that needs no build
	swift format lint --strict --parallel --recursive $(FORMATTED)
	scripts/check-all

fmt: ## Format the sources in place
	swift format format --in-place --parallel --recursive $(FORMATTED)

hooks: ## Run the checks before each commit
	install -m 755 /dev/stdin "$$(git rev-parse --git-path hooks)/pre-commit" <<< $$'#!/bin/sh\nexec make check'

bench: packages $(GUEST) ## Measure the budgets against the bare tools
	swift build -c release --product instanta
	swift run -c release benchmarks

ci: check test-guest test ## What the gate runs

clean: ## Remove builds and the demo guest, not the service's data
	rm -rf .build $(GUEST)

packages:
	@scripts/install-packages

$(GUEST): scripts/build-demo-guest $(shell find guest -type f) | packages
	scripts/build-demo-guest $@
