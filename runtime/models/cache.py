"""Where model files live on this machine: by SHA-256, verified when written and each time they are asked for."""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from .registry import Variant

__all__ = [
    "cache_root",
    "extra_folders",
    "hash_file",
    "locked",
    "lookup",
    "models_folder",
    "store",
    "working_folder",
]

log = logging.getLogger("spellwire.models")


def cache_root() -> Path:
    """The cache of this user: $SPELLWIRE_CACHE, or `spellwire` in the platform's cache folder."""
    if set_by_user := os.environ.get("SPELLWIRE_CACHE"):
        return Path(set_by_user).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "spellwire"


def models_folder() -> Path:
    """The folder of cached model files."""
    return cache_root() / "models"


def extra_folders() -> tuple[Path, ...]:
    """Folders of the user's own ($SPELLWIRE_MODELS, separated like PATH), searched first, by hash."""
    named = os.environ.get("SPELLWIRE_MODELS", "").split(os.pathsep)
    return tuple(Path(name).expanduser() for name in named if name)


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lookup(variant: Variant) -> Path | None:
    """A verified file of this variant, if there is one here. A spoilt one is reported and passed over."""
    for folder in extra_folders():
        for path in _files(folder):
            if _matches(path, variant):
                return path
    for folder in (models_folder(), _fallback_folder_if_made()):
        path = folder / variant.file if folder else None
        if path is not None and path.is_file():
            if _matches(path, variant):
                return path
            log.warning("%s is damaged; it will be fetched again.", path)
    return None


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError:
        return []


def _matches(path: Path, variant: Variant) -> bool:
    try:
        return path.stat().st_size == variant.bytes and hash_file(path) == variant.sha256
    except OSError:
        return False


def store(variant: Variant, data: bytes) -> Path:
    """Put verified bytes into the cache, whole or not at all, and return their path.

    Where the cache can't be written, a folder of this run takes them. OSError if that can't be written either.
    """
    try:
        return _write(models_folder() / variant.file, data)
    except OSError as error:
        _warn_once(str(cache_root()), str(error))
        return _write(_fallback_folder() / variant.file, data)


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return path


@cache
def _warn_once(root: str, reason: str) -> None:
    log.warning("The cache %s can't be written (%s); models are kept for this run only.", root, reason)


@cache
def _fallback_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="spellwire-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _fallback_folder_if_made() -> Path | None:
    return _fallback_folder() if _fallback_folder.cache_info().currsize else None


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder for a download, gone afterwards: in the cache, where there is room for models, if that can be written."""
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        _sweep(models_folder())
        folder = tempfile.mkdtemp(prefix=".fetch-", dir=models_folder())
    except OSError:
        folder = tempfile.mkdtemp(prefix="spellwire-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left behind, once it is a day old."""
    for left in (*folder.glob(".fetch-*"), *folder.glob(".part-*")):
        try:
            if time.time() - left.stat().st_mtime > 86400:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        except OSError:
            continue


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock among processes, so that two that miss a file fetch it once. No lock where none can be made."""
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        file = open(models_folder() / f".{name}.lock", "a+b")  # noqa: SIM115 - its failure alone is caught
    except OSError:
        yield
        return
    with file:
        _lock(file)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                return
            except OSError:
                time.sleep(0.1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
