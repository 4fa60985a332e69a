VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
ROOMS := search space workers dashboards

.PHONY: run test lint bench clean

run: $(VENV)/installed
	$(BIN)/search run --budget 10000 --target 0.994

test: lint
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/python benchmarks/counting.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python -m benchmarks.scaling
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.training

clean:
	rm -rf $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@
