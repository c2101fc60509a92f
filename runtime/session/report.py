"""How a run went."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Report"]


@dataclass
class Report:
    """How a run went.

    Attributes:
        frames, dropped: shown, and let go at the entrance.
        seconds: from the first frame to the last.
        first_frame: seconds from the call to the first frame shown.
        costs: (node, p50 ms, p95 ms).
        failures: node → (last error, how often).
        ages: ms from a frame's arrival to the sink, live only.
        model_ages: node of a slow model → how old its result was, in ms, frame by frame, live only.
    """

    frames: int = 0
    dropped: int = 0
    seconds: float = 0.0
    first_frame: float = 0.0
    costs: list[tuple[str, float, float]] = field(default_factory=list)
    failures: dict[str, tuple[str, int]] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)
    model_ages: dict[str, list[float]] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        return (self.frames - 1) / self.seconds if self.frames > 1 and self.seconds else 0.0
