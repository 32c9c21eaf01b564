# make run     installs what it needs and starts the camera; ARGS="…" passes options on
# make test    installs what it needs and runs the tests
# make check   ruff and mypy
.PHONY: run test check clean
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

run: .venv/.run
	@$(BIN)/python -m vcam run $(ARGS)

test: .venv/.dev
	$(BIN)/python -m pytest $(ARGS)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/.run: pyproject.toml scripts/bootstrap
	@PYTHON=$(PYTHON) scripts/bootstrap .
	@touch $@

.venv/.dev: pyproject.toml scripts/bootstrap
	@PYTHON=$(PYTHON) scripts/bootstrap .[dev]
	@touch $@ .venv/.run

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache
