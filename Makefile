# `make help` lists the targets.
SHELL := bash
PYTHON ?= python3
export PYTHONPATH := $(CURDIR)/lab
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: help setup demo test lint unit sanity integration app lab-test molecule bench image up down clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

setup: ## install what the project needs: Debian packages, the virtual environments
	@bash scripts/setup.sh packages test-packages python tests app

demo: ## from nothing to a cluster on four continents, and where its users go
	@$(PYTHON) -m geokube_lab.demo

up: ## the lab alone: four machines, the links between them, the clouds
	@$(PYTHON) -m geokube_lab.demo --up-only

test: setup ## every check, and the whole road in the lab
	@.venv/bin/python tests/run.py

lint unit sanity integration app molecule: setup ## one group of checks
	@.venv/bin/python tests/run.py $@

lab-test: setup ## the whole road in the lab, end to end
	@.venv/bin/python tests/run.py lab

bench: setup ## times side by side: tests/bench
	@.venv/bin/python tests/bench/run.py

image: ## the service's image without a container engine, with its SBOM: build/image
	@bash scripts/setup.sh packages python
	@.venv/bin/python -m geokube_lab.images export style-transfer --into build/image

down: ## take the lab down; caches stay
	@lab/lab down

clean: ## take the lab down and remove all that was built, installed or cached
	@bash scripts/clean.sh
