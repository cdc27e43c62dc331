# One verb per task; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PYTHON := .venv/bin/python
ROUNDS ?= 20
# A company that opens TLS at its edge has its authority in the system, not in uv.
export UV_SYSTEM_CERTS ?= 1
# Tests and drills start servers from processes that speak gRPC: its fork handlers can crash the child before its exec.
export GRPC_ENABLE_FORK_SUPPORT ?= 0
# uv from the PATH if it runs there, else a copy of our own.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
BROKEN_PYTHON = Dealwright needs Python 3.11 or later as python3 (found: $$(python3 --version 2>&1))

.PHONY: help up up-cluster test test-long lint bench drill journey chart features promise clean sync sync-dev

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: sync ## start Dealwright in one process on http://$HOST:$PORT, data in $DATA
	@exec .venv/bin/dealwright up

up-cluster: sync-dev ## start it as separate processes on private PostgreSQL, RabbitMQ and Valkey
	@exec .venv/bin/dealwright up --cluster

test: sync-dev ## run every test, on real parts too (SKIP_CLUSTER=1 leaves those out)
	@$(PYTHON) tests/run.py $(SUITES)

test-long: sync-dev ## the same with many more examples, and new ones each time
	@LONG=1 $(PYTHON) tests/run.py $(SUITES)

lint: sync-dev ## formatting, types, import contracts, protos
	@$(PYTHON) .ci/lint.py

bench: sync-dev ## measure throughput, latency and memory beside yardsticks: BENCH=short, FIGURES="single", LOCUST=1
	@$(PYTHON) -m loadtests.bench $(FIGURES)

drill: sync-dev ## kill random processes under load and check that nothing is lost: ROUNDS=20
	@$(PYTHON) -m tests.faults.drill --rounds $(ROUNDS)

journey: sync-dev ## ten leads from a web form to the bank, on a fresh deployment, by REST alone (CLUSTER=1 on real parts)
	@$(PYTHON) -m tests.journeys.journey $(if $(CLUSTER),--cluster)

chart: sync-dev ## lint, render and test the Helm chart
	@$(PYTHON) -m pytest tests/chart

features: sync-dev ## write docs/features.md: each feature with its tests and the public calls they make
	@$(PYTHON) -m tests.journeys.features

promise: sync-dev ## make the present protos the ones that later changes must not break
	@$(PYTHON) .ci/lint.py promise

clean: ## remove what can be made again; keeps var/, your data
	@rm -rf build dist .venv .uv proto/gen .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Leaves development packages alone where they are: `make up` beside `make test` does not tear down its tools.
sync: $(filter .uv/bin/uv,$(UV))
	@$(UV) sync --quiet --frozen --inexact --no-dev

sync-dev: $(filter .uv/bin/uv,$(UV))
	@$(UV) sync --quiet --frozen --all-extras

# Four ways to the one tool we need: a virtual environment, pip alone (no ensurepip), its installer by curl or wget.
.uv/bin/uv:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "$(BROKEN_PYTHON)" >&2; exit 1; }
	@echo "fetching uv (once)" >&2; mkdir -p .uv; log=.uv/fetch.log; : >$$log; \
	{ rm -rf .uv/env && python3 -m venv .uv/env && .uv/env/bin/python -m pip install --quiet uv && from=.uv/env/bin/uv; } >>$$log 2>&1 \
	|| { python3 -m pip install --quiet --target .uv/lib uv && from=.uv/lib/bin/uv; } >>$$log 2>&1 \
	|| { command -v curl && curl -LsSf https://astral.sh/uv/install.sh -o .uv/install.sh \
	     && UV_UNMANAGED_INSTALL=.uv/own sh .uv/install.sh && from=.uv/own/uv; } >>$$log 2>&1 \
	|| { command -v wget && wget -qO .uv/install.sh https://astral.sh/uv/install.sh \
	     && UV_UNMANAGED_INSTALL=.uv/own sh .uv/install.sh && from=.uv/own/uv; } >>$$log 2>&1 \
	|| { echo "uv cannot be fetched by pip, curl or wget: install it (https://docs.astral.sh/uv) and run make again; details: $$log" >&2; exit 1; }; \
	mkdir -p .uv/bin && ln -sf "../$${from#.uv/}" $@ && $@ --version >/dev/null
