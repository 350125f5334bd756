# `make` sets up what the workflow needs and makes the figures; `make test` runs the tests,
# `make bench` the benchmark: make bench BENCH="--layers pixel --peers ours openTSNE",
# `make growth` how t-SNE grows with the number of images: make growth GROWTH="--points 5000 10000 20000".

# The newest of these Pythons is used; TensorFlow 2.21 has wheels for no others.
PYTHONS = 3.13 3.12 3.11
PYTHON ?= $(shell for python in $(PYTHONS:%=python%) python3; do \
	version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) && \
	case " $(PYTHONS) " in (*" $$version "*) echo $$python; break;; esac; done)
BIN = .venv/bin

.PHONY: figures test bench growth docs format requirements explorer

figures: .venv/installed
	$(BIN)/snakemake --cores all

test: .venv/installed-test .venv/installed-bench
	$(BIN)/pytest --numprocesses 2 --dist loadfile

bench: .venv/installed-bench .venv/installed-bh_sne
	PYTHONPATH=scripts $(BIN)/python bench/compare.py $(BENCH)

growth: .venv/installed resources/deformed/images.npy
	PYTHONPATH=scripts $(BIN)/python bench/growth.py $(GROWTH)

resources/deformed/images.npy:
	PYTHONPATH=scripts $(BIN)/python bench/deform.py 1000000

# Write the tables of the pages from the code, the configuration and the measurements in docs/.
docs: .venv/installed
	PYTHONPATH=scripts $(BIN)/python docs/tables.py

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

.venv/installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "error: found no Python $(PYTHONS); install one (apt-get install python3-venv, or https://www.python.org/downloads), or name it: make PYTHON=/where/it/is/python3.13"; exit 1; }
	@echo "Installing what the workflow needs into .venv: 2.9 GB, a few minutes."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

.venv/installed-test: .venv/installed requirements-test.txt
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-test.txt
	@touch $@

.venv/installed-bench: .venv/installed requirements-bench.txt
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-bench.txt
	@touch $@

# The notebook's t-SNE has no wheel: build it with the NumPy that is here, not the one of 2019 that it asks for, and with
# OpenBLAS for its libcblas. Where that cannot be, the benchmark goes without it.
BH_SNE = tsne==0.3.1 --hash=sha256:425bf9200606b81c476cbcfcc38179de63ee5c7bb2729ce7bbc3e0154b5b57dc
.venv/installed-bh_sne: .venv/installed requirements-bh-sne.txt
	@folder=$$(mktemp -d) && { \
		echo "$(BH_SNE)" > $$folder/bh_sne.txt && echo "INPUT(-lopenblas)" > $$folder/libcblas.so && \
		$(BIN)/pip install --require-hashes --target $$folder/tools --requirement requirements-bh-sne.txt && \
		PYTHONPATH=$$folder/tools LIBRARY_PATH=$$folder \
		CPLUS_INCLUDE_PATH=$$($(BIN)/python -c 'import numpy; print(numpy.get_include())') \
		$(BIN)/pip install --no-deps --no-build-isolation --require-hashes --requirement $$folder/bh_sne.txt && \
		touch $@; \
	} > .venv/bh_sne.log 2>&1 || echo "bh_sne is left out: it could not be built (.venv/bh_sne.log says why)"; \
	rm -r $$folder

# Compile the pins of the .in files anew, the same for every platform and Python; needs uv.
requirements:
	for name in requirements requirements-test requirements-bench requirements-bh-sne; do \
		uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate --no-header \
			$$name.in -o $$name.txt || exit 1; \
	done

# Bundle the explorer's modules and what they draw with into one file, from the versions in its package.json; needs npm.
EXPLORER = scripts/explorer
explorer:
	folder=$$(mktemp -d) && cp $(EXPLORER)/package.json $$folder && \
	npm install --prefix $$folder --no-package-lock --ignore-scripts --no-audit --no-fund --silent && \
	{ for package in $$(cd $$folder/node_modules && ls -d @flekschas/* [!@]* | grep -v esbuild | LC_ALL=C sort); do \
		echo "/*! $$package $$(node -p "require('$$folder/node_modules/$$package/package.json').version")"; \
		cat $$folder/node_modules/$$package/LICENSE*; echo "*/"; \
	  done; \
	  NODE_PATH=$$folder/node_modules $$folder/node_modules/.bin/esbuild $(EXPLORER)/modules/start.js \
		--bundle --minify --format=iife --target=es2022 --alias:regl=regl/dist/regl.unchecked.js \
		--legal-comments=none --log-level=error; \
	} > $(EXPLORER)/bundle.js && rm -r $$folder
