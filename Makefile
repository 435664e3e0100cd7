# Every target sets up what it needs: .venv, then the locked packages. Works with GNU make 3.81.
#
#   make demo     the sample book through the whole chain, then a summary
#   make ui       the Dagster UI on the same data
#   make test     all tests
#   make quick    those that take no more than a few seconds each
#   make coverage all tests, and which lines none of them reaches; fails below the share in pyproject.toml
#   make chaos    faults at random moments of many runs (CHAOS_RUNS=3 for a quick go; not part of the tests)
#   make bench    the figures of benchmarks/
#   make beyond   two Celery workers and two Ray nodes on this machine give what one process gives (needs redis-server)
#   make lint     style, types and the import order of the rooms
#   make lock     remakes requirements/*.lock (needs uv)
#   make clean    removes .venv and caches; data in .margin stays
#
# PYTHON=/path/to/python3.12 chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin
SET_UP := PYTHON="$(PYTHON)" sh requirements/set_up.sh
LOCKED := requirements/mlx.lock requirements/simm.lock requirements/set_up.sh pyproject.toml
PURE_ROOMS := $(wildcard $(addprefix margin_pipeline/,compute parameters market margin risk regulation decisions))

.PHONY: demo ui test quick coverage chaos bench beyond lint lock clean FORCE

demo: $(VENV)/.base
	@$(BIN)/margin-pipeline run

ui: $(VENV)/.base
	@$(BIN)/margin-pipeline ui

test: $(VENV)/.dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

quick: $(VENV)/.dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not slow and not chaos'

coverage: $(VENV)/.dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov

chaos: $(VENV)/.dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m chaos -v -rP margin_pipeline_tests/chaos

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

beyond: $(VENV)/.celery $(VENV)/.ray
	$(BIN)/python -m deploy.two_workers

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy $(PURE_ROOMS)

# A stamp is written after success only, and holds the folder it was made in: a half-made environment, a moved
# checkout or an interpreter that is gone is noticed here and made again.
ifneq ($(shell cat $(VENV)/.made 2>/dev/null && $(BIN)/python -c '' 2>/dev/null && echo works),$(CURDIR) works)
$(VENV)/.made: FORCE
endif

$(VENV)/.made:
	@$(SET_UP) environment

$(VENV)/.base: $(VENV)/.made requirements/base.lock $(LOCKED)
	@$(SET_UP) base
	@touch $@

# dev.lock holds everything of base.lock, so that one installation serves both.
$(VENV)/.dev: $(VENV)/.made requirements/base.lock requirements/dev.lock $(LOCKED)
	@$(SET_UP) dev
	@touch $(VENV)/.base $@

# What spreads work over machines is installed where somebody asks for it.
$(VENV)/.celery $(VENV)/.ray: $(VENV)/.%: $(VENV)/.base requirements/%.lock
	@$(SET_UP) $*
	@touch $@

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate
lock:
	$(COMPILE) pyproject.toml requirements/build.in -o requirements/base.lock
	$(COMPILE) pyproject.toml requirements/build.in --extra dev -c requirements/base.lock -o requirements/dev.lock
	$(COMPILE) requirements/mlx.in -o requirements/mlx.lock
	$(COMPILE) requirements/simm.in -o requirements/simm.lock
	$(COMPILE) requirements/celery.in -c requirements/base.lock -o requirements/celery.lock
	$(COMPILE) requirements/ray.in -c requirements/base.lock -o requirements/ray.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
