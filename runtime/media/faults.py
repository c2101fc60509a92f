"""FFmpeg's and the system's errors in words."""

from __future__ import annotations

import errno
from pathlib import Path

__all__ = ["disk_full", "reason"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def disk_full(error: BaseException) -> bool:
    """Whether an error means that no more can be written there."""
    return getattr(error, "errno", None) in _FULL


def reason(error: BaseException) -> str:
    """The bare cause, without FFmpeg's numbers and file names."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]


def missing(path: Path) -> str | None:
    """Why a file can't be read, if the file system already says so."""
    if path.is_dir():
        return "is a folder, not a file"
    if not path.exists():
        near = path.parent if path.parent.is_dir() else None
        return "doesn't exist" + ("" if near else f" (nor does the folder {path.parent})")
    if path.stat().st_size == 0:
        return "is empty (0 bytes)"
    return None
