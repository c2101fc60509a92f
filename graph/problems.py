"""What is wrong with an effect: where, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Problem", "Severity"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing found by validation.

    Attributes:
        node: path of the node ("n3/n1" inside a group); "" = the effect as a whole.
        port: its port or parameter; "" = the node as a whole.
        cause: what is wrong.
        fix: what to do, in the imperative.
        severity: an error keeps the effect from playing; a warning does not.
    """

    node: str
    port: str
    cause: str
    fix: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = ".".join(p for p in (self.node, self.port) if p) or "effect"
        return f"{place}: {self.cause}" + (f"; {self.fix}" if self.fix else "")
