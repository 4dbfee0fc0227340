# Everything here runs on a machine with git, make and Python 3.11 or newer (with venv).
.DEFAULT_GOAL := help
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

DEMO := examples/hospital
PYTEST_ARGS ?=
UPGRADE ?=
BENCHMARKS := $(sort $(wildcard benchmarks/*.py))

# The demo delivers nowhere but into its own folder, whatever settings the calling shell exports.
WITHOUT_SETTINGS = env $$(env | sed -n -e 's/^\(MEDDOJO_[A-Za-z0-9_]*\)=.*/-u \1/p' \
	-e 's/^\(DEFECTDOJO_[A-Za-z0-9_]*\)=.*/-u \1/p')
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

.PHONY: help demo test lint format bench lock clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(CORE) ## one run over examples/hospital, without network: summary, report.html, findings.json
	@rm -f $(DEMO)/report/report.html; start=$$(date +%s); code=0; \
	$(WITHOUT_SETTINGS) $(BIN)/meddojo run --config $(DEMO)/meddojo.toml || code=$$?; \
	echo; echo "run: $$(( $$(date +%s) - start )) s"; \
	case $$code in 0|1|3) ;; *) echo "the demo failed with exit code $$code" >&2; exit $$code ;; esac; \
	test -s $(DEMO)/report/report.html || { echo "$(DEMO)/report/report.html was not written" >&2; exit 1; }; \
	case $$code in \
	  1) echo "exit code 1: the gate of $(DEMO)/meddojo.toml tripped, as it would in a scheduled job" ;; \
	  3) echo "exit code 3: a source or a device was skipped; the summary above says which" ;; \
	esac; \
	echo "open $(DEMO)/report/report.html in a browser"

test: $(DEV) ## all quick tests; the others: make test PYTEST_ARGS="-m slow"
	@start=$$(date +%s); \
	$(BIN)/python -m pytest -rs --durations=10 --durations-min=1 $(PYTEST_ARGS); \
	echo "test: $$(( $$(date +%s) - start )) s"

lint: $(DEV) ## style, types, directions of imports, the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint docker/Dockerfile

format: $(DEV) ## rewrite the sources in the one style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(DEV) ## every benchmarks/*.py
	@for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(BIN)/python "$$benchmark"; done
	@test -n "$(BENCHMARKS)" || echo "no benchmarks yet"

lock: $(DEV) ## requirements/*.txt anew from setup.cfg; newer versions: make lock UPGRADE=--upgrade
	$(COMPILE) pyproject.toml requirements/build.in -o requirements/core.txt
	$(COMPILE) pyproject.toml --extra dev --extra imaging --extra postgres --extra train -c requirements/core.txt \
	  -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra imaging -c requirements/core.txt -o requirements/imaging.txt

clean: ## what building, testing and the demo left behind
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .meddojo
	rm -rf $(DEMO)/.meddojo $(DEMO)/report $(DEMO)/*.db $(DEMO)/*.db-wal $(DEMO)/*.db-shm $(DEMO)/*.db.lock
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## clean, and the environment too
	rm -rf $(VENV)

# The environment is made once; a change of the locked versions or of the metadata brings it up to date.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "MedDojo needs Python 3.11 or newer; $(PYTHON) says: $$($(PYTHON) --version 2>&1 | head -n 1)" >&2; \
	  echo "name another one: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) has no working venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(CORE): requirements/core.txt setup.cfg pyproject.toml | $(BIN)/pip
	@start=$$(date +%s); \
	$(PIP) install --require-hashes -r requirements/core.txt; \
	$(PIP) install --no-deps --no-build-isolation --no-index -e .; \
	touch $@; \
	echo "setup (core): $$(( $$(date +%s) - start )) s, $$(du -sm $(VENV) | cut -f1) MB in $(VENV)"

$(DEV): requirements/dev.txt $(CORE)
	@start=$$(date +%s); \
	$(PIP) install --require-hashes -r requirements/dev.txt; \
	touch $@; \
	echo "setup (dev): $$(( $$(date +%s) - start )) s, $$(du -sm $(VENV) | cut -f1) MB in $(VENV)"
