# Everything a newcomer needs: `make demo` to look at it, `make test` to check it.

VERSION = 'import sys; print("%d.%d" % sys.version_info[:2])'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	case "$$($$p -c $(VERSION) 2>/dev/null)" in (3.11|3.12|3.13) echo $$p; exit;; esac; done; echo python3)
BIN := .venv/bin
REQUIREMENTS := requirements.txt requirements-dev.txt

unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help

.venv/.installed: $(REQUIREMENTS)
	@found=$$($(PYTHON) -c $(VERSION) 2>/dev/null || echo none); case $$found in 3.11|3.12|3.13) ;; *) \
	echo "make: Hindsight needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$found; point at another: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12" >&2; exit 1;; esac
	@echo "Making .venv and installing the pinned requirements: about a minute"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode $(REQUIREMENTS:%=-r %)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.PHONY: demo
demo: .venv/.installed  ## Start everything on this machine and show what it finds; ONCE=1 stops after the summary
	@$(BIN)/python -m demo.launch $(if $(ONCE),--once)

# two processes test at a time: threads of their own would only wait for each other, and burn time while they do
test test-heavy: export OMP_NUM_THREADS := 1
test test-heavy: export OPENBLAS_NUM_THREADS := 1

.PHONY: test
test: .venv/.installed  ## Check style, types and behaviour
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --dist worksteal
	$(BIN)/python -m pytest -q -m alone tests/faults

.PHONY: test-heavy
test-heavy: .venv/.installed  ## Check properties with ten times as many examples, and what else takes too long for every day
	HINDSIGHT_EXAMPLES=thorough $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "heavy or hypothesis"

.PHONY: faults
faults: export OMP_NUM_THREADS := 1
faults: export OPENBLAS_NUM_THREADS := 1
faults: .venv/.installed  ## Kill, and fail, every operation of a window, a night, a retraining and a rollback: ten minutes; EVERY=5 a fifth
	@$(BIN)/python -m tests.faults $(EVERY)

.venv-nannyml/.installed: benchmarks/nannyml.txt | .venv/.installed
	@echo "Making .venv-nannyml, where NannyML lives apart from our requirements: 1.1 GB"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-nannyml
	@$(BIN)/uv pip install --quiet --python .venv-nannyml/bin/python --no-deps --requirement $<
	@touch $@

.PHONY: bench
bench: .venv/.installed  ## Time windows of up to 10 M rows beside Evidently and NannyML: a quarter of an hour, 12 GB of disk
	@$(MAKE) --no-print-directory .venv-nannyml/.installed || echo "make: NannyML could not be installed and is left out" >&2
	$(BIN)/python -m benchmarks.speed

.PHONY: bench-pushdown
bench-pushdown: .venv/.installed  ## Time windows counted in DuckDB and PostgreSQL beside those that are read: a quarter of an hour, 6 GB of disk
	$(BIN)/python -m benchmarks.pushdown

.PHONY: bench-alarms
bench-alarms: .venv/.installed  ## Measure false alarms and power beside Evidently and NannyML: half an hour
	$(BIN)/python -m benchmarks.alarms

.PHONY: bench-labels
bench-labels: .venv/.installed .venv-nannyml/.installed  ## Measure what late labels cost and what is said before they come: six minutes
	$(BIN)/python -m benchmarks.nights
	$(BIN)/python -m benchmarks.late_labels
	$(if $(HINDSIGHT_CASES),$(BIN)/python -m benchmarks.estimates,@echo "HINDSIGHT_CASES names no folder: the comparison with NannyML is left out")

.PHONY: bench-history
bench-history: .venv/.installed  ## Measure what looking costs with years of windows, folded and not: half an hour
	$(BIN)/python -m benchmarks.history

.PHONY: bench-judging
bench-judging: .venv/.installed  ## Count what judging 300 rules over 21 groups costs; BESIDE=another checkout for ratios: five minutes
	$(BIN)/python -m benchmarks.judging $(if $(BESIDE),--beside $(BESIDE))

.PHONY: bench-seasons
bench-seasons: .venv/.installed  ## Measure false alarms on real logs with seasons, and which planted faults are found: 45 minutes
	$(BIN)/python -m benchmarks.seasons

