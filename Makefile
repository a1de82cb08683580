# Short names for long commands. `make` alone lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTHON := $(BIN)/python
# What a run needs, and on top of it what a developer needs. Each is installed again only when its lock has changed.
RUNTIME := .venv/.installed-runtime
DEVELOPMENT := .venv/.installed-development
TESTSERVER := tools/testserver/lib/.complete

TYPED := domain net storage providers activities workflows temporal api sandbox cli babychain_client examples worker.py settings.py telemetry.py \
	tests bench
QUICK_TESTS := tests/unit tests/client tests/contract tests/workflow tests/sandbox
LOCK := uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--extra sandbox --extra postgres pyproject.toml

.PHONY: help demo dev test check check-static bench figures faults fmt testserver setup-env lock openapi fuzz coverage-doc

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name says; do \
		printf '  %-14s %s\n' "$$name" "$$says"; done

demo: $(RUNTIME) ## From nothing: run text → picture → video to its end and check the files (KEEP=1 leaves all running)
	@$(PYTHON) -m cli demo

dev: $(RUNTIME) ## Keep all parts running, with reload; prints the addresses and the key
	@$(PYTHON) -m cli dev

test: $(DEVELOPMENT) ## From nothing: all tests
	@tools/run-tests

check: check-static ## Format, lint, types, layers, and the quick tests
	$(PYTHON) -m pytest -q -n 2 --dist loadfile $(QUICK_TESTS)

check-static: $(DEVELOPMENT) ## What can be said without running anything
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports

bench: $(DEVELOPMENT) ## Measure what a run costs, as tables
	@$(PYTHON) -m bench

figures: $(DEVELOPMENT) ## Break everything at every provider and count how runs end, as tables (half an hour)
	@$(PYTHON) -m bench.figures

faults: $(DEVELOPMENT) ## The tests that kill, delay and lie
	@tools/run-tests -k "kills or faults"

fmt: $(DEVELOPMENT) ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

testserver: $(TESTSERVER) ## Fetch Temporal's time-skipping test server (needs Java and Maven)

setup-env: $(DEVELOPMENT) ## Make .venv with everything a developer needs

lock: ## Resolve both locks anew (needs uv)
	$(LOCK) -o requirements.lock
	$(LOCK) --group dev -o requirements-dev.lock

openapi: $(DEVELOPMENT) ## Write docs/openapi.json, which a service also serves
	$(PYTHON) -m tools.openapi

fuzz: $(DEVELOPMENT) ## Ask the service 20,000 times what its OpenAPI document allows and forbids
	$(PYTHON) -m tests.support.fuzz 20000

coverage-doc: $(DEVELOPMENT) ## Write docs/coverage.md from docs/coverage.toml
	$(PYTHON) -m tools.coverage_doc

$(RUNTIME): requirements.lock tools/setup-env
	@tools/setup-env requirements.lock
	@touch $@

$(DEVELOPMENT): requirements-dev.lock tools/setup-env
	@tools/setup-env requirements-dev.lock --editable
	@touch $@

$(TESTSERVER): tools/testserver/pom.xml
	cd tools/testserver && mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib
	@touch $@
