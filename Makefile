.DEFAULT_GOAL := help
PYTHON ?= python3
RECIPE ?= $(or $(VAELIB_RECIPE),report)
BIN := .venv/bin
SCRIPT := src/vaelib/book/explorer/script
# Text and names of files are UTF-8, whatever the machine's locale is.
export PYTHONUTF8 := 1
# An empty date is none.
ifeq ($(SOURCE_DATE_EPOCH),)
unexport SOURCE_DATE_EPOCH
endif
# A user's settings of Python, with which docstrings, warnings or the library would be others.
unexport PYTHONHOME PYTHONOPTIMIZE PYTHONWARNINGS PYTHONSAFEPATH PYTHONSTARTUP
# Everything else may move when the lock is made anew; these are chosen.
PINS := torch==2.13.0 torchvision==0.28.0 jupyter-book==1.0.4.post1 sphinx-book-theme==1.1.4

.PHONY: help install date book pdf serve test test-hostile test-site record bench yardsticks readme map lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 10

install: .venv/.made-of  ## make .venv with the locked packages and vaelib

# The environment is made anew where that is other than it was: the place, for a checkout that was
# copied or moved has the programs of another in its .venv, or the content of these files.
MADE_OF := { pwd -P; cat requirements.lock requirements.hashes pyproject.toml install.py 2> /dev/null | cksum; }
ifneq ($(shell $(MADE_OF) | cmp -s - .venv/.made-of && echo same),same)
.PHONY: .venv/.made-of
endif

.venv/.made-of:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 15) or sys.exit(f"Python {v[0]}.{v[1]} was found; Python 3.11 to 3.14 is needed: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python install.py book
	@$(MADE_OF) > $@

.venv/.installed-for-tests: .venv/.made-of
	$(BIN)/python install.py book test dev
	@touch $@

date:
	@case "$$SOURCE_DATE_EPOCH" in *[!0-9]*) echo "SOURCE_DATE_EPOCH is $$SOURCE_DATE_EPOCH; expected whole seconds since 1970, such as 1767225600"; exit 1;; esac

book: date install  ## run what is stale and build the site; RECIPE=original for the original's protocol
	@for f in _config.yml _toc.yml; do grep -q : book/$$f || { echo "book/$$f is not a symbolic link to ../$$f, as it is after unpacking a zip without links: clone with git, or run cp $$f book/$$f"; exit 1; }; done
	VAELIB_RECIPE=$(RECIPE) $(BIN)/jupyter-book build book/ -W -n --keep-going

pdf: date install  ## print the report (needs TeX, see README) and put it into the site
	@# First of all, not after minutes of training.
	@$(BIN)/python -c 'import sys; from vaelib.book.site.pdf import missing_tex; sys.exit(missing_tex())'
	@# The date of the last commit, if none is given, so that equal sources give equal bytes; and
	@# Sphinx's settings for latexmk, which choose xelatex, but none of the user.
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git -c safe.directory="$$(pwd -P)" log -1 --no-show-signature --format=%ct 2>/dev/null || echo 1767225600)} \
	VAELIB_RECIPE=$(RECIPE) LATEXMKOPTS="-norc -r latexmkrc -interaction=nonstopmode -halt-on-error" \
		$(BIN)/jupyter-book build book/ --builder pdflatex -W -n --keep-going < /dev/null
	@$(MAKE) --no-print-directory book

serve: install  ## read the built site at http://localhost:8000 (after make book)
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory book/_build/html 8000

test: .venv/.installed-for-tests  ## check the code's style and run the tests (no network, no GPU)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md book src
	$(BIN)/lint-imports --no-cache
	$(BIN)/deno fmt --quiet --check --config $(SCRIPT)/deno.json $(SCRIPT) tests/book
	$(BIN)/deno lint --quiet $(SCRIPT) tests/book
	@# One thread each: two processes with two threads each would fight for two cores.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadgroup --no-loadscope-reorder --ignore=tests/browser --ignore=tests/hostile

test-hostile: .venv/.installed-for-tests  ## break builds in every way that we know: some fifteen minutes; ONLY=core for the ten of CI
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 $(if $(ONLY),-m $(ONLY)) tests/hostile

test-site: .venv/.installed-for-tests  ## look at the built site in a real browser (needs chromium; after make book)
	OMP_NUM_THREADS=1 VAELIB_BUILT=1 $(BIN)/python -m pytest --numprocesses=2 tests/browser tests/book/test_site.py

record: install  ## make what is not fresh of the records: hours
	$(BIN)/vaelib sweep

bench: install .venv-keras/.installed .venv-jax/.installed .venv-pythae/.installed  ## time our step and training beside the peers': three quarters of an hour on a quiet machine
	$(BIN)/python benchmarks/compare.py .venv-keras/bin/python .venv-jax/bin/python .venv-pythae/bin/python book/recorded/cost.json

yardsticks: install  ## code the test images without a network: a minute
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --target .venv-compressors --requirement benchmarks/requirements/compressors.txt
	PYTHONPATH=.venv-compressors $(BIN)/python benchmarks/compressors.py book/recorded/yardsticks.json

.venv-%/.installed: benchmarks/requirements/%.txt
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

readme:  ## write the README's numbers and figure from the runs at hand
	$(BIN)/python -m vaelib.book.readme

map:  ## write the map of modules into CONTRIBUTING.md
	$(BIN)/python -m tests.map

lock:  ## make requirements.lock and requirements.hashes anew from pyproject.toml
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet $(PINS) --editable '.[book,test,dev]'
	.venv-lock/bin/python -m pip freeze --all --exclude-editable --exclude pip > requirements.new
	@# No local version labels (+cpu): each index has its own builds of the same version. PyTorch
	@# itself pins the CUDA packages that its CUDA builds need.
	grep -viE '^(nvidia|cuda|triton)' requirements.new | sed 's/+[a-z0-9.]*$$//' > requirements.lock
	@# Those two have other files on PyTorch's own index.
	grep -vE '^(torch|torchvision)==' requirements.lock > requirements.new
	.venv-lock/bin/python -m uv pip compile --quiet --no-deps --generate-hashes --no-header \
		--no-annotate requirements.new -o requirements.hashes
	rm -r requirements.new .venv-lock

clean:  ## remove the site and the runs; the environment and the data stay
	rm -rf book/_build book/executed
