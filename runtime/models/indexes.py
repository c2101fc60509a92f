"""Addresses of package files, asked from the index that the user's own pip or npm names.

Only for what the clients can't do as data: pip builds a source archive while it downloads it, and npm may be missing.
"""

from __future__ import annotations

import base64
import html.parser
import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

__all__ = ["NotFoundError", "npm_archive", "open_url", "pypi_source_archive"]

TIMEOUT = 60
ARCHIVES = (".tar.gz", ".zip", ".tar.bz2")


class NotFoundError(OSError):
    """The index has no such file, or no index is known; the message is the reason."""


def open_url(url: str, accept: str = "*/*"):
    """Open an address; a user and password in it become a header. OSError if it can't be."""
    parts = urllib.parse.urlsplit(url)
    secret = ""
    if parts.scheme not in ("http", "https"):
        raise NotFoundError(f"{parts.scheme or 'no'} address")
    if parts.username is not None:
        secret = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        url = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "spellwire"})
    if secret:  # for that host alone, not for one that it redirects to
        request.add_unredirected_header(
            "Authorization", "Basic " + base64.b64encode(secret.encode()).decode()
        )
    return urllib.request.urlopen(request, timeout=TIMEOUT)


def pypi_source_archive(name: str, version: str) -> str:
    """The address of a project's source archive of that version. NotFoundError, or another OSError of the network."""
    project = re.sub(r"[-_.]+", "-", name).lower()
    wanted = {f"{project}-{version}{suffix}" for suffix in ARCHIVES}
    problems = []
    for index in _pip_indexes():
        page = f"{index.rstrip('/')}/{project}/"
        try:
            with open_url(page, "text/html") as answer:
                links = _Links(answer.read().decode("utf-8", "replace")).found
        except OSError as error:
            problems.append(str(getattr(error, "reason", None) or error))
            continue
        for link in links:
            file = urllib.parse.unquote(urllib.parse.urlsplit(link).path.rpartition("/")[2])
            stem, _, rest = file.rpartition(f"-{version}")
            if f"{re.sub(r'[-_.]+', '-', stem).lower()}-{version}{rest}" in wanted:
                return urllib.parse.urljoin(page, link).partition("#")[0]
    raise NotFoundError("; ".join(problems) or f"no index of pip's has a source archive {name} {version}")


def _pip_indexes() -> Iterator[str]:
    """The indexes that pip would ask: configured ones, else its built-in one (which its help names)."""
    settings = re.findall(
        r"^(\S*)\.(index-url|extra-index-url|no-index)='(.*)'$", _pip("config", "list"), re.M
    )
    strength = ["global", "download", ":env:"]  # the later wins, as in pip
    settings = sorted(
        (strength.index(where), key, value) for where, key, value in settings if where in strength
    )
    named = {key: value for _, key, value in settings}
    if named.get("no-index", "0").lower() in ("1", "true", "yes"):
        return
    if "index-url" in named:
        yield named["index-url"]
    elif built_in := re.search(r"default\s+(https?://\S+?)\)", _pip("help", "download")):
        yield built_in[1]
    for url in named.get("extra-index-url", "").split():
        if url.startswith("http"):
            yield url


def _pip(*arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )
    return run.stdout


class _Links(html.parser.HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def npm_archive(name: str, version: str) -> str:
    """The address of an npm archive, where npm itself is missing. NotFoundError, or another OSError of the network."""
    settings = {key.lower(): value for key, value in os.environ.items()}
    registry = settings.get("npm_config_registry") or _npmrc_registry()
    if not registry:
        raise NotFoundError(
            "npm is not installed, and neither npm_config_registry nor ~/.npmrc names a registry"
        )
    with open_url(f"{registry.rstrip('/')}/{name.replace('/', '%2f')}", "application/json") as answer:
        versions = json.load(answer).get("versions", {})
    try:
        return str(versions[version]["dist"]["tarball"])
    except KeyError:
        raise NotFoundError(f"the npm registry has no {name} {version}") from None


def _npmrc_registry() -> str | None:
    try:
        text = (Path.home() / ".npmrc").read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r"^\s*registry\s*=\s*(\S+)", text, re.M)
    return os.path.expandvars(found[1]) if found else None
