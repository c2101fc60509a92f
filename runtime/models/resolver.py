"""From a model's id to a verified file on this machine.

The user's own folders, then the cache, then the network. What comes from outside is compared with the registry's
SHA-256 before it enters the cache, and again whenever it leaves it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...graph.errors import ModelMismatch, ModelUnavailable
from .cache import lookup, models_folder
from .registry import Variant, find

__all__ = ["Progress", "resolve"]

Progress = Callable[[str, int, int | None], None]
"""Called with what is being fetched, bytes so far, and bytes in all where that is known."""


def resolve(
    model_id: str, variant: str = "auto", *, progress: Progress | None = None, offline: bool = False
) -> Path:
    """The verified file of a model, fetched if need be, with all other registered models that its carrier holds.

    ModelUnavailable: not here, and no source could be reached (or `offline`). ModelMismatch: a source gave other
    bytes than the registry knows.
    """
    wanted = find(model_id).variant(variant)
    if path := lookup(wanted):
        return path
    if offline:
        raise _unavailable(model_id, wanted, ["not looked for on the network, as asked"])
    from .bring import bring  # HTTP, archives: 35 ms that a warm start doesn't need

    path, reasons, mismatches = bring(wanted, progress)
    if path:
        return path
    if mismatches:
        raise ModelMismatch(f"Model {model_id} can't be had as declared. " + " ".join(mismatches))
    raise _unavailable(model_id, wanted, reasons)


def _unavailable(model_id: str, variant: Variant, reasons: list[str]) -> ModelUnavailable:
    return ModelUnavailable(
        f"Model {model_id} is not on this machine ({models_folder() / variant.file}) and couldn't be fetched: "
        f"{'; '.join(reasons)}. With a network, run: spellwire models pull {model_id}"
    )
