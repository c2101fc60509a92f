"""FFmpeg's and the system's errors in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ...graph.errors import SinkError

__all__ = ["claim", "disk_full", "missing", "reason"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def disk_full(error: BaseException) -> bool:
    """Whether an error means that no more can be written there."""
    return getattr(error, "errno", None) in _FULL


def reason(error: BaseException) -> str:
    """The bare cause, without FFmpeg's numbers and file names."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]


def claim(path: Path) -> None:
    """Make the folders a file will lie in; raises SinkError where it can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError("there is a folder of that name")
        if not os.access(path.parent, os.W_OK):
            raise PermissionError("the folder is read-only")
    except OSError as e:
        raise SinkError(f"{path} can't be written: {reason(e)}. Choose another place with --output.") from e


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
