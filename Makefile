# What can be done here; `make` alone tells it. Everything is made in .venv, from the lock files.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
CONFIG ?= config/dialwarden.toml

.NOTPARALLEL:
.PHONY: help run check test demo bench bench-profile bench-screen bench-imports bench-purge bench-relay bench-guard soak soak-ami try-systemd lint types unit covered asterisk images manual dist lock clean

help: ## what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: ## start dialwarden with config/dialwarden.toml (CONFIG=FILE for another)
	@.ci/venv.sh run
	@mkdir -p -m 0750 var
	@echo "== dialwarden serve --config $(CONFIG)  (Ctrl-C stops it)"
	@exec $(BIN)/dialwarden serve --config "$(CONFIG)"

check: lint types unit ## format, lint, types and every test that needs no Asterisk

test: lint types covered asterisk images ## all of check, with coverage, a real Asterisk 22 and 16, and the images of docker/
	@echo "== all passed"

demo: ## place a handful of calls through a real Asterisk 22 and say what became of them
	@.ci/venv.sh dev
	@echo "== calls through a real Asterisk; the first time a Debian root with it is made (root needed)"
	@$(BIN)/python tests/asterisk/demo.py

bench: ## every figure in one run beside its peers, 15 minutes (BENCH="--quick", "--only decisions", "--json FILE")
	@.ci/venv.sh dev
	@.ci/bench.sh $(BENCH)

bench-profile: ## where the microseconds of a decision go (BENCH="--cprofile" for Python's own profiler)
	@.ci/venv.sh dev
	@echo "== python -m tests.bench.profile $(BENCH)"
	@$(BIN)/python -m tests.bench.profile $(BENCH)

bench-screen: ## judge 100,000 contacts, beside phonenumbers alone (BENCH="--rows 10000" for fewer)
	@.ci/venv.sh dev
	@echo "== python -m tests.bench.screen $(BENCH)"
	@$(BIN)/python -m tests.bench.screen $(BENCH)

bench-imports: ## a list of a million numbers, beside sqlite3's .import (BENCH="--load 30000000": at the start)
	@.ci/venv.sh dev
	@echo "== python -m tests.bench.imports $(BENCH)"
	@$(BIN)/python -m tests.bench.imports $(BENCH)

bench-purge: ## calls beside a purge: latencies before, meanwhile and after (BENCH="--rate 500")
	@.ci/venv.sh dev
	@echo "== python -m tests.bench.purge $(BENCH)"
	@$(BIN)/python -m tests.bench.purge $(BENCH)

bench-relay: ## events through the gateway beside a bare relay (BENCH="--megabytes 100" for fewer)
	@.ci/venv.sh dev
	@echo "== python -m tests.bench.relay $(BENCH)"
	@$(BIN)/python -m tests.bench.relay $(BENCH)

bench-guard: ## from INVITE to CANCEL on a real Asterisk, and what following calls costs
	@.ci/venv.sh dev
	@echo "== python -m tests.bench.guard $(BENCH)"
	@$(BIN)/python -m tests.bench.guard $(BENCH)

soak: ## ten minutes at 500 calls a second, then kills and troubles (SOAK="--seconds 60 --rate 500")
	@.ci/venv.sh dev
	@echo "== python -m tests.soak.steady $(SOAK)"
	@$(BIN)/python -m tests.soak.steady $(SOAK)
	@echo "== python -m tests.soak.kills"
	@$(BIN)/python -m tests.soak.kills
	@echo "== python -m tests.soak.kills --kills 5 --attempts 5000000"
	@$(BIN)/python -m tests.soak.kills --kills 5 --attempts 5000000
	@echo "== python -m tests.soak.trouble"
	@$(BIN)/python -m tests.soak.trouble

soak-ami: ## six minutes of calls while links break and the bridge is killed (SOAK="--seconds 60")
	@.ci/venv.sh dev
	@echo "== python tests/asterisk/soak.py $(SOAK)"
	@$(BIN)/python tests/asterisk/soak.py $(SOAK)

try-systemd: ## boot a real systemd in a container, with the shipped units and calls in flight (root needed)
	@.ci/venv.sh dev
	@.ci/tools.sh systemd-nspawn=systemd-container nsenter=util-linux
	@echo "== python -m tests.systemd.trial"
	@$(BIN)/python -m tests.systemd.trial

lint:
	@.ci/venv.sh dev
	@echo "== ruff format --check"
	@$(BIN)/ruff format --check .
	@echo "== ruff check"
	@$(BIN)/ruff check .

types:
	@.ci/venv.sh dev
	@echo "== mypy --strict"
	@$(BIN)/mypy

unit:
	@.ci/venv.sh dev
	@echo "== tests without Asterisk"
	@$(BIN)/python -m pytest -q -n auto -m "not mounts and not tools and not images" --ignore=tests/asterisk

# DIALWARDEN_NO_TOOLS=1 leaves out what other projects' programs judge (promtool, systemd, logrotate), and says so.
covered:
	@.ci/venv.sh dev
	@.ci/tools.sh
	@echo "== tests without Asterisk, with coverage"
	@$(BIN)/python -m pytest -q -n auto --ignore=tests/asterisk --cov --cov-report=term \
		-m "not images$${DIALWARDEN_NO_TOOLS:+ and not tools}"

# DIALWARDEN_NO_ASTERISK=1 leaves these out, and says so; pytest then ends with 5, nothing collected.
asterisk:
	@.ci/venv.sh dev
	@echo "== tests on a real Asterisk 22 and 16; the first time Debian roots with them are made (root needed)"
	@$(BIN)/python -m pytest -v --timeout=600 tests/asterisk \
		|| { code=$$?; [[ $$code -eq 5 && -n "$${DIALWARDEN_NO_ASTERISK:-}" ]] || exit $$code; }

# DIALWARDEN_NO_IMAGES=1 leaves these out, as does a machine where they cannot be built; both are said.
images:
	@.ci/venv.sh dev
	@[[ -n "$${DIALWARDEN_NO_IMAGES:-}" ]] || .ci/tools.sh buildah=buildah debootstrap=debootstrap || true
	@echo "== images of docker/ built and run; the first time a Debian root as their base is made (root needed)"
	@$(BIN)/python -m pytest -v -m images tests/docker

manual: ## write the pages that come from the code: docs/configuration.md, docs/options.md, docs/man
	@.ci/venv.sh dev
	@$(BIN)/python -m dialwarden.manual docs

dist: ## the source archive and the wheel, in dist/
	@.ci/venv.sh dev
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation --outdir dist .

lock: ## resolve the dependencies anew and write the lock files
	@.ci/lock.sh

clean: ## remove what was made here, except var/ (the ledger)
	@rm -rf .venv .venv-lock build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find agi tests -type d \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
	@echo "removed .venv, caches and builds; var/ with the ledger is left"
