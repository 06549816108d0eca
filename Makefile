# `make` alone lists what one can do. Every target sets up what it needs first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The dependencies cost a quarter of an hour to build (RocksDB most of it), so the target folder
# lives outside the checkout and survives a fresh clone.
CACHE ?= $(or $(HOLDFAST_CACHE),$(HOME)/.cache/holdfast)
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(CACHE)/bin:$(HOME)/.cargo/bin:/usr/local/go/bin:$(HOME)/go/bin:$(PATH)
BIN := $(CARGO_TARGET_DIR)/debug

.PHONY: help
help: ## this list
	@echo "Holdfast: local data, anchored to a public record."
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## install what is missing (system packages, Rust target, pinned CometBFT) or say what to install
	@scripts/setup "$(CACHE)" "$(CARGO_TARGET_DIR)"

.PHONY: build
build: setup ## build the four binaries and all tests (one profile for everything)
	@cargo build --locked --workspace --bins --tests

.PHONY: demo
demo: build ## play the whole story on the embedded engine, in about a minute; leaves trail.hold
	@$(BIN)/localnet demo --out trail.hold

.PHONY: playground
playground: setup ## build the page that edits and asks policies in a browser; prints its path
	@policy/playground/build

.PHONY: test
test: test-core test-chain test-faults ## everything that CI runs

.PHONY: test-core
test-core: build deny ## unit, property, conformance and wasm tests; licences and advisories
	@scripts/test core

.PHONY: deny
deny: setup ## licences, bans, sources; advisories against the snapshot beside the checkout
	@scripts/deny "$(CACHE)"

.PHONY: test-chain
test-chain: build ## the story on four real validators, lying nodes, the mutator
	@scripts/test chain

.PHONY: test-faults
test-faults: build ## each role killed in turn, seeded crash points
	@scripts/test faults

.PHONY: soak
soak: build ## every crash point, each role killed three times, every byte of a trail, long random runs; by hand
	@HOLDFAST_SOAK=1 scripts/test faults
	@HOLDFAST_SOAK=1 scripts/test chain
	@HOLDFAST_SOAK=1 HOLDFAST_ROUNDS=5000 scripts/test core

.PHONY: bench
bench: setup ## benchmarks, in release, with their references in the same run
	@cargo bench --locked --workspace
	@cargo build --locked --release --workspace --bins
	@$(CARGO_TARGET_DIR)/release/localnet bench

.PHONY: lint
lint: setup ## rustfmt and clippy, as CI would like them
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
