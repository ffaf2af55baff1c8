# make site    build the site that config.yaml describes
# make test    everything that must hold before a change lands
# make campaign  the long campaigns behind docs/trust.md; PHOTOS=FOLDER for that of the evidence
# make docs    the documentation as a site, docs-site/index.html
# make lock    renew requirements.lock within the ranges, and the list of licences; make audit, make sbom, make dist
# make lint    the checks that take seconds; make pythons, pages under the other supported Pythons
# make bench, make serve, make clean; make setup for the packages alone

PYTHON ?= python3
CONFIG ?= config.yaml
PORT ?= 8000
VENV := .venv
OTHERS := .venv-3.11 .venv-3.12 .venv-3.13
PEERS := .venv-peers
TOOLS := .venv-release
LOCKED_VENV := .venv-locked
RUN := $(VENV)/bin/python
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# Another Python is looked for only where the user named none.
ifeq ($(origin PYTHON),file)
CANDIDATES := $(PYTHON) python3.13 python3.12 python3.11
else
CANDIDATES := $(PYTHON)
endif

.PHONY: site setup setup-tests chromium html-checker pythons test campaign docs lock audit sbom dist lint bench serve clean

# Only the path of the site goes to stdout.
site: setup
	@$(RUN) generate.py $(CONFIG)

setup: $(VENV)/requirements.stamp

setup-tests: $(VENV)/requirements-dev.stamp

$(RUN):
	@for candidate in $(CANDIDATES); do \
		if "$$candidate" -c '$(SUPPORTED)' 2>/dev/null; then \
			echo "making $(VENV) with $$("$$candidate" --version)" >&2; \
			"$$candidate" -m venv --clear $(VENV) >&2 && exit 0; \
			rm -rf $(VENV); \
			echo "$$candidate can't make a virtual environment; on Debian: apt-get install python3-venv" >&2; \
			exit 1; \
		fi; \
	done; \
	echo "vizengine needs Python 3.11, 3.12 or 3.13; tried: $(CANDIDATES). Name one: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(VENV)/requirements.stamp: requirements.txt | $(RUN)
	@echo "installing requirements.txt" >&2
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt >&2
	@touch $@

$(VENV)/requirements-dev.stamp: requirements-dev.txt requirements-docs.txt requirements.txt | $(RUN)
	@echo "installing requirements-dev.txt" >&2
	@$(if $(LOCKED),$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock >&2)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt >&2
	@touch $@ $(VENV)/requirements.stamp

chromium: setup-tests
	@PYTHON=$(RUN) bash tests/install_chromium.sh

html-checker:
	@bash tests/install_html_checker.sh

# Pages under the other supported Pythons of this machine.
pythons: setup-tests
	@PYTHON=$(RUN) bash tests/pythons.sh

lint: setup-tests
	$(RUN) -m ruff check .
	$(RUN) -m mypy --strict vizengine generate.py
	$(VENV)/bin/lint-imports --no-logo

# pytest comes last, so that its summary closes the output; a process for each core shares the files.
test: lint chromium html-checker $(if $(TESTS),,pythons)
	$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TESTS)

campaign: chromium
	$(RUN) -m tests.campaign $(if $(PHOTOS),--photos $(PHOTOS))

# A warning, such as a link to nowhere, fails it.
docs: setup-tests
	$(RUN) -m sphinx --quiet --fresh-env --fail-on-warning --keep-going docs docs-site
	@echo docs-site/index.html

$(TOOLS)/requirements.stamp: tools/release/requirements.txt | $(RUN)
	@$(RUN) -m venv --clear $(TOOLS) >&2
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r tools/release/requirements.txt >&2
	@touch $@

# What the lock gives and nothing else: licences and the bill of materials are read from it.
$(LOCKED_VENV)/requirements.stamp: requirements.lock | $(RUN)
	@$(RUN) -m venv --clear $(LOCKED_VENV) >&2
	@$(LOCKED_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock >&2
	@touch $@

# One lock for all supported versions of Python: where they need different versions, a line says for which it is.
lock: $(TOOLS)/requirements.stamp
	@$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade \
		--custom-compile-command "make lock" --output-file requirements.lock requirements.txt
	@$(MAKE) --no-print-directory $(LOCKED_VENV)/requirements.stamp
	@$(LOCKED_VENV)/bin/python -m tools.release.licences

audit: $(TOOLS)/requirements.stamp
	@$(TOOLS)/bin/python -m tools.release.audit requirements.lock
	@$(TOOLS)/bin/zizmor --quiet --offline .github/workflows

# The wheel comes from a folder of wheels, so that no path of this machine goes into the bill.
sbom: $(TOOLS)/requirements.stamp $(LOCKED_VENV)/requirements.stamp
	@rm -rf $(LOCKED_VENV)/wheel
	@$(TOOLS)/bin/python -m build --outdir $(LOCKED_VENV)/wheel . >&2
	@$(LOCKED_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --force-reinstall \
		--find-links $(LOCKED_VENV)/wheel vizengine >&2
	@$(TOOLS)/bin/python -m tools.release.sbom $(LOCKED_VENV)/bin/python dist/vizengine.cdx.json
	@echo dist/vizengine.cdx.json

dist: $(TOOLS)/requirements.stamp
	@$(TOOLS)/bin/python -m build --outdir dist . >&2
	@ls dist/*.whl dist/*.tar.gz

# The peers' pins are narrower than what works, hence --no-deps.
$(PEERS)/requirements.stamp: benchmarks/requirements.txt
	@$(RUN) -m venv --clear $(PEERS) >&2
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt >&2
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps tf-keras-vis==0.8.7 xplique==2.0.2 >&2
	@touch $@

bench: setup $(PEERS)/requirements.stamp
	TF_CPP_MIN_LOG_LEVEL=3 $(RUN) -m benchmarks.photos
	TF_CPP_MIN_LOG_LEVEL=3 $(RUN) -m benchmarks.sweep --parts --whole
	TF_CPP_MIN_LOG_LEVEL=3 $(RUN) -m benchmarks.visualization --peers $(PEERS)/bin/python --channels

serve: setup
	@$(RUN) generate.py $(CONFIG) --serve $(PORT)

# What is computed stays: remove .vizengine-cache by hand, or build with --fresh.
clean:
	rm -rf $(VENV) $(OTHERS) $(PEERS) $(TOOLS) $(LOCKED_VENV) .tools docs-site build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
