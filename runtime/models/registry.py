"""What models there are: `registry.json`, read once into frozen records.

A variant is one file, known by its SHA-256. Its sources name a carrier (a wheel, an npm archive, an address) and the
way to the file inside it: `("pkg/face_landmarker.task", "face_blendshapes.tflite")` is a member of a member.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ...graph.errors import ModelError

__all__ = [
    "Carrier",
    "Entry",
    "Source",
    "Tensor",
    "Variant",
    "embedded",
    "entries",
    "find",
    "match",
    "variants_in",
]

Commercial = Literal["yes", "no", "unclear"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A declared input or output: shape (None for a free axis) and meaning, with range and order of colours."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A file that somebody publishes and that holds models: `pypi` wheel, `sdist`, `npm` archive, or plain `url`."""

    key: str
    kind: Literal["pypi", "sdist", "npm", "url"]
    name: str
    version: str = ""
    sha256: str | None = None
    bytes: int | None = None
    python: str | None = None
    platform: str | None = None

    def __str__(self) -> str:
        return self.name if self.kind == "url" else f"{self.name} {self.version} ({LABELS[self.kind]})"


LABELS = {"pypi": "PyPI", "sdist": "PyPI source archive", "npm": "npm"}


@dataclass(frozen=True, slots=True)
class Source:
    """A carrier and the way inside it; an empty way means that the carrier itself is the file."""

    carrier: Carrier
    member: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One file of a model."""

    name: str
    precision: str
    bytes: int
    sha256: str
    suffix: str
    sources: tuple[Source, ...]

    @property
    def file(self) -> str:
        """Its name in the cache."""
        return self.sha256 + self.suffix


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the registry. `variants` are in order of preference: "auto" is the first."""

    id: str
    task: str
    title: str
    publisher: str
    licence: str
    commercial: Commercial
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    variants: tuple[Variant, ...]
    embedded: bool = False
    note: str = ""

    def variant(self, name: str = "auto") -> Variant:
        """The variant of that name. ModelError if there is none."""
        for variant in self.variants:
            if name in ("auto", variant.name):
                return variant
        names = ", ".join(variant.name for variant in self.variants)
        raise ModelError(f"Model {self.id} has no variant {name!r}; it has {names}, and auto.")


@cache
def entries() -> Mapping[str, Entry]:
    """All models by id, sorted."""
    data = json.loads(files("spellwire.runtime.models").joinpath("registry.json").read_text("utf-8"))
    carriers = {key: Carrier(key, **fields) for key, fields in data["carriers"].items()}
    return {entry["id"]: _entry(entry, carriers) for entry in sorted(data["models"], key=lambda e: e["id"])}


def find(model_id: str) -> Entry:
    """The model of that id. ModelError with near names if there is none."""
    if model_id in entries():
        return entries()[model_id]
    near = get_close_matches(model_id, entries(), 3, 0.5)
    hint = f" Near it: {', '.join(near)}." if near else ""
    raise ModelError(f"The registry has no model {model_id!r}.{hint} See: spellwire models list.")


def match(pattern: str) -> tuple[Entry, ...]:
    """Models whose id is `pattern` or matches it as a glob; "embedded" and "all" are words for those sets."""
    if pattern == "embedded":
        return embedded()
    found = tuple(e for e in entries().values() if pattern == "all" or fnmatchcase(e.id, pattern))
    return found or (find(pattern),)


def embedded() -> tuple[Entry, ...]:
    """The models that the effects of the library need."""
    return tuple(entry for entry in entries().values() if entry.embedded)


def variants_in(carrier: Carrier) -> tuple[tuple[Variant, Source], ...]:
    """Every variant that this carrier holds, with its source there."""
    return tuple(
        (variant, source)
        for entry in entries().values()
        for variant in entry.variants
        for source in variant.sources
        if source.carrier is carrier
    )


def _entry(data: dict[str, Any], carriers: Mapping[str, Carrier]) -> Entry:
    fields = dict(data)
    fields["inputs"] = tuple(map(_tensor, data.get("inputs", ())))
    fields["outputs"] = tuple(map(_tensor, data.get("outputs", ())))
    fields["variants"] = tuple(_variant(v, carriers) for v in data["variants"])
    return Entry(**fields)


def _tensor(data: dict[str, Any]) -> Tensor:
    return Tensor(**{**data, "shape": tuple(data["shape"])})


def _variant(data: dict[str, Any], carriers: Mapping[str, Carrier]) -> Variant:
    sources = tuple(Source(carriers[s["carrier"]], tuple(s.get("member", ()))) for s in data["sources"])
    return Variant(**{**data, "sources": sources})
