# Every target sets up what it needs, so that a fresh clone needs only Python 3.11+, pip and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
EXTRAS ?=
WORKDIR ?= runs/lstm
ARGS   ?=
JOBS   ?= 2

.PHONY: train test lint tables reproduce clean

# The stamps name what is installed; a changed pyproject.toml or constraints file installs again.
$(VENV)/run.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[plots$(if $(EXTRAS),$(comma)$(EXTRAS))]'
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,plots$(if $(EXTRAS),$(comma)$(EXTRAS))]'
	touch $@

comma := ,

# Train the reference LSTM; the same command again goes on where it stopped, or reports the finished run.
train: $(VENV)/run.stamp
	$(BIN)/python -m experiments.imdb_sentiment --workdir $(WORKDIR) $(ARGS)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Run the rows of the results table that are missing, then make the tables.
reproduce: $(VENV)/run.stamp
	$(BIN)/python -m experiments.reproduce $(ARGS)

tables: $(VENV)/run.stamp
	$(BIN)/python -m experiments.make_tables $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
