# Two commands for a newcomer: `make demo` and `make test`. Each sets up `.venv` by itself.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo test lint types synth nightly lock clean

help:  ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml requirements/all.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "options-agent needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --require-hashes --disable-pip-version-check -r requirements/uv.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/all.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP)  ## Set up .venv from the hash-locked requirements

demo: setup  ## Trade a synthetic market end to end, with no account anywhere
	@$(BIN)/options-agent demo

synth: setup  ## Write the CloudFormation template to cdk.out, with no account anywhere
	@$(BIN)/python -m infra.app --without-layers

lock:  ## Resolve requirements/*.txt anew (no index address is ever written)
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra local --extra dev pyproject.toml -o requirements/all.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/uv.in -o requirements/uv.txt

clean:  ## Remove what was built; the environment stays
	rm -rf build cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
