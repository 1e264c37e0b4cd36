# Every target sets up what it needs, so that a fresh clone needs only Python 3.11+, pip and make.
VENV   ?= .venv
BIN    := $(VENV)/bin
# Once the environment is there, its own; another Python that is asked for makes the environment anew.
PYTHON ?= $(shell test -x $(BIN)/python && echo $(BIN)/python || echo python3)
EXTRAS ?=
WORKDIR ?= runs/lstm
OUTPUT ?= runs/$@
ARGS   ?=
JOBS   ?= 2
# Large pages for large blocks of memory: see CPU in BUILD.md.
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1

.PHONY: install compiler train test test-all lint docs benchmark stress tables reproduce tour clean

# The tested set of exact versions: this Python's own, or the current one.
VERSION_OF  := -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
VERSION     := $(shell $(PYTHON) $(VERSION_OF))
CONSTRAINTS := $(or $(wildcard constraints/python$(VERSION).txt),constraints/current.txt)

# What is installed is remembered in stamps, by the Python and the extras; a changed pyproject.toml or
# constraints file, or another EXTRAS, installs again.
comma  := ,
chosen := $(if $(EXTRAS),$(comma)$(EXTRAS))
STAMP  := $(VERSION)$(subst $(comma),-,$(chosen)).stamp
RUN    := $(VENV)/run-$(STAMP)
DEV    := $(VENV)/dev-$(STAMP)
DOCS   := $(VENV)/docs-$(STAMP)
COMPILER := .venv-compiler/$(VERSION).stamp
define install
test "$$($(BIN)/python $(VERSION_OF))" = "$(VERSION)" || $(PYTHON) -m venv --clear $(VENV)
$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[$(1)$(chosen)]'
touch $@
endef

$(RUN): pyproject.toml $(CONSTRAINTS)
	$(call install,plots$(comma)baselines$(comma)translation$(comma)weights)

$(DEV): pyproject.toml $(CONSTRAINTS)
	$(call install,dev$(comma)plots$(comma)baselines$(comma)translation$(comma)weights$(comma)tensorboard)

$(COMPILER): $(CONSTRAINTS) | $(RUN)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --no-deps --constraint $(CONSTRAINTS) --target $(@D) libtpu
	touch $@

$(DOCS): pyproject.toml $(CONSTRAINTS)
	$(call install,docs$(comma)plots$(comma)baselines$(comma)translation$(comma)weights)

# What the scripts need, and nothing more.
install: $(RUN)

# Google's compiler for TPUs, in a folder of its own: beside JAX, JAX would look for a TPU at every start.
# Then: PYTHONPATH=.venv-compiler .venv/bin/python -m experiments.compile_for
compiler: $(COMPILER)

# Train the reference LSTM; the same command again goes on where it stopped, or reports the finished run.
train: $(RUN)
	$(BIN)/python -m experiments.imdb_sentiment --workdir $(WORKDIR) $(ARGS)

# The tests that every change runs; test-all runs those that take long, too.
test: $(DEV)
	$(BIN)/python -m pytest -n $(JOBS) -m 'not slow' $(ARGS)

test-all: $(DEV)
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Run the rows of the results table that are missing; then: make tables.
reproduce: $(RUN)
	$(BIN)/python -m experiments.reproduce $(ARGS)

# Every application, one after the other, and a page of their figures and pictures: runs/tour/index.html.
tour: $(RUN)
	$(BIN)/python -m experiments.tour --output $(OUTPUT) $(ARGS)

# What unrolling costs; with EXTRAS=peers ARGS="--peers flax,torch,keras", beside other libraries.
benchmark: $(RUN)
	$(BIN)/python -m experiments.benchmark_unroll --output $(OUTPUT) $(ARGS)

# Kill and damage a training run hundreds of times, and compare what it ends with: about ten minutes.
stress: $(RUN)
	$(BIN)/python -m experiments.stress --output $(OUTPUT) $(ARGS)

# The documentation site, in docs/_build/html; a warning is an error.
docs: $(DOCS)
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html $(ARGS)

tables: $(RUN)
	$(BIN)/python -m experiments.make_tables $(ARGS)

clean:
	rm -rf $(VENV) .venv-other build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
