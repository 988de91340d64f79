# AIStack operator. `make` lists what there is; everything else installs what it needs by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

.PHONY: help setup demo demo-down test test-unit test-integration test-e2e test-matrix faults conformance example lint generate images bench bench-scale clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(BIN)/.ready ## Make the virtual environment with everything that development needs

$(BIN)/.ready: pyproject.toml uv.lock
	@echo "== Python environment: about 1 min the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install uv==$(UV_VERSION)
	@$(BIN)/uv sync --quiet --locked --compile-bytecode
	@touch $@

demo: setup ## Bring up a local Kubernetes with the starter stack and show that it works
	@$(BIN)/python -m tests.demo up

demo-down: setup ## Remove what demo brought up; caches stay
	@$(BIN)/python -m tests.demo down

test: setup ## Run everything: lint, generated files, unit, contracts, integration, e2e on kind
	@$(BIN)/python -m tests.all

test-unit: setup ## Tests that need nothing but Python
	@$(BIN)/python -m pytest tests/unit

test-integration: setup ## Tests against a real API server
	@$(BIN)/python -m tests.all integration

test-e2e: setup ## Tests on real kind nodes with real images
	@$(BIN)/python -m tests.all e2e

test-matrix: setup ## The integration tests on each tested Kubernetes
	@$(BIN)/python -m tests.matrix

conformance: setup ## Try components on the kind cluster, those that changed or NAMES="mlflow ...", and write their reports
	@$(BIN)/python -m tests.conformance $(NAMES)

example: setup ## Follow docs/component-authors.md on the kind cluster: install a component at run time, prove and use it; about 10 min
	@$(BIN)/python -m pytest --no-skips tests/e2e/test_component_authors.py

faults: setup ## Every fault at every call of the operator: hours; FAULTS="--part 1/30" for a part, FAULTS=--help
	@$(BIN)/python -m tests.faults $(FAULTS)

lint: setup ## ruff, mypy, import-linter, catalog check
	@$(BIN)/python -m tests.all lint

generate: setup ## Write all generated files: CRDs, chart, locks, pages, golden renders
	@$(BIN)/python -m tests.generate

images: setup ## Build all container images
	@$(BIN)/aistack images build

bench: setup ## Print speed and size, and compare the engine with kubectl, Helm and Flux: about 15 min
	@$(BIN)/python -m tests.bench

bench-scale: setup ## Let stacks of 100 objects grow to 1,000, and watch them at rest for MINUTES (30)
	@$(BIN)/python -m tests.bench scale --minutes $(or $(MINUTES),30)

clean: ## Remove build results of this checkout; caches stay
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
