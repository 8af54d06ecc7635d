.PHONY: install format check test all
PYTHON ?= python3

install:
	$(PYTHON) -m pip install -e '.[dev]'

format:
	ruff format .
	ruff check --fix .

check:
	ruff format --check .
	ruff check .
	mypy
	lint-imports

test:
	$(PYTHON) -m pytest

all: check test
