"""A process node as a closure over slots: everything that can be decided is decided before the first frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from ..frames import Frame, Geometry, Tick
from ..plan.convert import in_order, value_conversion
from ..values import Each, Items, pairs
from .rasters import Pool, copy_frame

__all__ = ["bind_call", "bind_carried", "bind_mapped", "bind_tracked", "outputs_for", "with_policy"]

ABSENCE = 1_000_000  # µs a track may be away before its state is forgotten
Step = Callable[[], None]
Slots = list[Any]


def bind_call(
    fn: Callable[..., Any],
    slots: Slots,
    reads: Sequence[int],
    converts: Sequence[str],
    writes: Sequence[int],
    nothing: Mapping[int, Callable[[Any], Any]],
) -> Step:
    """`slots[writes] = fn(*slots[reads])`, with as little between as the case allows.

    `nothing`: argument → what puts a value in an empty place.
    """
    if any(converts) or nothing:
        steps = [value_conversion(c) or nothing.get(i) for i, c in enumerate(converts)]
        return _bind_converting(fn, slots, reads, steps, writes)
    if len(writes) != 1:
        return _bind_many(fn, slots, reads, writes)
    (out,) = writes
    match reads:
        case []:

            def step() -> None:
                slots[out] = fn()
        case [a]:

            def step() -> None:
                slots[out] = fn(slots[a])
        case [a, b]:

            def step() -> None:
                slots[out] = fn(slots[a], slots[b])
        case [a, b, c]:

            def step() -> None:
                slots[out] = fn(slots[a], slots[b], slots[c])
        case _:

            def step() -> None:
                slots[out] = fn(*[slots[i] for i in reads])

    return step


def _bind_many(fn: Callable[..., Any], slots: Slots, reads: Sequence[int], writes: Sequence[int]) -> Step:
    def step() -> None:
        _store(slots, writes, fn(*[slots[i] for i in reads]))

    return step


def _store(slots: Slots, writes: Sequence[int], result: Any) -> None:
    if not writes:
        return
    if len(writes) == 1:
        slots[writes[0]] = result
        return
    if not isinstance(result, tuple) or len(result) != len(writes):
        raise TypeError(f"process() must return a tuple of {len(writes)} outputs")
    for slot, value in zip(writes, result, strict=True):
        slots[slot] = value


def _bind_converting(
    fn: Callable[..., Any],
    slots: Slots,
    reads: Sequence[int],
    steps: Sequence[Callable[[Any], Any] | None],
    writes: Sequence[int],
) -> Step:
    getters = tuple(zip(reads, steps, strict=True))

    def step() -> None:
        _store(slots, writes, fn(*[change(slots[i]) if change else slots[i] for i, change in getters]))

    return step


def bind_mapped(
    fn: Callable[..., Any],
    slots: Slots,
    reads: Sequence[int],
    converts: Sequence[str],
    writes: Sequence[int],
    *,
    mapped: Sequence[int],
    state_at: int | None,
    new_state: Callable[[], SimpleNamespace],
    states: dict[int, tuple[SimpleNamespace, int]],
    tick: Tick,
) -> Step:
    """Call `fn` for each item of the list at argument `mapped[0]`; others in `mapped` are paired by track id.

    A missing partner is None. Outputs are `Each` lists with the same ids. State is one a track (with the time it was
    last used), forgotten after ABSENCE.
    """

    read, change = _reader(slots, reads, converts, mapped), [value_conversion(c) for c in converts]

    def step() -> None:
        given = read()
        lists = {m: {t: f(v) if (f := change[m]) else v for t, v in pairs(given[m])} for m in mapped}
        ids = tuple(lists[mapped[0]])
        rows = []
        for track in ids:
            args = list(given)
            for m in mapped:
                args[m] = lists[m].get(track)
            if state_at is not None:
                state = states[track][0] if track in states else new_state()
                states[track] = (state, tick.time)
                args[state_at] = state
            rows.append(fn(*args))
        _forget(states, tick.time)
        for k, slot in enumerate(writes):
            slots[slot] = Each(ids, tuple(rows) if len(writes) == 1 else tuple(row[k] for row in rows))

    return step


def _reader(
    slots: Slots, reads: Sequence[int], converts: Sequence[str], mapped: Sequence[int]
) -> Callable[[], list[Any]]:
    """All arguments, converted; those of `mapped` are lists whose items are converted one by one, later."""
    changes = [None if i in mapped else value_conversion(c) for i, c in enumerate(converts)]
    getters = tuple(zip(reads, changes, strict=True))
    return lambda: [change(slots[i]) if change else slots[i] for i, change in getters]


def bind_tracked(
    call: Step,
    slots: Slots,
    track: int,
    nothing: Sequence[tuple[int, Any]],
    *,
    state_slot: int | None,
    new_state: Callable[[], SimpleNamespace],
    states: dict[int, tuple[SimpleNamespace, int]],
    tick: Tick,
) -> Step:
    """`call` for the track whose id is in slot `track`, with that track's state; below 0 `nothing` is written instead."""

    def step() -> None:
        key = slots[track]
        if key < 0:
            for slot, value in nothing:
                slots[slot] = value
            return
        if state_slot is not None:
            slots[state_slot] = states[key][0] if key in states else new_state()
            states[key] = (slots[state_slot], tick.time)
            _forget(states, tick.time)
        call()

    return step


