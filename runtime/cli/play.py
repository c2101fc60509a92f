"""`spellwire play`: an effect over a clip, a picture or a camera, into a file, a window or nowhere."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ...graph.document import load_effect
from ...graph.effect import Effect
from ...graph.errors import UsageError
from . import STARTED
from .labels import with_fused
from .library import find_effect
from .needs import demo_clip, ready_models
from .show import command, out, progress, table, tell

if TYPE_CHECKING:
    from ..media.base import Sink, Source
    from ..session import Report, Session

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire play relight                                        the demo clip, in a window
  spellwire play relight --input demo --output out/relight.mp4
  spellwire play grade --input clip.mp4 --output graded.mov --set warmth=0.4
  spellwire play grade --camera 0 --output window               keys: m mirror, s snapshot, r record, q quit
  spellwire play grade --input clip.mp4 --realtime --output null --trace trace.json
"""
PROFILES = ("default",)


def parser() -> ArgumentParser:
    made = command(
        "play", "Play an effect over a clip, a picture, a sequence or a camera.\n"
        "Into a file every frame is played and nothing is dropped; into a window, or with --realtime, frames come\n"
        "at their own pace, and what can't be shown in time is dropped and counted.", EXAMPLES,
    )  # fmt: skip
    made.add_argument("effect", metavar="EFFECT", help="a name of the library (spellwire effects), a folder, an effect.json")
    where = made.add_mutually_exclusive_group()
    where.add_argument("--input", metavar="PATH", default="demo", help="a clip, picture, folder, pattern (shot/%%04d.png), or demo")
    where.add_argument("--camera", metavar="N", help="a camera, by number or device")
    made.add_argument("--output", metavar="PATH", default="window", help="a clip, picture, pattern, window (default) or null")
    made.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], type=setting, help="a public parameter; repeatable")
    made.add_argument("--realtime", action="store_true", help="play a clip as a camera would deliver it")
    made.add_argument("--loop", action="store_true", help="start over at the end")
    made.add_argument("--frames", metavar="N", type=count, help="stop after N frames")
    made.add_argument("--sheet", metavar="PNG", help="also a contact sheet: before and after, side by side")
    made.add_argument("--trace", metavar="JSON", help="also a trace, for Perfetto or chrome://tracing")
    made.add_argument("--profile", choices=PROFILES, default="default", help="what the device can do (%(default)s)")
    made.add_argument("--threads", metavar="N", type=count, help="threads of kernels and models (all cores); never changes the result")
    return made


