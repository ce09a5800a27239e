PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One thread a process, a process a core: torch's own threads would fight over the cores.
# The order of files is that of tests/conftest.py.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: run test quick docs lint fmt typecheck reference experiment statistics tables report browser latex clean

# A fresh machine's first command: its own environment, the default model, one method, the table.
run: $(READY)
	$(BIN)/membench doctor --fetch smollm2-135m
	$(BIN)/membench run --method selfparam --task sequential
	$(BIN)/membench leaderboard

# All but the tests keeps one core busy each, so two go at once, the longest first.
test: $(READY)
	$(MAKE) --jobs=2 --output-sync typecheck docs latex lint
	$(PYTEST) -m "not scale"

# Many workers: tests with a cluster of Ray's and with jobs of submitit's, then times and what is lost (docs/scaling.md).
scale: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m scale tests/crew
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/scale.py

# The fast tests that play no run: what to repeat while writing, in half a minute.
quick: $(READY)
	$(PYTEST) -m quick

# The documentation as a site in build/site; a broken link ends it.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# Twice: in the repository, and in the installed tree, where plug-ins are part of the package.
typecheck: $(READY)
	$(BIN)/mypy
	rm -rf build/lib build/tree
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --target build/tree .
	cd build/tree && ../../$(BIN)/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache -p membench
	rm -rf build/lib build/tree

fmt: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The project's own reference run; it resumes where it was stopped.
reference: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" bash benchmarks/reference.sh

# The experiment of docs/experiment.md, about thirty-six core hours without real data; it resumes too. Then its tables and figure.
experiment: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" bash benchmarks/experiment.sh
	$(BIN)/python benchmarks/experiment_tables.py
	$(BIN)/python benchmarks/tables.py

# The simulated tables of docs/statistics.md: error rates, power, coverage; 25 minutes of one core.
statistics: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/statistics_page.py

# The README's tables, and the seconds that `run --dry-run` knows, from the stored reference run.
tables: $(READY)
	$(BIN)/python benchmarks/measured.py
	$(BIN)/python benchmarks/tables.py

# The page of the stored reference run, and the README's picture of it where there is a Chromium.
report: $(READY) browser
	mkdir -p build
	$(BIN)/membench report results/reference --output build/report.html
	$(BIN)/python benchmarks/report_picture.py build/report.html docs/report.png

# What opens the page in tests: Debian's Chromium, where this may install it. Without one those tests are skipped.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "no chromium here: the tests that open the report page in it are skipped"

# What compiles tables in tests: Debian's texlive, likewise; one after the other, as apt-get runs once at a time.
latex: browser
	@command -v pdflatex >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends texlive-latex-recommended >/dev/null; } \
	  || echo "no pdflatex here: the tests that compile tables are skipped"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[all,dev]'
	touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache
