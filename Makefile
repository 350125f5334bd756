# `make` sets up what the workflow needs and makes the figures; `make test` runs the tests.

# TensorFlow 2.19 has wheels for Python 3.11 and 3.12.
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$python && break; done)
BIN = .venv/bin

.PHONY: figures test format requirements explorer-library

figures: .venv/installed
	$(BIN)/snakemake --cores all

test: .venv/installed-test
	$(BIN)/pytest --numprocesses 2 --dist loadfile

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

.venv/installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or 3.12 found; name one: make PYTHON=/where/it/is/python3.12"; exit 1; }
	@echo "Installing what the workflow needs into .venv: 2.8 GB, a few minutes."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

.venv/installed-test: .venv/installed requirements-test.txt
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-test.txt
	@touch $@

# Compile the pins of the .in files anew, for every platform and for Python 3.11 on; needs uv.
requirements:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate requirements-test.in -o requirements-test.txt

# Bundle what the explorer draws with into one file, from the versions in its package.json; needs npm.
EXPLORER = scripts/explorer
explorer-library:
	folder=$$(mktemp -d) && cp $(EXPLORER)/package.json $$folder && \
	npm install --prefix $$folder --no-package-lock --ignore-scripts --no-audit --no-fund --silent && \
	{ for package in $$(cd $$folder/node_modules && ls -d @flekschas/* [!@]* | grep -v esbuild | LC_ALL=C sort); do \
		echo "/*! $$package $$(node -p "require('$$folder/node_modules/$$package/package.json').version")"; \
		cat $$folder/node_modules/$$package/LICENSE*; echo "*/"; \
	  done; \
	  echo 'export { default as createScatterplot } from "regl-scatterplot"' | (cd $$folder && node_modules/.bin/esbuild \
		--bundle --minify --format=iife --global-name=library --target=es2022 --alias:regl=regl/dist/regl.unchecked.js \
		--legal-comments=none --log-level=error); \
	} > $(EXPLORER)/library.js && rm -r $$folder
