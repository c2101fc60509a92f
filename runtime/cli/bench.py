"""`spellwire bench`: the benchmarks of this checkout. They lie in `bench/`, beside the package, and are not installed."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO

from ...graph.errors import UsageError
from .guard import closest
from .machine import describe
from .show import command, out, table

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire bench                      which there are
  spellwire bench grade                a comparison, in a table
  spellwire bench effect relight       one with a choice of its own
  spellwire bench face --json          one JSON object on standard output, progress on standard error
"""


def parser() -> ArgumentParser:
    made = command("bench", "Compare Spellwire with its peers on this machine, all in one run, interleaved.", EXAMPLES)
    made.add_argument("name", nargs="?", metavar="NAME", help="which benchmark")
    made.add_argument("choice", nargs="*", metavar="CHOICE", help="what it is to measure, where it has a choice")
    made.add_argument("--json", action="store_true", help="one JSON object and nothing else on standard output")
    made.add_argument("--full", action="store_true", help="take more time, for steadier medians")
    made.add_argument("--strict", action="store_true", help="exit with 1 where a goal is missed")
    made.add_argument("--names", action="store_true", help="the names alone, a line each")
    return made


def run(args: Namespace) -> int:
    known = _benchmarks()
    if args.name is None:
        _list(known, bare=args.names)
        return 0
    if args.name not in known:
        raise UsageError(f"there is no benchmark {args.name!r}{closest(args.name, list(known))}; see spellwire bench")
    with _standard_output_kept() as stream:
        measured = _load(known[args.name])(not args.full, *args.choice)
        measured = {"name": measured["name"], "machine": describe(), **measured}
        if args.json:
            print(json.dumps(measured, indent=2, ensure_ascii=False), file=stream)
    if not args.json:
        _show(measured)
    return int(args.strict and not all(goal["met"] for goal in measured["goals"]))


def _benchmarks() -> dict[str, Path]:
    """Name → file: the modules of bench/ that define `run`."""
    folder = Path(str(files("spellwire"))) / "bench"
    if not folder.is_dir():
        raise UsageError("the benchmarks are part of a checkout, not of the installed package: git clone, make demo there")
    sources = {file.stem: file for file in sorted(folder.glob("*.py"))}
    return {name: file for name, file in sources.items() if "\ndef run(" in file.read_text("utf-8")}


def _list(known: dict[str, Path], *, bare: bool) -> None:
    if bare:
        print("\n".join(known))
        return
    docs = {name: ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" for name, file in known.items()}
    rows = [(name, doc.partition("\n\n")[0].replace("\n", " ")) for name, doc in docs.items()]
    out().print(table("benchmarks", ("name", "what it compares"), rows))


def _load(file: Path) -> Callable[..., dict[str, Any]]:
    """Import a benchmark from its file; its neighbours are importable while this process lives."""
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(f"bench_{file.stem}", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.run


@contextmanager
def _standard_output_kept() -> Iterator[TextIO]:
    """While a benchmark runs, whatever prints to standard output, native libraries too, lands on standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as stream, redirect_stdout(sys.stderr):
            yield stream
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _show(measured: dict[str, Any]) -> None:
    machine, show = measured["machine"], out()
    rows = [(row["what"], _number(row["value"]), row["unit"]) for row in measured["rows"]]
    show.print(table(measured["name"], ("what", "value", "unit"), rows, numbers=(1,)))
    if measured["goals"]:
        goals: Sequence[tuple[str, ...]] = [
            (g["what"], _number(g["value"]), f"{g.get('sense', '')} {_number(g['goal'])}".strip(), "yes" if g["met"] else "no")
            for g in measured["goals"]
        ]
        show.print(table("goals", ("what", "value", "goal", "met"), goals, numbers=(1, 2)))
    for note in measured.get("notes", ()):
        show.print(note, markup=False)
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    text = f"{machine['cpu']}, {machine['cores']} cores, {machine['level']}, load {machine['load']}, Python {machine['python']}"
    show.print(f"\n{text}\n{versions}", style="dim", markup=False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
