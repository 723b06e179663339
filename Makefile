# make up     install into .venv, then run the whole chain on this machine in demo/
# make test   install the development tools as well, then run the tests
# make test-quick   the tests for while one edits: those that start no twin, browser, JVM or training (a minute)
# make test-peers   install Ray and PySpark as well, and run the tests of AWS's Ray Serve and Spark images under them (needs
#             Java 17; two minutes)
# make test-emulator  install ministack as well, and run the chain across it and our twin (a minute)
# make emulator  print which calls of the chain an emulator of AWS's has, and which it refuses (a minute):
#             make emulator SENTICTL_EMULATOR_URL=http://127.0.0.1:4566
# make sweep  run `up`, `down`, a move and a rollout once for each of their calls to AWS and each fault that can meet it there,
#             in calm and in rough weather (two hours)
# make mutation  put small faults into the code, one at a time, and count those that a test notices (an hour)
# make soak   a thousand rounds of three projects at once, with kills, faults, full disks and clocks that jump (hours);
#             ROUNDS=9 MINUTES=2 for fewer, SEED=7 for others
# make load   print how the API on the twin answers 1, 16, 64 and 256 clients at once (a minute); REQUESTS=100000 for so
#             many at half the rate that it can answer, while the model is changed (half an hour)
# make bench  compare with others on this machine, and write docs/benchmarks.md (half an hour); SOURCE=PATH for other reviews
# make check  format, lint, types, and the direction of imports
# make docs   build the site of the docs into site/
# make down   take away what `make up` made
#
# make lock   look up what is installed anew: requirements/*.txt; UPGRADE=NAME takes the newest of a package, UPGRADE=all of all
# make audit  ask PyPI whether there are known vulnerabilities in what `make up` installs
#
# All is installed from requirements/*.txt: these versions, and only files with these hashes, from whichever index.
# On Linux without an NVIDIA card torch is taken from its own index, which has one without CUDA (several GB less), and
# from yours where that cannot be reached. `make up TORCH_INDEX=` takes yours anyway; another address, what is there,
# in the same version, but whatever its hash.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
INSTALL := $(PIP) --no-deps --require-hashes --requirement requirements
MINISTACK := $(VENV)/ministack
CPU_TORCH := https://download.pytorch.org/whl/cpu
TORCH_INDEX ?= $(shell test `uname` != Linux || nvidia-smi --list-gpus >/dev/null 2>&1 || echo $(CPU_TORCH))
FROM_THERE := --index-url $(TORCH_INDEX) --retries 1 --timeout 15
ifeq ($(TORCH_INDEX),)
INSTALL_TORCH := $(INSTALL)/torch.txt
else ifeq ($(TORCH_INDEX),$(CPU_TORCH))
INSTALL_TORCH := $(INSTALL)/torch-cpu.txt $(FROM_THERE) \
	|| { echo "No torch from $(TORCH_INDEX) (see above): your package index has it with CUDA." >&2; $(INSTALL)/torch.txt; }
else
TORCH := $(shell sed -n 's/^\(torch==[0-9.]*\).*/\1/p' requirements/torch.txt)
INSTALL_TORCH := $(PIP) --no-deps $(FROM_THERE) $(TORCH) && $(PIP) $(TORCH)
endif
LOCKS := $(wildcard requirements/*.txt)

# Modules are compiled once, and not for each of the hundreds of programs that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up down test test-quick test-peers test-emulator emulator sweep mutation soak load examples bench check docs lock \
	audit clean

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
test-peers: $(VENV)/installed-dev
	$(INSTALL)/peers.txt
	TESTS_PEERS=1 $(BIN)/pytest tests/conformance/test_ray_serve.py tests/reviews/spark tests/golden/test_spark.py \
		tests/chain/test_retraining.py

test-emulator: $(VENV)/installed-dev $(MINISTACK)/installed
	TESTS_MINISTACK=$(MINISTACK)/bin/ministack $(BIN)/pytest tests/emulators

emulator: $(VENV)/installed-dev
	SENTICTL_EMULATOR_URL=$(SENTICTL_EMULATOR_URL) $(BIN)/python -m tests.emulators

sweep: $(VENV)/installed-dev
	$(BIN)/python -m tests.sweep --weather calm
	$(BIN)/python -m tests.sweep --weather rough

mutation: $(VENV)/installed-dev
	$(BIN)/python -m tests.mutation

soak: ROUNDS ?= 334
soak: MINUTES ?= 1440
soak: SEED ?= 1
soak: $(VENV)/installed-dev
	$(BIN)/python -m tests.soak --rounds $(ROUNDS) --minutes $(MINUTES) --seed $(SEED)

load: $(VENV)/installed-dev
	$(BIN)/python -m tests.load $(if $(REQUESTS),--requests $(REQUESTS))

examples: $(VENV)/installed-dev
	$(BIN)/python benchmarks/examples.py

bench: $(VENV)/installed-dev
	$(INSTALL)/bench.txt
	$(BIN)/python benchmarks/document.py $(SOURCE)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/installed-dev
	$(BIN)/mkdocs build --strict

lock: $(VENV)/installed-dev
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python requirements/lock.py $(UPGRADE:%=--upgrade %)

audit: $(VENV)/installed-dev
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements/torch.txt --requirement requirements/run.txt

clean:
	rm -rf $(VENV) dist demo site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# An environment of its own: ministack asks for another botocore.
$(MINISTACK)/installed: tests/emulators/requirements.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(MINISTACK)
	$(MINISTACK)/bin/pip install --quiet --disable-pip-version-check --requirement tests/emulators/requirements.txt
	touch $@

# What sentictl needs, without it.
$(VENV)/locked: $(LOCKS) | $(VENV)/bin/python
	$(INSTALL_TORCH)
	$(INSTALL)/run.txt
	touch $@

$(VENV)/installed: pyproject.toml $(VENV)/locked
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL)/release.txt --requirement requirements/dev.txt
	touch $@