def _forget(states: dict[int, tuple[SimpleNamespace, int]], now: int) -> None:
    """The states of tracks that were away for too long."""
    for gone in [t for t, (_, seen) in states.items() if abs(now - seen) > ABSENCE]:
        del states[gone]


def bind_carried(fn: Callable[..., Any], slots: Slots, reads: Sequence[int], converts: Sequence[str], out: int, *,
                 mapped: int, carried: int) -> Step:  # fmt: skip
    """Item after item in order of track id, each on the Image of the one before; without items it passes through."""
    read, change = _reader(slots, reads, converts, (mapped,)), value_conversion(converts[mapped])

    def step() -> None:
        args = read()
        for _, item in in_order(args[mapped]):
            args[mapped] = change(item) if change else item
            args[carried] = fn(*args)
        slots[out] = args[carried]

    return step


def with_policy(step: Step, slots: Slots, watched: Sequence[tuple[int, int, str]]) -> Step:
    """`when_empty` of some inputs: (where it comes in, the node's own slot for it, "hold" or "skip").

    Hold gives the node the last value that was there (a copy of a raster, whose memory is refilled); skip leaves its
    outputs as they are.
    """
    held: dict[int, Any] = {}

    def careful() -> None:
        for slot, own, how in watched:
            value = slots[slot]
            nothing = value is None or (isinstance(value, (Items, Each, tuple)) and not len(value))
            if nothing and how == "skip":
                return
            if how == "hold":
                if not nothing:
                    held[own] = copy_frame(value, held.get(own)) if isinstance(value, Frame) else value
                value = held.get(own, value)
            slots[own] = value
        step()

    return careful


def outputs_for(step: Step, slots: Slots, out_slot: int, pool: Pool, buffers: Sequence[int], tick: Tick,
                twice: bool) -> Step:  # fmt: skip
    """Put the plan's buffers, as large as they must be now, where the node's argument `out` is read.

    `twice`: two sets in turn, so that a call that fails half way leaves the last good result whole.
    """
    sets: list[dict[int, Frame]] = [{}, {}] if twice else [{}]
    turn = 0

    def prepared() -> None:
        nonlocal turn
        turn = (turn + 1) % len(sets)
        frames = []
        for index in buffers:
            like = pool.buffers[index].like
            source = slots[like] if like >= 0 else None
            geometry = source.geometry if source is not None else Geometry(tick.width, tick.height)
            frame = sets[turn].get(index)
            if frame is None or (frame.geometry is not geometry and frame.geometry != geometry):
                frame = sets[turn][index] = pool.frame(index, geometry, copy=turn)
            frames.append(frame)
        slots[out_slot] = frames[0] if len(frames) == 1 else tuple(frames)
        step()

    return prepared
