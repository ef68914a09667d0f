# Everything here works in a fresh clone with nothing but python3 and make. Environments are made in .venvs, again
# whenever what they are made from changes; a pyvenv.cfg stands for its environment.

PYTHON ?= python3
TARGET ?= .venvs/pins
LOCK ?= $(if $(filter .venvs/pins,$(TARGET)),tests/requirements.txt)
OPTIONS ?=
JOBS ?= 2
ENVIRONMENTS ?= 500
CORPUS ?=
LEVELS ?= 0 1 2
SEED ?= $(shell date +%s)
ARGS ?=

PINS := .venvs/pins
TOOL := .venvs/tool
TEST := .venvs/test
LOCKERS := .venvs/lockers
READERS := .venvs/readers
BENCH := .venvs/bench
BENCH_TARGET := .venvs/bench-target
WHEELHOUSE := .venvs/wheelhouse
CORPUS_FOLDER := .venvs/corpus
BENCH_WHOLE := $(CORPUS_FOLDER)/pip--3.11

SOURCES := pyproject.toml $(shell find src -name __pycache__ -prune -o -print)
VENV := $(PYTHON) -I -m venv --clear
INSTALL := -I -m pip --disable-pip-version-check --no-input install -qq
HASHED := --require-hashes --no-deps --only-binary :all: --requirement
COMPILE = $(TEST)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --fork-strategy fewest \
	--no-build --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help scan test differential mutation bytecode selections interpreters lint format docs bench screenshots
.PHONY: corpus startup-files slice pyz pins clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

scan: $(TOOL)/bin/envcheck $(PINS)/pyvenv.cfg  ## scan TARGET= (the pins) against LOCK= (their requirements), OPTIONS=
	@$(TOOL)/bin/envcheck scan '$(TARGET)' $(if $(LOCK),--lock '$(LOCK)') $(OPTIONS)

test: interpreters slice $(LOCKERS)/pyvenv.cfg $(READERS)/pyvenv.cfg  ## run the tests on JOBS=2 processes; ARGS= goes to pytest
	$(TEST)/bin/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

differential: interpreters  ## hold the plan and the paths against every interpreter: ENVIRONMENTS=500 random ones of SEED=
	ENVCHECK_VERSIONS=all ENVCHECK_DIFFERENTIAL=$(ENVIRONMENTS) ENVCHECK_SEED=$(SEED) $(TEST)/bin/python -m pytest -n $(JOBS) --dist worksteal \
		tests/startup/test_differential.py tests/startup/test_contexts.py tests/environments $(ARGS)

mutation: interpreters  ## change each row of the version tables; ENVIRONMENTS= random ones for each change too
	ENVCHECK_MUTATION=$(if $(filter 500,$(ENVIRONMENTS)),60,$(ENVIRONMENTS)) $(TEST)/bin/python -m pytest -n $(JOBS) \
		--dist worksteal tests/startup/test_mutation.py $(ARGS)

bytecode: interpreters $(PINS)/pyvenv.cfg  ## prove honest bytecode of CORPUS= (the pins) by each interpreter, LEVELS="0 1 2"
	ENVCHECK_CORPUS='$(or $(CORPUS),$(firstword $(wildcard $(PINS)/lib/python3*/site-packages)))' ENVCHECK_CORPUS_LEVELS='$(LEVELS)' \
		$(TEST)/bin/python -m pytest -n $(JOBS) --dist worksteal -rP tests/installed/test_bytecode_corpus.py $(ARGS)

selections: $(TEST)/pyvenv.cfg $(LOCKERS)/pyvenv.cfg  ## hold what a lock selects against uv and Poetry, over some six hundred combinations
	ENVCHECK_SELECTIONS=1 $(TEST)/bin/python -m pytest -n $(JOBS) tests/locks/test_selection_equals_uv.py \
		tests/locks/test_selection_equals_poetry.py $(ARGS)

interpreters: $(TEST)/pyvenv.cfg  ## fetch CPython 3.13 to 3.15 into .interpreters, where apt can; else say why not
	@$(TEST)/bin/python tests/tools/debian_pythons.py --optional .interpreters

