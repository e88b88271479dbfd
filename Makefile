# Everything here works on a fresh clone with Python 3.11 or newer and nothing else installed.
# The first run sets things up; the stamp files (.ready) make the next ones quick.

PYTHON ?= python3
STAGE ?= dev
BIN := .venv/bin
# node comes from a wheel in the virtual environment
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
PIP := -m pip --quiet --disable-pip-version-check --no-input install
PYTEST := $(WITH_NODE) $(BIN)/python -m pytest
CDK := $(WITH_NODE) infra/node/node_modules/.bin/cdk
READY := .venv/.ready .venv-emulator/.ready infra/node/node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-system test-dynamodb-local check bench synth deploy clean

help: ## show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## install everything: .venv (with the command winback), the emulator, the CDK CLI

demo: $(READY) ## run the whole system here and play reviews into it (REVIEWS= LIMIT= OUT= FAULTS= RATE= STORY=all KEEP=1)
	@$(WITH_NODE) $(BIN)/winback demo \
		$(if $(REVIEWS),--reviews "$(REVIEWS)") $(if $(LIMIT),--limit "$(LIMIT)") $(if $(OUT),--out "$(OUT)") \
		$(if $(FAULTS),--faults "$(FAULTS)") $(if $(RATE),--rate "$(RATE)") $(if $(STORY),--story "$(STORY)") $(if $(KEEP),--keep)

test: .venv/.ready infra/node/node_modules/.ready ## all tests that need no running system
	@$(PYTEST) -q -n auto -m "not system"

test-system: $(READY) ## deploy onto the emulator and test the running system (minutes)
	@$(PYTEST) -q -m system -o faulthandler_timeout=1800 tests/system  # the storm lives through 300 cases twice

test-dynamodb-local: .venv/.ready infra/node/node_modules/.ready ## the store's tests on AWS's DynamoDB Local (Java 17)
	@$(WITH_NODE) $(BIN)/python -m infra.local.dynamodb_local $(BIN)/python -m pytest -q tests/store

check: .venv/.ready ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY) ## import times, AWS calls, speed and a burst on the running system, as JSON lines
	@$(WITH_NODE) $(BIN)/python -m tests.bench

synth: $(READY) ## the CloudFormation template of a stage (STAGE=dev)
	@$(CDK) synth --quiet -c stage=$(STAGE)

deploy: $(READY) ## deploy a stage to the AWS account of your credentials (STAGE=dev)
	@$(CDK) deploy --all -c stage=$(STAGE)

clean: ## remove everything that the targets above made
	rm -rf .venv .venv-emulator infra/node/node_modules cdk.out .winback *.egg-info

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@echo "Setting up .venv (a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# Apart, and minimal: the functions see every package of the emulator's interpreter.
.venv-emulator/.ready: requirements/emulator.txt | .venv/.ready
	@echo "Setting up the emulator"
	@$(PYTHON) -m venv .venv-emulator
	@.venv-emulator/bin/python $(PIP) --require-hashes -r requirements/emulator.txt
	@touch $@

infra/node/node_modules/.ready: infra/node/package-lock.json | .venv/.ready
	@echo "Setting up the CDK CLI"
	@cd infra/node && $(WITH_NODE) npm ci --silent --no-audit --no-fund
	@touch $@
