"""`spellwire play`: to be wired to the session."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .show import command

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire play relight --input demo --output out/relight.mp4
"""


def parser() -> ArgumentParser:
    return command("play", "Play an effect.", EXAMPLES)


def run(args: Namespace) -> int:
    return 1