.PHONY: bench-fleet
bench-fleet: .venv/.installed  ## Measure what 500 monitors cost; PART=parsing one part, BESIDE=another checkout beside: half an hour
	HINDSIGHT_BESIDE="$(BESIDE)" $(BIN)/python -m benchmarks.fleet $(PART)

.venv-readers/.installed: benchmarks/readers.txt | .venv/.installed
	@echo "Making .venv-readers, where other readers of Parquet live apart from our requirements: 1.5 GB"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-readers
	@$(BIN)/uv pip install --quiet --python .venv-readers/bin/python --requirement $<
	@touch $@

.PHONY: readers
readers: .venv/.installed .venv-readers/.installed  ## Read the snapshots with pandas, Polars, DuckDB, ClickHouse and Spark as docs/readers.md says
	@folder=$$(mktemp -d) && $(BIN)/python -m benchmarks.readers_store $$folder/data \
	&& .venv-readers/bin/python benchmarks/readers.py $$folder/data; code=$$?; rm -rf $$folder; exit $$code

.PHONY: cases
cases: .venv/.installed  ## Compare every number with the known answers of the cases in HINDSIGHT_CASES
	$(BIN)/python -m benchmarks.cases

.PHONY: stores
stores: .venv/.installed  ## Race four writers on every store whose client and emulator are installed, and say who won
	$(BIN)/python -m benchmarks.stores

.PHONY: wheel
wheel: .venv/.installed  ## Build the wheel, use it in an Airflow of somebody else, and read monitors from a Git bundle: a minute
	$(BIN)/python -m pytest -q -m heavy tests/wheel

.PHONY: surroundings
surroundings: .venv/.installed  ## Mail through real Postfix, Exim and OpenSMTPD, tell a real Alertmanager, be scraped by a real Prometheus, kill a task under two schedulers: Debian, as root; eight minutes
	@$(BIN)/python -m tests.surroundings .surroundings
	@HINDSIGHT_SURROUNDINGS="$(CURDIR)/.surroundings" PATH="$(CURDIR)/.surroundings/bin:$$PATH" \
	$(BIN)/python -m pytest -q tests/surroundings tests/pipeline/act/test_alertmanager.py

.fleet/.installed: tests/fleet/requirements.txt | .venv/.installed
	@$(BIN)/python -m tests.fleet .fleet
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --target .fleet/packages --requirement $<
	@touch $@

.PHONY: fleet
fleet: .fleet/.installed  ## Celery with Redis, two workers, two schedulers, PostgreSQL; kill -9 of each and of the relay: Debian, ten minutes
	HINDSIGHT_FLEET="$(CURDIR)/.fleet" $(BIN)/python -m pytest -q tests/fleet

.venv-engines/.installed: tests/engines/requirements.txt | .venv/.installed
	@echo "Making .venv-engines, where drivers live that do not go with our requirements: 2 GB"
	@command -v mariadbd >/dev/null && command -v mariadb_config >/dev/null || apt-get install -y -q mariadb-server libmariadb-dev pkg-config gcc
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-engines
	@$(BIN)/uv pip install --quiet --python .venv-engines/bin/python --requirement $<
	@touch $@

.PHONY: engines
engines: .venv/.installed .venv-engines/.installed  ## Read a log on MariaDB, Spark (Java 17) and a stand-in of Snowflake, by hooks too, and compile what the rest is asked: Debian, as root
	PYTHONPATH=include:. .venv-engines/bin/python -m pytest -q tests/engines tests/warehouse/test_statements.py \
	tests/warehouse/test_mariadb.py tests/warehouse/test_dialects.py tests/warehouse/test_examination.py

.PHONY: lock
lock: .venv/.installed  ## Resolve requirements.in and requirements-dev.in anew, for every supported Python
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate tests/engines/requirements.in -o tests/engines/requirements.txt

.PHONY: clean
clean:  ## Remove what make has made, the demo's data included
	rm -rf .venv .venv-nannyml .venv-readers .venv-engines .surroundings .fleet data include/hindsight.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:  ## Show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)
