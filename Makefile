# A fresh machine needs Python 3.11 (or 3.12, 3.13) and make. Each target sets up what it needs, and is quick when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The first of these that is a Python callflow runs on; looked for only when .venv is made.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Stamps: what was installed, and from which pyproject.toml.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

# More tests at once than cores pays off where calls mostly wait, as they do against a real server.
E2E_AT_ONCE ?= 3
PYTEST := $(BIN)/python -m pytest --durations=10

.PHONY: help
help:
	@echo "make demo    two calls, offline: what goes wrong, and the same calls as flows"
	@echo "make test    unit, property and guarantee tests, and a few calls on a real server"
	@echo "make e2e     every scenario on a real livekit-server"
	@echo "make soak    a million random calls in worlds that break, until one goes wrong"
	@echo "make fuzz    flow files from strangers, 100,000 of them"
	@echo "make lint types fresh bench"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "callflow needs Python 3.11, 3.12 or 3.13, and found none: install one, or say make $(MAKECMDGOALS) PYTHON=/path/to/python"; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUNTIME): pyproject.toml | $(BIN)/python
	@echo "installing callflow and what it needs (once) ..."
	@$(PIP) --editable '.[diagrams]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "installing callflow, its tests and tools (once) ..."
	@$(PIP) --editable '.[dev]'
	@touch $@ $(RUNTIME)

.PHONY: setup
setup: $(DEV)

.PHONY: demo
demo: $(RUNTIME)
	@$(BIN)/callflow demo

# The server is built (or found in the cache) while the other tests run.
.PHONY: test
test: $(DEV)
	@$(BIN)/python -m tests.e2e.servers > $(VENV)/servers.log 2>&1 & \
	$(PYTEST) --ignore=tests/e2e -n auto --maxprocesses 4; unit=$$?; wait; \
	$(PYTEST) tests/e2e -m smoke -n 1; smoke=$$?; \
	exit $$((unit | smoke))

.PHONY: e2e
e2e: servers
	@$(BIN)/python -m tests.e2e --at-once $(E2E_AT_ONCE)

.PHONY: servers
servers: $(DEV)
	@$(BIN)/python -m tests.e2e.servers

.PHONY: lint
lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(DEV)
	$(BIN)/mypy

# Files that are made from the code. To add one: a target that writes it here, and its path in GENERATED.
GENERATORS := schema reference diagrams failures
GENERATED := callflow/flowfile/flow.schema.json docs/reference docs/explanation/failures.md diagrams

.PHONY: generate $(GENERATORS)
generate: $(GENERATORS)

schema: $(DEV)
	@$(BIN)/callflow schema > callflow/flowfile/flow.schema.json

reference: $(DEV)
	@$(BIN)/python docs/reference/generate.py

failures: $(DEV)
	@$(BIN)/python docs/explanation/generate_failures.py

diagrams: $(DEV)
	@$(BIN)/python -m callflow.diagram flows/*.yaml -o diagrams

# Fails when a committed file is not what the code makes of it now.
.PHONY: fresh
fresh: $(DEV) generate
	@stale=$$(git status --porcelain -- $(or $(GENERATED),/dev/null) 2>/dev/null); \
	if [ -n "$$stale" ]; then echo "not what the code makes of them: run 'make generate' and commit"; echo "$$stale"; git --no-pager diff --stat -- $(GENERATED); exit 1; fi; \
	echo "generated files are fresh"

.PHONY: bench
bench: $(DEV)
	$(BIN)/python -m benchmarks

# Random calls of random flows in worlds that break, until one goes wrong: CALLS=10000 SEED=7 for fewer of them, or the same again.
.PHONY: soak
soak: $(DEV)
	@$(BIN)/python -m tests.faults --calls $(or $(CALLS),1000000) $(if $(SEED),--seed $(SEED))

# Flow files from strangers, each read as `callflow check` reads it, within 1 s and 200 MB: FILES=1000 SEED=7.
.PHONY: fuzz
fuzz: $(DEV)
	@$(BIN)/python -m tests.flowfile.fuzz --files $(or $(FILES),100000) $(if $(SEED),--seed $(SEED))