slice: $(TEST)/pyvenv.cfg
	@PYTHONPATH=tests $(TEST)/bin/python -m corpus.slice

lint: $(TEST)/pyvenv.cfg  ## ruff, mypy, the layers
	$(TEST)/bin/ruff check
	$(TEST)/bin/ruff format --check
	$(TEST)/bin/mypy
	$(TEST)/bin/lint-imports

format: $(TEST)/pyvenv.cfg  ## rewrite the sources as ruff formats them
	$(TEST)/bin/ruff check --fix
	$(TEST)/bin/ruff format

docs: $(TEST)/pyvenv.cfg  ## build the documentation strictly, into docs/_build
	$(TEST)/bin/python -m sphinx --builder html --fail-on-warning --keep-going --nitpicky --fresh-env --quiet docs docs/_build
	@echo "docs/_build/index.html"

corpus: $(WHEELHOUSE)/complete $(LOCKERS)/pyvenv.cfg interpreters startup-files  ## make environments of 380 packages by many tools; find them clean
	PYTHONPATH=tests $(TEST)/bin/python -m corpus.run $(CORPUS_FOLDER) $(ARGS)
	PYTHONPATH=tests $(TEST)/bin/python -m corpus.witnesses $(CORPUS_FOLDER)/witnesses

startup-files: $(WHEELHOUSE)/startup/complete  ## install 60 packages with startup files; find them silent, and each changed byte told
	PYTHONPATH=tests $(TEST)/bin/python -m corpus.startup $(CORPUS_FOLDER)

bench: $(TOOL)/bin/envcheck $(BENCH)/pyvenv.cfg $(BENCH_TARGET)/pyvenv.cfg $(BENCH_WHOLE)/made.json  ## time a scan beside its yardsticks; ARGS=
	$(PYTHON) -I tests/bench/bench.py --tool $(TOOL) --fetter $(BENCH)/bin/fetter --lock tests/corpus/roots.txt $(ARGS) \
		$(BENCH_WHOLE)/env $(BENCH_TARGET)
	$(PYTHON) -I tests/bench/anchored.py --tool $(TOOL) --lock tests/corpus/roots.txt --wheels $(WHEELHOUSE) $(BENCH_WHOLE)/env
	$(TOOL)/bin/python -I tests/bench/locks.py

pyz: $(PINS)/pyvenv.cfg  ## build dist/envcheck.pyz, one file to carry: the same bit for bit whoever builds it
	@$(PINS)/bin/python -I tests/tools/build_pyz.py $(PINS)/lib/python3*/site-packages dist/envcheck.pyz

screenshots: $(TEST)/pyvenv.cfg  ## draw docs/images from real scans, the page's in Chromium
	$(TEST)/bin/python docs/screenshots.py docs/images

pins: $(TEST)/pyvenv.cfg  ## pin the newest development dependencies, with hashes
	$(COMPILE) tests/requirements.in --output-file tests/requirements.txt
	$(COMPILE) tests/requirements-run.in --constraints tests/requirements.txt --output-file tests/requirements-run.txt
	$(COMPILE) tests/requirements-locks.in --output-file tests/requirements-locks.txt
	$(COMPILE) tests/requirements-readers.in --constraints tests/requirements.txt --output-file tests/requirements-readers.txt
	$(COMPILE) tests/bench/requirements.in --output-file tests/bench/requirements.txt
	$(COMPILE) tests/bench/target.in --output-file tests/bench/target.txt
	$(subst 3.10,3.11,$(COMPILE)) tests/corpus/roots.in --output-file tests/corpus/roots.txt
	$(subst 3.10,3.11,$(COMPILE)) tests/corpus/old-pip.in --output-file tests/corpus/old-pip.txt
	for name in startup startup-old startup-windows; do $(subst 3.10,3.11,$(COMPILE)) --no-deps tests/corpus/$$name.in \
		--output-file tests/corpus/$$name.txt || exit 1; done

clean:  ## remove everything made here
	rm -rf .venvs .interpreters dist docs/_build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests docs -name __pycache__ -prune -exec rm -rf {} +

