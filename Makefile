# Every target makes the virtual environment that it needs; `make` alone lists them.
VENV ?= .venv
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
export VENV

.DEFAULT_GOAL := help
.PHONY: help setup dev demo test lint fmt crds docs e2e faults bench bench-operator bench-cache lock clean cluster-demo cluster-demo-down system kubebox images cluster-packages

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## virtual environment with what serving needs, installed by hash
	@tools/setup.sh run

dev: ## the same with what tests, lint and docs need
	@tools/setup.sh dev

demo: setup ## two real models, one workload, directly and through Sluice (ARGS=... goes to `sluice demo`)
	@$(BIN)/sluice demo $(ARGS)

test: dev system kubebox lint ## lint, then all tests: unit, property, conformance, integration (ARGS=... goes to pytest)
	$(PY) -m pytest $(ARGS)

system: # the browser and a font for the tests of the page: required in CI, else those tests are skipped
	@tools/system-packages.sh chromium fonts-dejavu-core || [ -z "$$CI" ]

kubebox: dev # a Kubernetes control plane in one binary, built once (minutes) and cached outside the tree
	@tools/system-packages.sh openssl || [ -z "$$CI" ]
	@$(PY) -m e2e.kubebox build >/dev/null

lint: dev ## ruff, mypy, import-linter, stale CRDs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sluice crds --dir crds --docs docs/kinds.md --chart charts/sluice --check

fmt: dev ## format, and fix what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

crds: dev ## write crds/, the chart's CRDs and docs/kinds.md from the kinds
	$(BIN)/sluice crds --dir crds --docs docs/kinds.md --chart charts/sluice

docs: dev ## build the documentation, strictly, into build/docs
	$(PY) -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

images: dev cluster-packages ## build the images with buildah, without a daemon or a registry
	@$(PY) -m e2e.images.build

cluster-packages: # what a cluster with a node and building images need of Debian
	@tools/system-packages.sh openssl containerd runc containernetworking-plugins iptables nftables iproute2 \
		buildah busybox-static || [ -z "$$CI" ]

e2e: dev kubebox cluster-packages ## the images, the chart in a cluster, a clean clone, the wheel alone (e2e/README.md; ARGS=...)
	$(PY) -m pytest e2e $(ARGS)

faults: dev ## kill -9 at 200 random points of deferred requests, checked: e2e/results/faults.json, docs/reliability.md (ARGS=...)
	@$(PY) -m e2e.faults $(ARGS)

cluster-demo: dev kubebox cluster-packages ## a cluster on this machine, as root: the chart, a model, an application
	@$(PY) -m e2e.cluster_demo up

cluster-demo-down: ## end the cluster of cluster-demo
	@$(PY) -m e2e.cluster_demo down

bench: dev ## benchmarks on this machine: a table, its JSON and docs/benchmarks.md (installs wrk and nginx)
	@tools/system-packages.sh wrk nginx-light
	$(PY) -m bench --json bench/results/gateway.json --docs docs/benchmarks.md $(ARGS)

bench-operator: dev kubebox ## benchmarks of the operator on a real API server: the same, docs/operator-benchmarks.md
	$(PY) -m bench --suite operator --json bench/results/operator.json --docs docs/operator-benchmarks.md $(ARGS)

bench-cache: dev ## benchmarks of the cache, an hour: JSON a part, docs/cache-benchmarks.md (DATASETS=folder; ARGS=--render)
	$(PY) -m bench --suite cache $(if $(DATASETS),--datasets $(DATASETS)) --docs docs/cache-benchmarks.md $(ARGS)

lock: ## write the locks anew from pyproject.toml and models.in (UPGRADE=1: newest versions)
	@tools/lock.sh

clean: ## remove the virtual environment and everything built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .sluice
