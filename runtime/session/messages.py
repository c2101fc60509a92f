"""What a session is told, and what it answers: plain data, the same in one process, over a pipe or a socket.

Load ─> Loaded | Failed         SetParameter, SendEvent, Seek, Probe ─> Done | Value | Failed
Telemetry comes unasked, a few times a second; Stopped is the last word.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import msgpack

from ...graph.errors import SessionError

__all__ = ["MESSAGES", "Done", "Failed", "Load", "Loaded", "Probe", "Seek", "SendEvent", "SetParameter", "Stop",
           "Stopped", "Telemetry", "Value", "decode", "encode"]  # fmt: skip


@dataclass(frozen=True)
class Load:
    """Play this effect from now on; state whose slots agree goes on."""

    effect: str  # effect.json's text
    folder: str = ""
    profile: str = "default"


@dataclass(frozen=True)
class SetParameter:
    """Move a public parameter, or `path.name` of a node."""

    name: str
    value: Any


@dataclass(frozen=True)
class SendEvent:
    """Something happened (a key, a touch): it reaches the effect exactly once."""

    name: str
    time: int = -1  # µs of the stream; −1 = now
    value: float = 1.0
    x: float = 0.0  # frame heights from the frame's centre, x right, y down
    y: float = 0.0


@dataclass(frozen=True)
class Seek:
    """Go to a time of the clip, in µs; state starts anew."""

    time: int


@dataclass(frozen=True)
class Probe:
    """What an output holds."""

    node: str
    port: str


@dataclass(frozen=True)
class Stop:
    """End after the frame in flight."""


@dataclass(frozen=True)
class Loaded:
    """The plan plays; `kept` and `fresh` name the state that went on and that which did not."""

    stages: int
    kernels: int
    kept: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """It was done."""


@dataclass(frozen=True)
class Value:
    """A probe's answer: plain data, or a raster's shape, type and bytes."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """It could not be done; nothing changed."""

    error: str


@dataclass(frozen=True)
class Telemetry:
    """How it goes. Costs are (node, p50 ms, p95 ms), ages (node of a slow model, ms that its result is old)."""

    shown: int
    dropped: int
    fps: float
    costs: tuple[tuple[str, float, float], ...] = ()
    failures: tuple[tuple[str, str, int], ...] = ()
    ages: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Stopped:
    """The session is over."""


MESSAGES = {
    m.__name__: m
    for m in (
        Load,
        SetParameter,
        SendEvent,
        Seek,
        Probe,
        Stop,
        Loaded,
        Done,
        Value,
        Failed,
        Telemetry,
        Stopped,
    )
}


def encode(message: Any) -> bytes:
    """A message as msgpack: [name, field, …]."""
    return msgpack.Packer().pack(
        [type(message).__name__, *(getattr(message, f.name) for f in fields(message))]
    )


def decode(data: bytes) -> Any:
    """The message of `encode`.

    Raises:
        SessionError: it is none.
    """
    try:
        name, *values = msgpack.unpackb(data, use_list=False)
        return MESSAGES[name](*values)
    except Exception as error:
        raise SessionError(f"not a message: {type(error).__name__}: {error}") from None
