# A fresh machine needs Python 3.11 (or 3.12 to 3.14) and make. Each target sets up what it needs, and is quick when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The first of these that is a Python callflow runs on; looked for only when .venv is made.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What is installed is locked, with hashes, for Python 3.11 to 3.14 on Linux, macOS and Windows: `make lock` makes it anew from
# the ranges of pyproject.toml. Stamps: which of it was installed, and from which lock.
LOCK := requirements
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

# Calls mostly wait, but each has a server, a worker and processes of its own: three at once are late on two cores.
E2E_AT_ONCE ?= 2
PYTEST := $(BIN)/python -m pytest --durations=10

.PHONY: help
help:
	@echo "make demo    two calls, offline: what goes wrong, and the same calls as flows"
	@echo "make test    unit, property and guarantee tests, and a few calls on a real server"
	@echo "make more    ten times as many of its random calls and flow files, and each of LiveKit's names that may be gone"
	@echo "make e2e     every scenario on a real livekit-server"
	@echo "make soak    a million random calls in worlds that break, until one goes wrong"
	@echo "make fuzz    flow files from strangers, 100,000 of them"
	@echo "make mutants each small fault that an author can make in a shipped flow, and how many of them callflow check finds"
	@echo "make sound   100,000 random calls of 400 flows against what is proved of each: what cannot be never is"
	@echo "make bench   callflow beside other state machines, as ratios"
	@echo "make coverage  which branches of the core its own tests take"
	@echo "make mutation  small changes of the code that its tests do not notice; one file: FILES=callflow/core/clocks.py"
	@echo "make lint types fresh"
	@echo "make site    the documentation as pages to look at, its links checked"
	@echo "make release-check  the sdist and the wheel, and the wheel in an empty environment"
	@echo "make lock    the versions that all of this installs, anew; make newest lowest: the unit tests with other ones"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "callflow needs Python 3.11, 3.12, 3.13 or 3.14, and found none: install one, or say make $(MAKECMDGOALS) PYTHON=/path/to/python"; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# First what builds, so that nothing is built with what no lock names.
define install
@$(PIP) --require-hashes --requirement $(LOCK)/build.txt
@$(PIP) --require-hashes --no-build-isolation --use-pep517 --requirement $(LOCK)/$(1).txt
@$(PIP) --no-deps --no-build-isolation --use-pep517 --editable .
endef

$(RUNTIME): pyproject.toml $(LOCK)/build.txt $(LOCK)/runtime.txt | $(BIN)/python
	@echo "installing callflow and what it needs (once) ..."
	$(call install,runtime)
	@touch $@

$(DEV): pyproject.toml $(LOCK)/build.txt $(LOCK)/dev.txt | $(BIN)/python
	@echo "installing callflow, its tests and tools (once) ..."
	$(call install,dev)
	@touch $@ $(RUNTIME)

# What one target needs beside: from a lock of its own, into the same environment.
$(VENV)/.%: $(LOCK)/%.txt $(DEV)
	@$(PIP) --require-hashes --requirement $<
	@touch $@

.PHONY: setup
setup: $(DEV)

.PHONY: demo
demo: $(RUNTIME)
	@$(BIN)/callflow demo

# The server is built (or found in the cache) while the other tests run. Those start some hundred processes: what each of them
# imports is compiled once, also where the environment says that nothing is; as for `make e2e`, where each job has one.
.PHONY: test
test e2e: export PYTHONDONTWRITEBYTECODE :=
test: $(DEV)
	@$(BIN)/python -m tests.e2e.servers > $(VENV)/servers.log 2>&1 & \
	$(PYTEST) --ignore=tests/e2e -n auto --maxprocesses 4 --dist worksteal; unit=$$?; wait; \
	$(PYTEST) tests/e2e -m smoke -n 1; smoke=$$?; \
	exit $$((unit | smoke))

# Which branches of the core its own tests take: what they miss is named, and 95 % are held.
.PHONY: coverage
coverage: $(DEV)
	@$(PYTEST) tests/core -n auto --maxprocesses 4 --cov=callflow.core --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=95

# Small changes of core, runtime and verify, each under the tests of its part: those that no test notices, but for the ones that
# tests/mutation/survivors.yaml gives a reason for. Hours for all of them; what did not change is not tried again (.mutation/).
.PHONY: mutation
mutation: $(VENV)/.mutation
	@$(BIN)/python -m tests.mutation $(FILES) $(if $(JOBS),--jobs $(JOBS))

# The random calls and flow files of `make test` once more, ten times as many.
.PHONY: more
more: export CALLFLOW_FAULTS ?= 3000
more: export CALLFLOW_ROOMS ?= 1
more: export CALLFLOW_PLAY ?= 200
more: export CALLFLOW_FUZZ ?= 3000
more: export CALLFLOW_SOUND ?= 60
more: export CALLFLOW_MOVED ?= 1
more: $(DEV)
	@$(PYTEST) tests/faults tests/flowfile/test_fuzz.py tests/proof/test_sound.py tests/scenario/test_in_rooms.py tests/play/test_random.py \
	  tests/livekit_bindings/test_livekit_internals.py \
	  -n auto --maxprocesses 4 --dist worksteal

# Of the shipped scenario files those whose calls take no longer than 30 s; CALLFLOW_LONGEST=600 make e2e for more of them.
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
GENERATORS := schema reference diagrams failures skill
GENERATED := callflow/flowfile/flow.schema.json callflow/scenario/scenario.schema.json docs/reference docs/explanation/failures.md docs/llms.txt docs/skill diagrams

