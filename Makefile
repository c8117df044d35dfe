# calligan's one developer door: demo, test, check, fonts, wheel, clean.
PYTHON ?= python3
# Pinned here only: the package itself takes a range of torch.
TORCH ?= torch==2.13.0
DEMO_MINUTES ?= 5

SOURCE := lxgw-wenkai
TARGETS := ma-shan-zheng zhi-mang-xing liu-jian-mao-cao long-cang zcool-xiaowei

VENV := .venv
TEST := .venv-test
CALLIGAN := $(VENV)/bin/calligan
SAY := @printf '\n== %s\n'

.PHONY: help demo test check format fonts wheel clean

help:
	@echo "make demo    set up, fetch fonts, train $(DEMO_MINUTES) minutes, write 书法 in five styles"
	@echo "make test    run the whole suite in its own environment"
	@echo "make check   lint, format and types"
	@echo "make fonts   fetch the demo's fonts, for the tests on real fonts"
	@echo "make wheel   build the wheel into dist/"
	@echo "make clean   remove what make made (not your data/ and runs/)"

$(VENV)/installed: pyproject.toml
	$(SAY) "making $(VENV) and installing calligan (torch is the large part)"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check $(TORCH)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e .
	@command -v npm >/dev/null || $(VENV)/bin/pip install --quiet --disable-pip-version-check -e ".[npm]"
	@touch $@

$(TEST)/installed: pyproject.toml
	$(SAY) "making $(TEST) and installing calligan with its test tools"
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/pip install --quiet --disable-pip-version-check $(TORCH)
	$(TEST)/bin/pip install --quiet --disable-pip-version-check -e ".[dev]"
	@command -v npm >/dev/null || $(TEST)/bin/pip install --quiet --disable-pip-version-check -e ".[npm]"
	@touch $@

demo: $(VENV)/installed
	$(SAY) "fetching six open fonts"
	$(CALLIGAN) fonts fetch $(SOURCE) $(TARGETS)
	$(SAY) "rasterizing a source and five target fonts into demo/data"
	$(CALLIGAN) render-pairs $(SOURCE) $(TARGETS) --data demo/data
	$(SAY) "training $(DEMO_MINUTES) minutes (once; remove demo/ to train again)"
	@if [ -f demo/trained ]; then echo "demo/runs/0001 is trained already"; \
	elif [ -f demo/runs/0001/run.json ]; then $(CALLIGAN) train --resume demo/runs/0001; \
	else rm -rf demo/runs; $(CALLIGAN) train --styles 5 --data demo/data --runs demo/runs --minutes $(DEMO_MINUTES); fi
	@touch demo/trained
	$(SAY) "writing 书法 in each style"
	$(CALLIGAN) infer 书法 --style all --model demo/runs/0001 -o demo/书法.png
	@echo "next: $(CALLIGAN) infer 永和九年 --model demo/runs/0001 --style 1 -o mine.png   (or train longer: see the README)"

test: $(TEST)/installed
	$(SAY) "running the suite"
	$(TEST)/bin/python -m pytest

check: $(TEST)/installed
	$(SAY) "lint, format, types"
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy

format: $(TEST)/installed
	$(TEST)/bin/ruff check --fix .
	$(TEST)/bin/ruff format .

fonts: $(TEST)/installed
	$(SAY) "fetching the fonts that the tests on real fonts use"
	$(TEST)/bin/calligan fonts fetch $(SOURCE) $(TARGETS)

wheel: $(TEST)/installed
	$(TEST)/bin/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) $(TEST) demo dist build .pytest_cache .mypy_cache .ruff_cache
