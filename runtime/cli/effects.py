"""`spellwire effects`: the library, with what each effect lets you set."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...graph.document import load_effect
from .library import find_effect, library
from .pages import span
from .show import command, out, table

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire effects            the library
  spellwire effects relight    what --set takes for this one
"""


def parser() -> ArgumentParser:
    made = command("effects", "List the effects of the library, or what one of them lets you set.", EXAMPLES)
    made.add_argument("effect", nargs="?", metavar="EFFECT", help="a name of the library, or a folder")
    return made


def run(args: Namespace) -> int:
    if args.effect:
        _one(find_effect(args.effect))
        return 0
    effects = {name: load_effect(path) for name, path in library().items()}
    rows = [(name, e.doc.partition("\n")[0], ", ".join(entry.name for entry in e.interface)) for name, e in effects.items()]
    out().print(table("effects", ("name", "what it does", "--set"), rows))
    return 0


def _one(path: Path) -> None:
    effect = load_effect(path)
    rows = [(e.name, e.target, "" if e.default is None else e.default, span(e.low, e.high, e.unit or ""), e.doc) for e in effect.interface]
    out().print(table(f"{path.name}: --set NAME=VALUE", ("name", "sets", "default", "range", "what it does"), rows))