def setting(text: str) -> tuple[str, Any]:
    """`NAME=VALUE`: a word, a number, yes or no, numbers with commas between them, or `#rrggbb`."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"{text!r}: write it as NAME=VALUE")
    if value.startswith("#"):
        return name, _colour(value)
    return name, tuple(value.split(",")) if "," in value else value


def _colour(text: str) -> tuple[float, ...]:
    digits = text[1:]
    if len(digits) not in (6, 8) or any(d not in "0123456789abcdefABCDEF" for d in digits):
        raise ArgumentTypeError(f"{text!r} is no colour; write it as #rrggbb or #rrggbbaa")
    return tuple(int(digits[i : i + 2], 16) / 255 for i in range(0, len(digits), 2))


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def run(args: Namespace) -> int:
    if args.sheet and (args.output in ("window", "null") or args.camera or args.realtime):
        raise UsageError("--sheet compares a clip with a finished file: give it with --input PATH and --output FILE")
    effect = load_effect(find_effect(args.effect))
    with ExitStack() as stack:
        text = f"camera:{args.camera}" if args.camera is not None else demo_clip() if args.input == "demo" else args.input
        source = stack.enter_context(_source(text, args))
        session = stack.enter_context(_session(effect, source, args))
        sink = _sink(args.output, source, session)
        report = _play(session, source, sink, args)
    _tell(report, source, args.output, with_fused(effect, session.plan))
    if args.sheet:
        _sheet(text, effect, report, args)
    return 0


def _source(text: str, args: Namespace) -> Source:
    from ..media.opening import open_source

    realtime = args.realtime or (args.output == "window" and args.camera is None)
    return open_source(text, realtime=realtime, loop=args.loop)


def _session(effect: Effect, source: Source, args: Namespace) -> Session:
    from ..session import Session

    ready_models(effect)
    with progress("compiling kernels", "kernels") as step:
        return Session.load(
            effect, source.info, values=dict(args.set), live=source.info.live, threads=args.threads, profile=args.profile,
            progress=step,
        )  # fmt: skip


def _sink(output: str, source: Source, session: Session) -> Sink:
    from ..media.opening import open_sink

    if output == "window":
        return open_sink(
            output, hud=True, on_key=lambda name, time: session.event(name, time=time),
            on_touch=lambda name, x, y, time: session.event(name, time=time, x=x, y=y),
        )  # fmt: skip
    if output == "null":
        return open_sink(output)
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    return open_sink(output, audio_from=source.info.path if source.info.has_audio else None)


def _play(session: Session, source: Source, sink: Sink, args: Namespace) -> Report:
    from ..media.interrupt import graceful_exit
    from ..session.trace import Trace

    session.trace = Trace() if args.trace else None
    total = args.frames or (None if args.loop else source.info.frames)
    begun: list[float] = []

    def shown(frames: int) -> None:
        if not begun:
            begun.append(perf_counter() - STARTED)
        step(frames, total)

    try:
        with graceful_exit(), progress("playing") as step:
            report = session.play(source, sink, frames=args.frames, on_frame=shown)
    except (KeyboardInterrupt, SystemExit):
        kept = "" if args.output in ("window", "null") else f"; {args.output} holds what was written"
        tell(f"stopped after {session.report.frames} frames{kept}")
        raise
    finally:
        if session.trace:
            session.trace.save(args.trace)
    tell(f"first frame after {begun[0]:.1f} s" if begun else "no frame was played")
    return report


def _tell(report: Report, source: Source, output: str, names: Mapping[str, str]) -> None:
    rows = [(names.get(path, path), f"{p50:.2f}", f"{p95:.2f}", bar) for path, p50, p95, bar in _shares(report.costs)]
    show = out()
    if rows:
        show.print(table("cost a frame", ("node", "median ms", "95 % ms", ""), rows, numbers=(1, 2)), "")
    info = source.info
    dropped = f", {report.dropped} dropped" if info.live else ""
    where = "" if output in ("window", "null") else f"  →  {output}"
    show.print(f"{report.frames} frame{'s' * (report.frames != 1)} of {info.width}×{info.height} at {report.fps:.1f} fps{dropped}{where}", markup=False)
    if report.ages:
        ages = sorted(report.ages)
        show.print(f"from arrival to shown: median {ages[len(ages) // 2]:.1f} ms, 99 % {ages[len(ages) * 99 // 100]:.1f} ms")
    for path, ages in report.model_ages.items():
        ages = sorted(ages)
        show.print(f"{names.get(path, path)}: what it showed was {ages[len(ages) // 2]:.0f} ms old, 99 % {ages[len(ages) * 99 // 100]:.0f} ms", markup=False)
    if source.damaged:
        tell(f"{source.damaged} pictures of {info.name} could not be decoded and were left out")
    for node, (error, times) in report.failures.items():
        called = f"{node} ({names[node].partition('  (with ')[0]})" if node in names else node
        tell(f"{called} failed {'once' if times == 1 else f'{times} times'} and its fallback went on: {error}")


def _shares(costs: Sequence[tuple[str, float, float]]) -> list[tuple[str, float, float, str]]:
    """One row a node, halves of one added up, the dearest first, each with a bar of its share."""
    added: dict[str, tuple[float, float]] = {}
    for path, p50, p95 in costs:
        before = added.get(path, (0.0, 0.0))
        added[path] = before[0] + p50, before[1] + p95
    whole = sum(p50 for p50, _ in added.values()) or 1.0
    ordered = sorted(added.items(), key=lambda row: -row[1][0])
    return [(path, p50, p95, "━" * round(30 * p50 / whole)) for path, (p50, p95) in ordered]


def _sheet(text: str, effect: Effect, report: Report, args: Namespace) -> None:
    """Six moments of the result, each beside the frame it was made from."""
    from ..media.base import Picture
    from ..media.contact import comparison_sheet, pick_pictures
    from ..media.opening import open_source

    with open_source(args.output) as source:
        after = pick_pictures(source, 6)
    before = []
    with open_source(text) as source:
        while len(before) < len(after) and (stamp := source.grab()) is not None:
            if stamp.time_us + source.info.interval_us // 2 >= after[len(before)].time_us:
                before.append(Picture(source.retrieve(), *stamp))
    Path(args.sheet).parent.mkdir(parents=True, exist_ok=True)
    title = f"{effect.title or args.effect}   {report.fps:.0f} fps"
    comparison_sheet(before, after, args.sheet, title=title, labels=("before", "after"))
    tell(f"contact sheet: {args.sheet}")
