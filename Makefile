# Everything happens in .venv; scripts/setup fills it, once, and again when pyproject.toml changes.
#   make demo                    play the relight effect over a clip the project makes itself → out/relight.mp4
#   make demo INPUT=clip.mp4     the same over your own footage
#   make test                    lint, import contracts, tests

MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help demo test lint oracles bench pictures clean

PYTHON ?=
INPUT ?= demo
EFFECT ?= relight

.venv/demo.stamp: pyproject.toml
	@PYTHON="$(PYTHON)" sh scripts/setup demo

.venv/dev.stamp: pyproject.toml
	@PYTHON="$(PYTHON)" sh scripts/setup dev

demo: .venv/demo.stamp  ## set everything up and play an effect over a clip (INPUT=clip.mp4 EFFECT=grade)
	@.venv/bin/spellwire play "$(EFFECT)" --input "$(INPUT)" --output "out/$(EFFECT).mp4" --sheet "out/$(EFFECT).png"

test: .venv/dev.stamp  ## lint, import contracts and all tests
	@sh scripts/check

lint: .venv/dev.stamp  ## ruff, pyright and the import contracts only
	@sh scripts/check lint

oracles: .venv/demo.stamp  ## MediaPipe 0.10.21 and the current one, each in an environment of its own, to compare with
	@sh scripts/oracles

bench: .venv/demo.stamp  ## every benchmark, one after another
	@sh scripts/benches

pictures: .venv/demo.stamp  ## the pictures of the README and of the node pages, made anew
	@.venv/bin/python scripts/pictures.py

clean:  ## remove what was built (.venv, out); downloaded models stay in the cache
	rm -rf .venv out build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache

help:
	@echo "Spellwire: make TARGET"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile
