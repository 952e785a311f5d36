# The two commands of the README are `make demo` and `make test`; the others are parts of them.
# A stamp holds the environment together: it is rebuilt when a lock file changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# In a few processes, each with servers of its own; `-n 0` runs them in one.
TEST := $(BIN)/python -m pytest -n auto --dist worksteal
DEMO_DIR ?= .demo

.PHONY: install demo test check format bench soak comfyui clients docs lock down

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Fireside needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed requirements-test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-test.txt
	@touch $@

demo: install
	$(BIN)/fireside demo --data-dir $(DEMO_DIR)

down:
	$(BIN)/fireside down --data-dir $(DEMO_DIR)

# Python keeps what it has compiled, whatever the environment says: hundreds of processes run the same code.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.tested
	scripts/system-parts
	$(TEST)
	@echo "Once more with PostgreSQL in the place of SQLite: the tests that have a store."
	$(TEST) -m database --database=postgres

check: $(VENV)/.tested
	$(BIN)/ruff format --check src tests bench soak scripts
	$(BIN)/ruff check src tests bench soak scripts
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/codespell src tests bench soak scripts docs README.md CHANGELOG.md Makefile

format: $(VENV)/.tested
	$(BIN)/ruff format src tests bench soak scripts
	$(BIN)/ruff check --fix src tests bench soak scripts

bench: $(VENV)/.tested
	$(BIN)/python -m bench

# Long runs under faults and load; forty minutes. With a real ComfyUI, which `make comfyui` makes.
soak: $(VENV)/.tested
	$(BIN)/python -m soak

# Makes a real ComfyUI (CPU, tiny models) that the tests use when it is there; .ci/run does this first.
comfyui:
	scripts/comfyui/install

# Installs clients that others made, and the official editor's files, for the tests; .ci/run does this first.
clients:
	scripts/clients/install

# Prints into the documents what the code knows better.
docs: install
	$(BIN)/python -m scripts.docs

# Needs uv. The files hold hashes and no addresses.
lock:
	uv pip compile pyproject.toml --extra editor --generate-hashes --universal --python-version 3.11 --no-header -o requirements.txt
	uv pip compile pyproject.toml --group test -c requirements.txt --generate-hashes --universal --python-version 3.11 --no-header -o requirements-test.txt
