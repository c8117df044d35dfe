# calligan's one developer door: demo, train, test, check, fonts, report, web, wheel, fuzz, clean.
PYTHON ?= python3
# Pinned here only: the package itself takes a range of torch.
TORCH ?= torch==2.13.0
MINUTES ?= 5
SEED ?= 1

SOURCE := lxgw-wenkai
TARGETS := ma-shan-zheng zhi-mang-xing liu-jian-mao-cao long-cang zcool-xiaowei

VENV := .venv
TEST := .venv-test
CALLIGAN := $(VENV)/bin/calligan
SAY := @printf '\n== %s\n'

.PHONY: help demo train test check format fonts report web wheel fuzz mutants nightly clean

help:
	@echo "make demo    set up, and write 书法 in every bundled hand"
	@echo "make train   fetch six fonts and train five hands of them for $(MINUTES) minutes"
	@echo "make test    run the whole suite in its own environment"
	@echo "make check   lint, format and types"
	@echo "make fonts   fetch the demo's fonts, for the tests on real fonts"
	@echo "make report  judge the bundled model on unseen characters (fetches 30 fonts)"
	@echo "make web     build the page that draws in a browser into dist/web/"
	@echo "make wheel   build the wheel into dist/"
	@echo "make fuzz    read damaged files, then wrong folders, for MINUTES=$(MINUTES) each from SEED=$(SEED)"
	@echo "make mutants plant small faults and count those that no test notices (PART=vector SAMPLE=30 SEED=$(SEED))"
	@echo "make nightly fuzz for an hour and plant 30 faults in each part, from a seed of the day"
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
	$(SAY) "writing 书法 in every bundled hand"
	$(CALLIGAN) infer 书法 --style all -o demo/书法.png
	@echo "next: $(CALLIGAN) infer 永和九年 --style 1 -o mine.png   (all hands: $(CALLIGAN) styles)"

train: $(VENV)/installed
	$(SAY) "fetching six open fonts"
	$(CALLIGAN) fonts fetch $(SOURCE) $(TARGETS)
	$(SAY) "rasterizing a source and five target fonts into demo/data"
	$(CALLIGAN) render-pairs $(SOURCE) $(TARGETS) --data demo/data
	$(SAY) "training $(MINUTES) minutes (once; remove demo/runs to train again)"
	@if [ -f demo/runs/trained ]; then echo "demo/runs/0001 is trained already"; \
	elif [ -f demo/runs/0001/run.json ]; then $(CALLIGAN) train --resume demo/runs/0001; \
	else rm -rf demo/runs; $(CALLIGAN) train --styles 5 --data demo/data --runs demo/runs --minutes $(MINUTES); fi
	@touch demo/runs/trained
	$(SAY) "writing 书法 in each of the five"
	$(CALLIGAN) infer 书法 --style all --model demo/runs/0001 -o demo/five.png
	@echo "next: $(CALLIGAN) infer 永和九年 --model demo/runs/0001 --style 1 -o mine.png"

test: $(TEST)/installed
	$(SAY) "running the suite"
	$(TEST)/bin/python -m pytest

# .pre-commit-config.yaml runs the same three commands.
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

report: $(TEST)/installed
	$(TEST)/bin/python weights/render.py demo/bundle-data
	$(TEST)/bin/calligan evaluate weights/calligan.safetensors --data demo/bundle-data \
		--json weights/metrics.json --report docs/report.html

web: $(TEST)/installed
	$(SAY) "building the page into dist/web (fetches onnxruntime-web)"
	$(TEST)/bin/python web/build.py --out dist/web
	@echo "next: $(PYTHON) -m http.server --directory dist/web, then http://localhost:8000"

wheel: $(TEST)/installed
	$(TEST)/bin/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) $(TEST) demo dist build .pytest_cache .mypy_cache .ruff_cache

fuzz: $(TEST)/installed
	$(SAY) "fuzzing files, then folders, for $(MINUTES) minutes each from seed $(SEED); what fails is kept in demo/fuzz/found"
	$(TEST)/bin/python tests/fuzz/run.py --minutes $(MINUTES) --seed $(SEED)
	$(TEST)/bin/python tests/fuzz/folders.py --minutes $(MINUTES) --seed $(SEED)

mutants: $(TEST)/installed
	$(SAY) "planting faults, one at a time (PART=… and SAMPLE=30 shorten it)"
	$(TEST)/bin/pip install --quiet --disable-pip-version-check "cosmic-ray>=8.3"
	$(TEST)/bin/python tests/mutants.py $(PART) $(if $(SAMPLE),--sample $(SAMPLE)) --seed $(SEED)

nightly:
	.ci/nightly
