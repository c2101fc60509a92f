"""`spellwire check`: everything that is wrong with an effect, at once."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from ...graph.document import load_effect
from ...graph.problems import Problem
from ...graph.registry import registry
from ...graph.validate import validate
from .library import find_effect
from .show import command, out, table, tell

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire check relight
  spellwire check my_effect --json
"""


def parser() -> ArgumentParser:
    made = command(
        "check", "Find everything that is wrong with an effect: where, why, and what to do about it.\n"
        "Exits with 1 where an error keeps it from playing; warnings do not.", EXAMPLES,
    )  # fmt: skip
    made.add_argument("effect", metavar="EFFECT", help="a name of the library, a folder, or an effect.json")
    made.add_argument("--json", action="store_true", help="the problems as a JSON list")
    return made


def run(args: Namespace) -> int:
    effect = load_effect(find_effect(args.effect))
    problems = list(validate(effect, registry()))
    errors = [p for p in problems if p.severity == "error"]
    if args.json:
        print(json.dumps([asdict(p) for p in problems], indent=2))
    elif problems:
        out().print(table("", ("", "where", "what is wrong", "what to do"), map(_row, [*errors, *_rest(problems)])))
        tell(f"{_counted(len(errors), 'error')}, {_counted(len(problems) - len(errors), 'warning')}")
    else:
        tell(f"{args.effect}: {len(effect.nodes)} nodes, {len(effect.wires)} wires, nothing wrong")
    for missing in registry().problems:
        tell(f"not loaded: {missing}")
    return 1 if errors else 0


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _rest(problems: list[Problem]) -> list[Problem]:
    return [p for p in problems if p.severity != "error"]


def _row(p: Problem) -> tuple[str, ...]:
    return p.severity, ".".join(part for part in (p.node, p.port) if part) or "effect", p.cause, p.fix
