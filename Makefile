# Three commands: `make lab` to learn, `make test` to see it all pass, `make demo` to see it grade.
# Each creates what it needs in .venv; a second call takes seconds.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PORT ?= 8888
# A process each for two cores. Whole files and classes, in their order: the long ones (a class of attacks, a graded
# class, the answers of a chapter) come before the many short ones (notebooks), so that both processes end together.
WORKERS ?= 2

.PHONY: help install lab test demo build verify clean

help:
	@echo "make lab     install if need be, then open JupyterLab on the course"
	@echo "make test    install if need be, then run every test (about half an hour)"
	@echo "make demo    install if need be, then release, grade and explain a class of 12"
	@echo "make build   make all notebooks from their sources and execute the solutions"
	@echo "make verify  run the answer bank against the checks and hidden tests"

install: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)': install Python 3.10 or newer, or name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$$($(PYTHON) --version) is too old: the course needs Python 3.10 or newer. Name one with make PYTHON=..."; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is incomplete: on Debian and Ubuntu, sudo apt-get install python3-venv"; exit 1; }
	@echo "Installing the packages of requirements.txt (the first time takes some minutes) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

lab: $(STAMP)
	@echo "Opening JupyterLab on course/ (Ctrl-C twice stops it) ..."
	@$(RUN) -m jupyterlab course --port=$(PORT) $(SCREEN) $(ROOT)

# Where there is no screen, JupyterLab prints the address instead of opening a browser.
SCREEN = $(shell [ "$$(uname)" = Darwin ] || [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || echo --no-browser)
# Inside a container the user is often root, which JupyterLab refuses unless told.
ROOT = $(shell [ "$$(id -u)" != 0 ] || echo --allow-root)

test: $(STAMP)
	@echo "Running every test on $(WORKERS) processes ..."
	@$(RUN) -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(ARGS)

demo: $(STAMP)
	@$(RUN) -m autograder demo

build: $(STAMP)
	@$(RUN) -m autograder build --execute

verify: $(STAMP)
	@$(RUN) -m autograder verify

clean:
	rm -rf $(VENV) demo .pytest_cache .ruff_cache