.PHONY: generate $(GENERATORS)
generate: $(GENERATORS)

schema: $(DEV)
	@$(BIN)/callflow schema > callflow/flowfile/flow.schema.json
	@$(BIN)/callflow schema scenario > callflow/scenario/scenario.schema.json

reference: $(DEV)
	@$(BIN)/python docs/reference/generate.py

failures: $(DEV)
	@$(BIN)/python docs/explanation/generate_failures.py

skill: $(DEV)
	@$(BIN)/python docs/skill/generate.py

diagrams: $(DEV)
	@$(BIN)/python -m callflow.diagram flows/*.yaml -o diagrams

# The lock, from the newest versions that the ranges allow. Its tool is locked, too.
UV := .venv-uv/bin/uv
COMPILE := $(UV) pip compile --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
  --no-emit-index-url --annotation-style line --custom-compile-command "make lock"

$(UV): $(LOCK)/lock.txt
	@test -n "$(PYTHON)" && $(PYTHON) -m venv .venv-uv
	@.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.PHONY: lock
lock: $(UV)
	@$(COMPILE) --group build --output-file $(LOCK)/build.txt
	@$(COMPILE) pyproject.toml --extra dev --constraint $(LOCK)/build.txt --output-file $(LOCK)/dev.txt
	@$(COMPILE) pyproject.toml --extra diagrams --constraint $(LOCK)/dev.txt --output-file $(LOCK)/runtime.txt
	@$(COMPILE) --group bench --constraint $(LOCK)/dev.txt --output-file $(LOCK)/bench.txt
	@$(COMPILE) --group docs --constraint $(LOCK)/dev.txt --output-file $(LOCK)/docs.txt
	@$(COMPILE) --group release --constraint $(LOCK)/dev.txt --constraint $(LOCK)/docs.txt --output-file $(LOCK)/release.txt
	@$(COMPILE) --group mutation --constraint $(LOCK)/dev.txt --constraint $(LOCK)/docs.txt --constraint $(LOCK)/release.txt \
	  --output-file $(LOCK)/mutation.txt
	@$(COMPILE) --group lock --output-file $(LOCK)/lock.txt

# Everything that `make demo`, `test` and `e2e` install, for a machine without a network:
# PIP_NO_INDEX=1 PIP_FIND_LINKS=$PWD/.wheels make test
.PHONY: wheels
wheels: $(BIN)/python
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --dest .wheels --require-hashes --requirement $(LOCK)/build.txt
	@$(PIP) --require-hashes --requirement $(LOCK)/build.txt
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --dest .wheels --require-hashes --no-build-isolation \
	  --requirement $(LOCK)/dev.txt

# The unit tests with other versions than the lock's: the newest that the ranges allow, and the lowest of what callflow names.
.PHONY: newest lowest
newest lowest:
	@$(PYTHON) .ci/versions.py $@

# Fails when a committed file is not what the code makes of it now.
.PHONY: fresh
fresh: $(DEV) generate
	@stale=$$(git status --porcelain -- $(or $(GENERATED),/dev/null) 2>/dev/null); \
	if [ -n "$$stale" ]; then echo "not what the code makes of them: run 'make generate' and commit"; echo "$$stale"; git --no-pager diff --stat -- $(GENERATED); exit 1; fi; \
	echo "generated files are fresh"

# The pages of the documentation as a site, in .site/. A link that leads nowhere, or a page that cannot be reached, is an error.
.PHONY: site
site: $(VENV)/.docs
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs/site . .site
	@echo "look at .site/index.html"

# What is released, as whoever installs it gets it: built, looked at, and used in an environment and a folder with nothing else.
.PHONY: release-check
release-check: $(VENV)/.release
	@$(BIN)/python .ci/release.py

# Beside its peers; XState where Node is at hand.
.PHONY: bench
bench: $(VENV)/.bench
	@! command -v npm >/dev/null || npm ci --silent --prefix benchmarks/xstate || echo "XState cannot be had"
	$(BIN)/python -m benchmarks

# Random calls of random flows in worlds that break, until one goes wrong: CALLS=10000 SEED=7 for fewer of them, or the same again.
.PHONY: soak
soak: $(DEV)
	@$(BIN)/python -m tests.faults --calls $(or $(CALLS),1000000) $(if $(SEED),--seed $(SEED))

# Flow files from strangers, each read as `callflow check` reads it, within 1 s and 200 MB: FILES=1000 SEED=7.
.PHONY: fuzz
fuzz: $(DEV)
	@$(BIN)/python -m tests.flowfile.fuzz --files $(or $(FILES),100000) $(if $(SEED),--seed $(SEED))

# The shipped flows with one small fault each, and how many are found, by kind: FLOWS="outbound voicemail" JOBS=4 for some, and more at once.
.PHONY: mutants
mutants: $(DEV)
	@$(BIN)/python -m tests.proof.mutants $(FLOWS) $(if $(JOBS),--jobs $(JOBS))

# Random calls of shipped, documented, correct, faulty and random flows, held against what is proved: CALLS=1000 FLOWS="shipped: random:7".
.PHONY: sound
sound: $(DEV)
	@$(BIN)/python -m tests.proof.sound $(FLOWS) $(if $(CALLS),--calls $(CALLS)) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))