# The development pins and nothing else: what `make scan` looks at, and where the build backend comes from.
$(PINS)/pyvenv.cfg: tests/requirements.txt
	$(VENV) $(PINS)
	$(PINS)/bin/python $(INSTALL) $(HASHED) tests/requirements.txt

# The tool as a user has it: its own environment, its pinned dependencies, no build backend, not editable.
$(TOOL)/pyvenv.cfg: tests/requirements-run.txt
	$(VENV) $(TOOL)
	$(TOOL)/bin/python $(INSTALL) $(HASHED) tests/requirements-run.txt

$(TOOL)/bin/envcheck: $(TOOL)/pyvenv.cfg $(PINS)/pyvenv.cfg $(SOURCES)
	rm -rf .venvs/dist
	$(PINS)/bin/python -I -m pip --disable-pip-version-check wheel -qq --no-deps --no-build-isolation --wheel-dir .venvs/dist .
	$(TOOL)/bin/python $(INSTALL) --no-deps --no-index --force-reinstall .venvs/dist/*.whl

# The pins and the sources as they are.
$(TEST)/pyvenv.cfg: tests/requirements.txt pyproject.toml
	$(VENV) $(TEST)
	$(TEST)/bin/python $(INSTALL) $(HASHED) tests/requirements.txt
	$(TEST)/bin/python $(INSTALL) --no-deps --no-index --no-build-isolation --editable .

# Poetry, PDM, Pipenv, pip-tools and a pip that has `pip lock`: they write the locks that tests read.
$(LOCKERS)/pyvenv.cfg: tests/requirements-locks.txt
	$(VENV) $(LOCKERS)
	$(LOCKERS)/bin/python $(INSTALL) $(HASHED) tests/requirements-locks.txt

# Programs that read what envcheck writes (SARIF, workflows, hooks), and those that recipes are for (tox, nox).
$(READERS)/pyvenv.cfg: tests/requirements-readers.txt
	$(VENV) $(READERS)
	$(READERS)/bin/python $(INSTALL) $(HASHED) tests/requirements-readers.txt

$(BENCH)/pyvenv.cfg: tests/bench/requirements.txt
	$(VENV) $(BENCH)
	$(BENCH)/bin/python $(INSTALL) $(HASHED) tests/bench/requirements.txt

$(BENCH_TARGET)/pyvenv.cfg: tests/bench/target.txt
	$(VENV) $(BENCH_TARGET)
	$(BENCH_TARGET)/bin/python $(INSTALL) $(HASHED) tests/bench/target.txt

# The wheels of the corpus for two interpreters, downloaded once: everything else is installed from here.
$(WHEELHOUSE)/complete: tests/corpus/roots.txt tests/corpus/old-pip.txt | $(TEST)/pyvenv.cfg
	for version in 3.11 3.13; do $(TEST)/bin/python -I -m pip --disable-pip-version-check --no-input download -qq \
		--python-version $$version --dest $(WHEELHOUSE) $(HASHED) tests/corpus/roots.txt || exit 1; done
	$(TEST)/bin/python -I -m pip --disable-pip-version-check --no-input download -qq \
		--dest $(WHEELHOUSE)/old $(HASHED) tests/corpus/old-pip.txt
	touch $@

# Those with startup files; for Windows what only Windows can install.
$(WHEELHOUSE)/startup/complete: tests/corpus/startup.txt tests/corpus/startup-old.txt tests/corpus/startup-windows.txt | $(TEST)/pyvenv.cfg
	for lock in startup startup-old; do $(TEST)/bin/python -I -m pip --disable-pip-version-check --no-input download -qq \
		--python-version 3.11 --dest $(dir $@) $(HASHED) tests/corpus/$$lock.txt || exit 1; done
	$(TEST)/bin/python -I -m pip --disable-pip-version-check --no-input download -qq --platform win_amd64 \
		--python-version 3.11 --dest $(dir $@) $(HASHED) tests/corpus/startup-windows.txt
	touch $@

# The environment of the corpus that is timed.
$(BENCH_WHOLE)/made.json: $(WHEELHOUSE)/complete
	PYTHONPATH=tests $(TEST)/bin/python -m corpus.run --only 'pip, 3.11' $(CORPUS_FOLDER)
