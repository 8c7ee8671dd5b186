# Two commands for a newcomer: `make demo` and `make test`. Each sets up `.venv` by itself.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Pure rooms are held to their branches; what touches the world is held by contracts.
PURE := config options market book strategies risk learning
COVERAGE := $(PURE:%=--cov=agent.%) --cov-branch --cov-report=term:skip-covered --cov-fail-under=97
# Not compiled beforehand: most of the CDK is never imported, and takes longer than all the rest.
SELDOM := /aws_cdk/|/sympy/|/tests?/
# The template that demo and tests run, made once; changed sources make another.
SYNTHESIZE := from simulator.rehearsal.synthesis import begin_synthesis; begin_synthesis().result()
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo synth lint types test suites nightly lock clean

help:  ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml requirements/all.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "options-agent needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --require-hashes --disable-pip-version-check -r requirements/uv.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/all.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -W ignore -m compileall -qq -j 0 -x '$(SELDOM)' $(VENV)/lib || true
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c '$(SYNTHESIZE)'
	@touch $(STAMP)

setup: $(STAMP)  ## Set up .venv from the hash-locked requirements

demo: setup  ## Trade a synthetic market end to end, with no account anywhere
	@$(BIN)/options-agent demo

synth: setup  ## Write the CloudFormation template to cdk.out, with no account anywhere
	@$(BIN)/python -m infra.app --without-layers

lint: setup | build  ## Style, formatting, and the arrows between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/lint-imports --no-cache > build/imports.txt 2>&1 || { cat build/imports.txt; exit 1; }

types: setup  ## mypy, strict (the first run reads the CDK and takes a minute)
	@$(BIN)/mypy .

# The pure rooms are covered by their own tests alone: the tracer slows down whatever it watches.
QUICK := $(PURE:%=tests/unit/%/) tests/properties/
LONG := $(filter-out $(QUICK) tests/unit/ %/__pycache__/,$(wildcard tests/*/ tests/unit/*/))

# mypy takes one core for a minute and more: it works beside the suites, and either fails the whole.
test: setup lint  ## Everything that CI checks
	@$(MAKE) --no-print-directory -j2 types suites

suites: setup
	@$(BIN)/pytest -q -n auto $(COVERAGE) $(QUICK)
	@$(BIN)/pytest -q -n auto --dist worksteal $(LONG)

nightly: test  ## What takes longer than CI may: recorded chains, long storms, many examples
	@HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -q -n auto tests/properties
	@$(BIN)/pytest -q -n auto -m nightly tests
	@$(BIN)/options-agent storm --seeds 1:1000 --profile rough --processes 2
	@$(BIN)/options-agent storm --seeds 1:300 --profile hell --processes 2
	@$(BIN)/options-agent demo --data ../shared/data

lock:  ## Resolve requirements/*.txt anew (no index address is ever written)
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra local --extra dev pyproject.toml -o requirements/all.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/uv.in -o requirements/uv.txt
	@$(BIN)/python -m infra.dependencies lock

build:
	@mkdir -p build

clean:  ## Remove what was built; the environment stays
	rm -rf build cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
