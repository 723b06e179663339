# make up     install into .venv, then run the whole chain on this machine in demo/
# make test   install the development tools as well, then run the tests
# make test-quick   the tests for while one edits: those that start no twin, browser, JVM or training (a minute)
# make test-ray  install Ray as well, and run the tests of AWS's Ray Serve image under it (a minute)
# make sweep  run `up`, `down`, a move and a rollout once for each of their calls to AWS and each fault that can meet it there,
#             in calm and in rough weather (two hours)
# make load   print how the API on the twin answers 1, 16, 64 and 256 clients at once (a minute)
# make bench  compare with others on this machine, and write docs/benchmarks.md (half an hour); SOURCE=PATH for other reviews
# make check  format, lint, types, and the direction of imports
# make docs   build the site of the docs into site/
# make down   take away what `make up` made
#
# On Linux without an NVIDIA card torch is taken from its own index, which has one without CUDA (several GB less), and
# from yours where that cannot be reached. `make up TORCH_INDEX=` takes yours anyway; another address, what is there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
CPU_TORCH := https://download.pytorch.org/whl/cpu
TORCH_INDEX ?= $(shell test `uname` != Linux || nvidia-smi --list-gpus >/dev/null 2>&1 || echo $(CPU_TORCH))
INSTALL_TORCH = $(if $(TORCH_INDEX),$(INSTALL) --no-deps --index-url $(TORCH_INDEX) --retries 1 --timeout 15 torch \
	|| echo "No torch from $(TORCH_INDEX) (see above): your package index has it with CUDA." >&2)

# Modules are compiled once, and not for each of the hundreds of programs that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up down test test-quick test-ray sweep load examples bench check docs clean

up: $(VENV)/installed
	mkdir -p demo
	cd demo && ../$(BIN)/sentictl up

down: $(VENV)/installed
	cd demo && ../$(BIN)/sentictl down --yes

test: $(VENV)/installed-dev
	$(BIN)/pytest --numprocesses auto

test-quick: $(VENV)/installed-dev
	$(BIN)/pytest --numprocesses auto --quick

# Alone, and not beside other tests: Ray gives up starting on a machine that is busy.
test-ray: $(VENV)/installed-dev
	$(INSTALL) --editable '.[local,train,notebook,dev,ray]'
	TESTS_RAY=1 $(BIN)/pytest tests/conformance/test_ray_serve.py

sweep: $(VENV)/installed-dev
	$(BIN)/python -m tests.sweep --weather calm
	$(BIN)/python -m tests.sweep --weather rough

load: $(VENV)/installed-dev
	$(BIN)/python -m tests.load

examples: $(VENV)/installed-dev
	$(BIN)/python benchmarks/examples.py

bench: $(VENV)/installed-dev
	$(INSTALL) --editable '.[local,train,notebook,bench,dev]'
	$(BIN)/python benchmarks/document.py $(SOURCE)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/installed-dev
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) dist demo site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL_TORCH)
	$(INSTALL) --editable '.[local,train]'
	touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL_TORCH)
	$(INSTALL) --editable '.[local,train,notebook,dev]'
	touch $@ $(VENV)/installed
