"""A folder of compiled things by key, shared by processes: whole or absent, checked when read, the oldest dropped.

    <root>/<first two of key>/<key>.<hash of the contents><ending>

Written aside and renamed, so a reader never sees half an entry; two processes that make the same entry write the same
bytes, and the last rename wins. A folder that can't be written is replaced by a temporary one, with one warning.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import warnings
from pathlib import Path

__all__ = ["Cache", "default_root"]

_LIMIT = 512 * 2**20


def default_root() -> Path:
    """SPELLWIRE_CACHE, else the user's cache folder, with `kernels` below."""
    if named := os.environ.get("SPELLWIRE_CACHE"):
        return Path(named) / "kernels"
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "spellwire" / "kernels"


class Cache:
    """Bytes by key. Safe for several threads and processes; never raises for a bad or missing disk."""

    def __init__(self, root: Path | None = None, limit: int = _LIMIT):
        self.root, self.limit = root or default_root(), limit
        self._written = 0
        self._aside: Path | None = None
        self._lock = threading.Lock()

    def path(self, key: str, ending: str) -> Path | None:
        """The file of an entry (dlopen and the linker want files); None when absent. A damaged one is removed."""
        for root in self._roots():
            for path in sorted((root / key[:2]).glob(f"{key}.*{ending}")):
                if _whole(path):
                    with contextlib.suppress(OSError):
                        os.utime(path)  # used last now, dropped last
                    return path
        return None

    def put(self, key: str, ending: str, data: bytes) -> Path:
        """Store, and give the entry's path."""
        try:
            path = self._write(self._roots()[-1], key, ending, data)
        except OSError as error:
            path = self._write(self._elsewhere(error), key, ending, data)
        self._prune(len(data))
        return path

    def put_file(self, key: str, ending: str, source: Path) -> Path:
        """Store the contents of a file."""
        return self.put(key, ending, source.read_bytes())

    def _roots(self) -> list[Path]:
        aside = self._aside
        return [self.root] if aside is None else [self.root, aside]

    def _elsewhere(self, error: OSError) -> Path:
        with self._lock:
            if self._aside is None:
                self._aside = Path(tempfile.mkdtemp(prefix="spellwire-kernels-"))
                atexit.register(shutil.rmtree, self._aside, ignore_errors=True)
                warnings.warn(
                    f"the kernel cache {self.root} can't be written ({error.strerror or error}); kernels are kept "
                    "for this run only. Set SPELLWIRE_CACHE to a folder that can be written.",
                    RuntimeWarning,
                    stacklevel=4,
                )
            return self._aside

    def _write(self, root: Path, key: str, ending: str, data: bytes) -> Path:
        path = root / key[:2] / f"{key}.{_digest(data)}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        return path

    def _prune(self, added: int) -> None:
        """Drop the entries used longest ago; looked at once every sixteenth of the limit, not at every write."""
        with self._lock:
            first, self._written = self._written == 0, self._written + added
            if not first and self._written < self.limit // 16:
                return
            self._written = 1
        with contextlib.suppress(OSError):
            entries = []
            for path in self.root.glob("??/*"):
                with contextlib.suppress(OSError):
                    stat = path.stat()
                    entries.append((stat.st_mtime, stat.st_size, path))
            total = sum(size for _, size, _ in entries)
            for _, size, path in sorted(entries, key=lambda e: e[0]):
                if total <= self.limit:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size

    def clear(self) -> None:
        """Drop everything."""
        shutil.rmtree(self.root, ignore_errors=True)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _whole(path: Path) -> bool:
    """Whether an entry is as it was written; a damaged one is removed."""
    try:
        if _digest(path.read_bytes()) == path.name.split(".")[1]:
            return True
        path.unlink()
    except OSError:
        pass
    return False
