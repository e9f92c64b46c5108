# Everything runs in .venv, which is made when it is missing or when pyproject.toml changes.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
WORKERS ?= 2

.PHONY: demo test slow check format bench soak zoo accuracy estimators docs clean

demo: $(VENV)/.installed
	$(BIN)/footfall demo

test: $(VENV)/.test
	$(BIN)/pytest -n $(WORKERS) -m "not slow"

slow: $(VENV)/.test
	$(BIN)/pytest -n $(WORKERS) -m "slow and not alone"
	$(BIN)/pytest -m "slow and alone"

check: $(VENV)/.check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/cog --check -r README.md docs/cli.md docs/data.md docs/files.md docs/tables.md docs/storefront.md docs/probes.md
	$(BIN)/python -m simulator.cli.schemas --check

format: $(VENV)/.check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.check
	$(BIN)/cog -r README.md docs/cli.md docs/data.md docs/files.md docs/tables.md docs/storefront.md docs/probes.md
	$(BIN)/python -m simulator.cli.schemas

bench: $(VENV)/.test
	$(BIN)/python tests/bench

soak: $(VENV)/.test
	$(BIN)/python tests/bench/soak.py

# Every hazard of the embedded shop, one live run each: three quarters of an hour; `make docs` then draws the table.
zoo: $(VENV)/.test
	$(BIN)/python tests/zoo/measure.py --write

# Hours, as root, on a quiet machine; stop it and start it again as you like. REPEATS=1 gives a first look.
REPEATS ?= 5
accuracy: $(VENV)/.accuracy
	$(BIN)/python tests/accuracy/measure.py --quiet --repeats $(REPEATS)
	$(if $(LIGHTHOUSE),$(BIN)/python tests/accuracy/lighthouse.py $(LIGHTHOUSE))
	$(BIN)/python tests/accuracy/evaluate.py --fit --write

# How good the estimators are, on simulated truth: some minutes on two cores.
estimators: $(VENV)/.installed
	$(BIN)/footfall speed estimators --markdown docs/estimators.md

clean:
	rm -rf $(VENV) build dist

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group test
	touch $@

$(VENV)/.accuracy: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group accuracy
	touch $@

$(VENV)/.check: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group check
	touch $@
