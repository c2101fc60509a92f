"""`spellwire nodes`: which node types there are, and the page of each, from their declarations alone."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...graph.declare import Declaration
from ...graph.errors import UsageError
from ...graph.registry import Registry, registry
from .pages import facts, flowing, index_page, kind_of, markdown, parameter_rows, port_rows
from .show import command, out, table, tell

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire nodes                      every node, a line each
  spellwire nodes colour               those of one family
  spellwire nodes colour.exposure      the page of one node
  spellwire nodes --file my_nodes.py   with those of a file of yours
  spellwire nodes --markdown docs/nodes
"""


def parser() -> ArgumentParser:
    made = command("nodes", "List the nodes that are installed, or show the page of one.", EXAMPLES)
    made.add_argument("type", nargs="?", metavar="TYPE", help="a node type (colour.exposure) or a family (colour)")
    made.add_argument("--file", metavar="PATH", help="also the nodes of this Python file")
    made.add_argument("--json", action="store_true", help="the list as JSON")
    made.add_argument("--markdown", metavar="FOLDER", help="write a page for each node, and an index, into FOLDER")
    return made


def run(args: Namespace) -> int:
    known = registry().merged(Registry.from_file(args.file)) if args.file else registry()
    chosen = list(known.values()) if args.type is None else _chosen(args.type, known)
    if args.markdown:
        _write(Path(args.markdown), chosen)
    elif args.json:
        print(json.dumps([_brief(d, known) for d in chosen], indent=2))
    elif args.type in known:
        _page(chosen[0], known)
    else:
        _list(chosen)
    for problem in known.problems:
        tell(f"not loaded: {problem}")
    return 1 if args.file and known.problems else 0


def _chosen(word: str, known: Registry) -> list[Declaration]:
    if word in known:
        return [known[word]]
    family = known.families().get(word)
    if family is None:
        near = known.nearest(word)
        raise UsageError(
            f"there is no node {word!r}" + (f"; did you mean {near!r}?" if near else "") + "; see spellwire nodes"
        )
    return list(family)


def _list(chosen: list[Declaration]) -> None:
    rows = [(d.type, kind_of(d), d.summary) for d in chosen]
    out().print(table(f"{len(rows)} node{'s' * (len(rows) != 1)}", ("type", "kind", "what it does"), rows))


def _page(d: Declaration, known: Registry) -> None:
    show = out()
    show.print(f"\n[bold]{d.title}[/bold]   {d.type}   [dim]{facts(d)}, from {known.origins[d.type]}[/dim]\n")
    show.print(flowing(d.doc) + "\n", markup=False)
    for title, ports in (("inputs", d.inputs), ("outputs", d.outputs)):
        if ports:
            show.print(table(title, ("port", "type", "", "what it is"), port_rows(ports)))
    if d.params:
        columns = ("parameter", "type", "default", "range", "what it does")
        show.print(table("parameters", columns, parameter_rows(d)))


def _brief(d: Declaration, known: Registry) -> dict[str, object]:
    return {
        "type": d.type, "version": d.version, "kind": d.kind, "summary": d.summary, "origin": str(known.origins[d.type]),
        "inputs": {p.name: p.type.name for p in d.inputs},
        "params": {p.name: p.type.name for p in d.params},
        "outputs": {p.name: p.type.name for p in d.outputs},
    }  # fmt: skip


def _write(folder: Path, chosen: list[Declaration]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for d in chosen:
        (folder / f"{d.type}.md").write_text(markdown(d, folder), "utf-8")
    (folder / "README.md").write_text(index_page(chosen), "utf-8")
    tell(f"{len(chosen)} pages in {folder}")
