# Everything a person runs. `make demo` and `make test` work first thing on a fresh clone.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-slow check course site wheel format docs tables bench-training bench-loading \
	bench-published bench-speed bench-seeds bench-transfer bench-mnist-c bench-rejection bench-reading \
	bench-promise bench-words bench-service bench-route bench-page bench-pages bench-mail bench-store \
	bench-batch bench-barcodes bench-tuning bench-scenes bench-busy fuzz kills soak mutate \
	clean

demo: $(READY)
	$(BIN)/digitlens demo

# Three workers of one thread each, as tests of the page wait a lot; the tests of a file stay together, as they share fixtures, and
# the longest files come first (tests/conftest.py), not those with the most tests.
# Scripts are compiled once, not by each process that a test starts.
test: $(READY)
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow"

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

# Mutated files for every reader and command, and things made by hand: some hours.
fuzz: $(READY)
	DIGITLENS_FUZZ=2000 $(BIN)/python -m pytest -q tests/fuzz/test_readers.py
	$(BIN)/python tools/fuzz.py --jobs 2 --hand --out by-hand.jsonl
	$(BIN)/python tools/fuzz.py --jobs 2 --files 10000 --out fuzz.jsonl

# Commands that write, killed at random moments: nothing lost, doubled or left over.
kills: $(READY)
	$(BIN)/python tools/kills.py --kills 1000 --jobs 2 --out kills.jsonl

# The service among hostile clients, ten minutes: bounded memory, honest clients answered.
soak: $(READY)
	$(BIN)/python benchmarks/soak.py --seconds 600

# The modules that decide, changed in one place at a time: do their own tests notice?
mutate: $(READY)
	$(BIN)/python -m pip install --quiet --group mutate
	$(BIN)/python -W ignore tools/mutate.py --mutants 30

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_scripts.py

# The lessons, run, as notebooks with their outputs in the folder course.
course: $(READY)
	$(BIN)/python tools/course.py

# The documentation as a site in the folder site; lessons show what make course left of them.
site: $(READY)
	$(BIN)/python -m sphinx -qW --keep-going docs site

# The package in dist, built twice: both times the same, byte for byte.
wheel: $(READY)
	$(BIN)/python tools/build_wheel.py --twice
	$(BIN)/twine check --strict dist/*

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	$(BIN)/python -m digitlens.cli.reference docs/cli.md

tables: $(READY)
	$(BIN)/python tools/tables.py

bench-training: $(READY)
	$(BIN)/python benchmarks/training.py

bench-busy: $(READY)
	$(BIN)/python benchmarks/busy.py --write

bench-loading: $(READY)
	$(BIN)/python benchmarks/loading.py

bench-published: $(READY)
	$(BIN)/python benchmarks/published.py

bench-speed: $(READY)
	$(BIN)/python benchmarks/speed.py

bench-seeds: $(READY)
	$(BIN)/python benchmarks/seeds.py convnet tiny

bench-transfer: $(READY)
	$(BIN)/python benchmarks/transfer.py --write cnn best

bench-mnist-c: $(READY)
	$(BIN)/python benchmarks/mnist_c.py --write cnn best

bench-rejection: $(READY)
	$(BIN)/python benchmarks/rejection.py --write universal cnn best

bench-reading: $(READY)
	$(BIN)/python benchmarks/reading.py --write

bench-promise: $(READY)
	$(BIN)/python benchmarks/promise.py --write

bench-scenes: $(READY)
	$(BIN)/python benchmarks/scenes.py --write

bench-tuning: $(READY)
	$(BIN)/python benchmarks/tuning.py

bench-words: $(READY)
	$(BIN)/python benchmarks/words.py --write

bench-service: $(READY)
	$(BIN)/python benchmarks/service.py --write

bench-route: $(READY)
	$(BIN)/python benchmarks/service.py --route 100

bench-page: $(READY)
	$(BIN)/python benchmarks/page.py

bench-pages: $(READY)
	$(BIN)/python benchmarks/page_speed.py

bench-batch: $(READY)
	$(BIN)/python benchmarks/batch.py --write

bench-mail: $(READY)
	$(BIN)/python benchmarks/mail.py --write

bench-barcodes: $(READY)
	$(BIN)/python benchmarks/barcodes.py --write

bench-store: $(READY)
	$(BIN)/python benchmarks/store.py --write

# The stamp is written last, so that a set-up that was cut off is done again.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "digitlens wants Python 3.11 or newer; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all]" --group dev --group docs
	touch $(READY)

clean:
	rm -rf $(VENV) site dist .bench .pytest_cache .mypy_cache .ruff_cache
