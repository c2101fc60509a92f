"""`spellwire effects`: the library, with what each effect lets you set."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ...graph.document import load_effect
from ...graph.effect import Effect
from ...graph.flat import FlatParam
from ...graph.groups import flatten
from ...graph.registry import registry
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
    out().print(f"\n[bold]{effect.title or path.name}[/]  {effect.doc}\n", highlight=False)
    rows = [
        (p.name, _moved(effect, p), _typed(p.default), span(p.low, p.high, p.unit) or ", ".join(map(str, p.parameter.choices)), p.doc)
        for p in flatten(effect, registry()).interface
    ]
    out().print(table("--set NAME=VALUE", ("name", "moves", "default", "range", "what it does"), rows))


def _moved(effect: Effect, public: FlatParam) -> str:
    """`Key: colour`, where the node has a title; `n11.colour` elsewhere."""
    node = effect.nodes.get(public.path)
    return f"{node.title}: {public.param}" if node and node.title else f"{public.path}.{public.param}"


def _typed(default: Any) -> str:
    """As --set takes it: `1,0.8,0.58,1`."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (tuple, list)):
        return ",".join(map(_typed, default))
    return "" if default is None else f"{default:g}" if isinstance(default, (int, float)) else str(default)
