"""Files that belong to an effect: references, kept inside its folder, known by their SHA-256.

A reference is `{"asset": "assets/hat.glb", "sha256": "…"}`: a path with forward slashes, relative to the effect's folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from .effect import Effect
from .errors import DocumentError
from .frozen import FrozenDict

__all__ = ["add_asset", "asset_path", "asset_problem", "asset_references", "file_sha256"]

Reference = Mapping[str, Any]


def asset_path(folder: Path, reference: Reference) -> Path:
    """The file a reference names.

    Raises:
        DocumentError: its path leaves the effect's folder, or is no path.
    """
    name = reference.get("asset")
    if not isinstance(name, str) or not name or "\\" in name or ":" in name or "\0" in name:
        raise DocumentError(f"asset {name!r}: a path inside the effect's folder, with forward slashes")
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        raise DocumentError(f"asset {name!r} leaves the effect's folder; copy the file into assets/")
    path = folder / pure
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DocumentError(
            f"asset {name!r} is a link out of the effect's folder; copy the file into assets/"
        )
    return path


def asset_problem(reference: Reference, folder: Path | None) -> tuple[str, str] | None:
    """(cause, fix) where an asset is missing, outside the folder, or not the one that was saved."""
    try:
        path = asset_path(folder or Path(), reference)
    except DocumentError as error:
        return str(error), "copy the file into the effect's assets/"
    if folder is None:
        return None
    name, saved = reference["asset"], reference.get("sha256")
    if not path.is_file():
        return f"its file {name!r} is missing", f"put it at {path}, or choose another"
    if saved is not None and file_sha256(path) != saved:
        return (
            f"its file {name!r} is not the one that was saved",
            "save the effect again if the new one is meant",
        )
    return None


def asset_references(effect: Effect) -> Iterator[Reference]:
    """Every asset reference in the effect's parameters, groups included."""
    for scope in ("", *effect.groups):
        graph = effect.graph(scope)
        values = [v for node in graph.nodes.values() for v in node.params.values()]
        values += [entry.default for entry in graph.interface]
        yield from (v for v in values if isinstance(v, Mapping) and "asset" in v)


def add_asset(folder: Path, file: Path) -> FrozenDict[str, Any]:
    """Copy a file into the effect's assets/ and refer to it. The same content is not copied twice.

    Raises:
        DocumentError: it can't be read or copied.
    """
    import shutil

    try:
        digest = file_sha256(file)
        target = _free_name(folder / "assets", file, digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.{os.getpid()}.part")
            shutil.copyfile(file, aside)
            os.replace(aside, target)
    except OSError as error:
        raise DocumentError(f"{file}: can't be copied into the effect: {error.strerror}") from None
    return FrozenDict(asset=f"assets/{target.name}", sha256=digest)


def _free_name(folder: Path, file: Path, digest: str) -> Path:
    """The file's own name; with a number where another file has it already."""
    number, target = 1, folder / file.name
    while target.exists() and file_sha256(target) != digest:
        number += 1
        target = folder / f"{file.stem}-{number}{file.suffix}"
    return target


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    import hashlib

    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
