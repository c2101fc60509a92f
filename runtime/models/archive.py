"""Files out of wheels, npm archives, source archives and bundles, as data: read, never unpacked to disk, never run."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from .cut import CutError, cut, is_cut

__all__ = ["ArchiveError", "read_members"]

LARGEST = 512 << 20  # of one member: far above any model here, far below what would hurt


class ArchiveError(Exception):
    """A carrier that isn't the archive it should be, or lacks a member."""


def read_members(path: Path, ways: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], bytes]:
    """The bytes at the end of each way (`()` is the file itself). A way that leads nowhere is left out.

    ArchiveError if the file can't be read as an archive.
    """
    wanted = set(ways)
    found = {(): path.read_bytes()} if () in wanted else {}
    inside = wanted - {()}
    if inside:
        with open(path, "rb") as file:
            found |= _read(file, inside)
    return found


def _read(file, ways: set[tuple[str, ...]]) -> dict[tuple[str, ...], bytes]:
    found: dict[tuple[str, ...], bytes] = {}
    names = {way[0] for way in ways}
    try:
        outer = _from_zip(file, names) if zipfile.is_zipfile(file) else _from_tar(file, names)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise ArchiveError(f"not a whole archive ({error})") from error
    for name, data in outer.items():
        if (name,) in ways:
            found[name,] = data
        if deeper := {way[1:] for way in ways if way[0] == name and len(way) > 1}:
            found |= {(name, *rest): part for rest, part in _read_member(data, deeper).items()}
    return found


def _read_member(data: bytes, ways: set[tuple[str, ...]]) -> dict[tuple[str, ...], bytes]:
    """Members of a member: of a bundle, its files; of a network, the parts that are cut out of it."""
    cuts = {way for way in ways if len(way) == 1 and is_cut(data, way[0])}
    try:
        found = {way: cut(data, way[0]) for way in cuts}
    except CutError as error:
        raise ArchiveError(str(error)) from error
    return found | _read(io.BytesIO(data), ways - cuts) if ways - cuts else found


def _from_zip(file, names: set[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        here = {info.filename: info for info in archive.infolist()}
        return {name: _bounded(archive.open(here[name])) for name in names if name in here}


def _from_tar(file, names: set[str]) -> dict[str, bytes]:
    file.seek(0)
    found = {}
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        for info in archive:
            if info.isfile() and info.name in names:
                found[info.name] = _bounded(archive.extractfile(info))
                if len(found) == len(names):
                    break
    return found


def _bounded(stream) -> bytes:
    with stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ArchiveError(f"a member is larger than {LARGEST >> 20} MiB")
    return data
