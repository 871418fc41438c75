# Needs only git, make and a Python. PYTHON picks the interpreter (make test PYTHON=python3.13),
# ARGS is handed on to the program a target runs (make demo ARGS='--seed 7').

PYTHON ?= python3
ARGS ?=

# One environment for each interpreter, all relative paths: make cannot handle targets with a space in them.
TAG := $(or $(shell "$(PYTHON)" -c 'import sys; print("%s-%d.%d.%d%s" % ((sys.implementation.name,) + sys.version_info[:3] + (sys.abiflags,)))' 2>/dev/null),none)
VENV := .venv/$(TAG)
PY := $(VENV)/bin/python

# Environments hold absolute paths: one that was moved or copied along with its checkout is made anew.
MADE := $(VENV)/.made-$(shell pwd -P | cksum | cut -d ' ' -f 1)

# What JupyterLite runs on; of its package for Node any patch of that version.
PYODIDE := pyodide@314.0
WHEELS := $(VENV)/pyodide/wheels

.PHONY: help demo demos figures notebook notebooks generate test test-deep test-pyodide coverage lint bench mutate clean
.NOTPARALLEL: # all targets share the environment
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.base ## train XOR and draw what was learned
	@$(PY) demos/xor.py $(ARGS)

demos: $(VENV)/.test ## run the demos one after the other, but gpt.py
	@set -e; for demo in $(filter-out demos/common.py demos/figures.py demos/gpt.py,$(wildcard demos/*.py)); do \
		echo "--- $$demo"; $(PY) $$demo; echo; done

figures: $(VENV)/.plot ## draw the pictures of the READMEs
	@$(PY) demos/figures.py

notebook: $(VENV)/.notebook ## open the notebooks in JupyterLab
	@$(PY) -m jupyter trust demos/*.ipynb >/dev/null # or JupyterLab hides the pictures that are stored in them
	@$(PY) -m jupyterlab demos/tour.ipynb $(ARGS)

notebooks: $(VENV)/.dev ## run the notebooks from scratch, and store what they show
	@$(PY) tests/notebooks/execute.py

generate: $(MADE) ## write the modules and the table that are made of the calculus table
	@$(PY) microgrid/rules

test: $(VENV)/.test ## run the tests that need only pytest and Hypothesis
	@$(PY) -m pytest $(ARGS)

test-deep: $(VENV)/.test ## run them with 50 times as many random examples, and 50,000 random programs
	@MICROGRID_PROFILE=thorough $(PY) -m pytest $(ARGS)
	@$(PY) -m tests.compiler.fuzz --count 50000

test-pyodide: $(VENV)/pyodide/.$(PYODIDE) $(WHEELS)/.made ## install a wheel in Pyodide, and run examples and checks there (needs Node)
	@node tests/pyodide/run.mjs $(VENV)/pyodide $(ARGS)

coverage: $(VENV)/.dev ## run every test, and require full branch coverage
	@$(PY) -m coverage run -m pytest -m '' $(ARGS)
	@$(PY) -m coverage report

lint: $(VENV)/.dev ## check style, format and types
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy --strict microgrid

bench: $(VENV)/.bench ## measure speed and memory beside other engines
	@$(PY) tests/benchmarks/run.py $(ARGS)

mutate: $(VENV)/.mutation ## plant faults in the rows and modules, and see that the tests find them
	@$(PY) tests/mutation/rows.py
	@$(PY) tests/mutation/modules.py $(ARGS)

clean: ## remove the environments, caches and build products
	@rm -rf .venv build dist *.egg-info .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name .git -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

$(VENV)/.base: EXTRA :=
$(VENV)/.test: EXTRA := [test]
$(VENV)/.plot: EXTRA := [plot]
$(VENV)/.dev: EXTRA := [dev]
$(VENV)/.notebook: EXTRA := [notebook]
$(VENV)/.bench: EXTRA := [bench]
$(VENV)/.mutation: EXTRA := [mutation]

$(VENV)/.base $(VENV)/.test $(VENV)/.plot $(VENV)/.dev $(VENV)/.notebook $(VENV)/.bench $(VENV)/.mutation: $(MADE) pyproject.toml
	@echo "Installing microgrid$(EXTRA) into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input --editable '.$(EXTRA)' || { \
		echo "pip could not install microgrid$(EXTRA): its reason stands above. It needs a package index, so is the network up?" >&2; \
		exit 1; }
	@touch $@

$(WHEELS)/.made: $(MADE) pyproject.toml README.md $(shell find microgrid -name "*.py")
	@rm -rf $(WHEELS)
	@$(PY) -m pip wheel --quiet --disable-pip-version-check --no-input --wheel-dir $(WHEELS) . pytest || { \
		echo "pip could not make the wheels: its reason stands above. It needs a package index, so is the network up?" >&2; \
		exit 1; }
	@touch $@

$(VENV)/pyodide/.$(PYODIDE): $(MADE)
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		echo "The tests in Pyodide need Node.js, and no node or no npm was found. Install Node.js 18 or newer: https://nodejs.org" >&2; \
		exit 1; }
	@echo "Installing $(PYODIDE) into $(VENV)/pyodide"
	@npm install --prefix $(VENV)/pyodide --no-save --no-package-lock --no-audit --no-fund --loglevel=error $(PYODIDE) >/dev/null || { \
		echo "npm could not install $(PYODIDE): its reason stands above. It needs the npm registry, so is the network up?" >&2; \
		exit 1; }
	@touch $@

# The stamp comes last, so that an environment left half-made is never taken for a whole one.
$(MADE):
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "No $(PYTHON) was found. Install Python 3.11 or newer, or name one: make ... PYTHON=/path/to/python" >&2; \
		exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("microgrid needs Python 3.11 or newer, and $(PYTHON) is Python %d.%d.%d. Name another: make ... PYTHON=python3.13" % sys.version_info[:3])'
	@echo "Making the environment $(VENV)"
	@rm -rf $(VENV)
	@if "$(PYTHON)" -c 'import venv; from ensurepip import version' 2>/dev/null; then \
		"$(PYTHON)" -m venv $(VENV); \
	elif virtualenv --version >/dev/null 2>&1; then \
		virtualenv --quiet --python "$$("$(PYTHON)" -c 'import sys; print(sys.executable)')" $(VENV); \
	else \
		echo "$(PYTHON) cannot make virtual environments: it comes without ensurepip. On Debian and Ubuntu: apt install python3-venv" >&2; \
		false; \
	fi || { rm -rf $(VENV); exit 1; }
	@touch $@
