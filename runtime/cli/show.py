"""What the commands print: tables, progress, one look. rich is imported when the first of them is made."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["Step", "command", "out", "progress", "table", "tell"]

Step = Callable[[int, "int | None"], None]
WIDE = 110  # columns where the terminal doesn't say: a file, a pipe, CI


def command(name: str, doc: str, examples: str = "") -> ArgumentParser:
    """A parser whose --help teaches: what it does, then examples, then the options."""
    text = f"{doc}\n\nexamples:\n{examples}" if examples else doc
    return ArgumentParser(
        prog=f"spellwire {name}",
        description=text,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


@cache
def out(*, errors: bool = False) -> Console:
    """The console of standard output, or of standard error (`errors`)."""
    from rich.console import Console

    class Pipe(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError from None  # the guard's to answer, not rich's

    stream = sys.stderr if errors else sys.stdout
    return Pipe(stderr=errors, highlight=False, soft_wrap=False, width=None if stream.isatty() else WIDE)


def tell(text: str) -> None:
    """A line about what goes on, on standard error, so that standard output stays what was asked for."""
    out(errors=True).print(text, highlight=False, markup=False, soft_wrap=True)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()
) -> Table:
    """A plain table; the columns of those indices are numbers, set to the right."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False
    )
    for index, name in enumerate(columns):
        made.add_column(name, justify="right" if index in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    return made


@contextmanager
def progress(what: str, unit: str = "frames") -> Iterator[Step]:
    """A bar on standard error; call what it gives with (done, total or None). Without a terminal: a line now and then."""
    if not out(errors=True).is_terminal:
        yield _Lines(what, unit).step
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    amount: Any = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=out(errors=True), transient=True, refresh_per_second=5) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


class _Lines:
    """Progress where nothing can be redrawn: a line each tenth of the way, and none for what takes less than a second."""

    def __init__(self, what: str, unit: str):
        self.what, self.unit, self.tenth, self.begun = what, unit, 0, monotonic()

    def step(self, done: int, total: int | None) -> None:
        tenth = 10 * done // total if total else 0
        if total and tenth > self.tenth and monotonic() - self.begun > 1.0:
            self.tenth = tenth
            amount = (
                f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if self.unit == "bytes" else f"{done} of {total}"
            )
            tell(f"{self.what}  {10 * tenth} %  {amount}")
