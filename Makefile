# Every target does its own set-up; nothing but git, make and Python >= 3.11 is expected.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
KILLS ?= 200
FUZZ_SECONDS ?= 600
TEST_WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help install smoke test check bench drill ui clean

help:
	@echo "make install   build $(VENV) with everything, versions pinned by constraints.txt"
	@echo "make smoke     the smoke subset end to end through Dagster; ends in a table of models"
	@echo "make test      format, lint, types, import contracts, tests with coverage; TEST_WORKERS=2"
	@echo "make bench     the performance budgets, about a quarter of an hour; BENCH=--quick: a minute"
	@echo "make drill     kill -9, a soak of the live hub, full disks, fuzzing, about fifty minutes; KILLS=200 FUZZ_SECONDS=600"
	@echo "make ui        Dagster's UI on http://127.0.0.1:3000 over the same data directory"
	@echo "make clean     remove $(VENV) and caches (data/warehouse stays)"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cis490: Python >= 3.11 is needed, " + sys.executable + " is " + sys.version.split()[0] + "; try: make PYTHON=python3.11")'
	@echo "== install: $(VENV) (about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,live,dev]"
	@$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt aeon pandas
	@touch $(STAMP)

smoke: $(STAMP)
	@$(BIN)/cis490 smoke

ui: $(STAMP)
	@$(BIN)/cis490 ui

bench: $(STAMP)
	@$(BIN)/python -m cis490_pipeline_tests.benchmarks $(BENCH)

drill: $(STAMP)
	@echo "== kill -9 in every phase of ingest and compaction ($(KILLS) kills)"
	@$(BIN)/python -m cis490_pipeline_tests.drills.kills --kills $(KILLS)
	@echo "== kill -9 of steps, run workers, daemon, webserver and all at once, in ingest and training"
	@$(BIN)/python -m cis490_pipeline_tests.drills.processes
	@echo "== the page of 26 configurations with 5 seeds each"
	@$(BIN)/python -m cis490_pipeline_tests.drills.large_page
	@echo "== 500 uploads at once, random aborts, kill -9 of the receiver"
	@$(BIN)/python -m cis490_pipeline_tests.drills.receiver
	@echo "== 200 listeners, 1,000 events a second (10 minutes)"
	@$(BIN)/python -m cis490_pipeline_tests.drills.live
	@echo "== full disks"
	@$(BIN)/python -m pytest -q --no-cov cis490_pipeline_tests/drills/test_full_disk.py
	@echo "== fuzzing of the readers ($(FUZZ_SECONDS) s)"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[fuzz]"
	@corpus=$$(mktemp -d) && $(BIN)/python -m cis490_pipeline_tests.drills.fuzz_readers \
		$$corpus/corpus -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1; \
		status=$$?; test $$status = 0 && rm -rf $$corpus || echo "what was found: $$corpus"; exit $$status

test: check
	@echo "== tests"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --cov --cov-report=term:skip-covered

check: $(STAMP)
	@echo "== format and lint"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@echo "== types"
	@$(BIN)/basedpyright
	@echo "== import contracts"
	@$(BIN)/lint-imports
	@echo "== definitions"
	@home=$$(mktemp -d) && cp dagster.yaml $$home && DAGSTER_HOME=$$home $(BIN)/dg check defs; \
		status=$$?; rm -rf $$home; exit $$status

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .coverage* htmlcov
