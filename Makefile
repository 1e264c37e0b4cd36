# Every target sets up what it needs, so that a fresh clone needs only Python 3.11+, pip and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
EXTRAS ?=
WORKDIR ?= runs/lstm
OUTPUT ?= runs/$@
ARGS   ?=
JOBS   ?= 2
# Large pages for large blocks of memory: see CPU in BUILD.md.
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1

.PHONY: train test lint benchmark stress tables reproduce clean

# What is installed is remembered in stamps, by its extras; a changed pyproject.toml or constraints file, or
# another EXTRAS, installs again.
comma  := ,
chosen := $(if $(EXTRAS),$(comma)$(EXTRAS))
RUN    := $(VENV)/run$(subst $(comma),-,$(chosen)).stamp
DEV    := $(VENV)/dev$(subst $(comma),-,$(chosen)).stamp
INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable

$(RUN): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) '.[plots,baselines$(chosen)]'
	touch $@

$(DEV): $(RUN)
	$(INSTALL) '.[dev,plots,baselines$(chosen)]'
	touch $@

# Train the reference LSTM; the same command again goes on where it stopped, or reports the finished run.
train: $(RUN)
	$(BIN)/python -m experiments.imdb_sentiment --workdir $(WORKDIR) $(ARGS)

test: $(DEV)
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Run the rows of the results table that are missing; then: make tables.
reproduce: $(RUN)
	$(BIN)/python -m experiments.reproduce $(ARGS)

# What unrolling costs; with EXTRAS=peers ARGS="--peers flax,torch,keras", beside other libraries.
benchmark: $(RUN)
	$(BIN)/python -m experiments.benchmark_unroll --output $(OUTPUT) $(ARGS)

# Kill and damage a training run hundreds of times, and compare what it ends with: about ten minutes.
stress: $(RUN)
	$(BIN)/python -m experiments.stress --output $(OUTPUT) $(ARGS)

tables: $(RUN)
	$(BIN)/python -m experiments.make_tables $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
