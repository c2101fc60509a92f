"""What a node is given in `open`: models, native loops, files, threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...graph.errors import DocumentError, NodeError

__all__ = ["NodeContext"]


@dataclass
class NodeContext:
    """Handed to `open(context)`.

    Attributes:
        threads: how many a model or a loop may use.
        profile: the profile's name.
        folder: the effect's folder, or None for an effect that was never saved.
        natives: native loops by name, ctypes functions out of the plan's library.
        working_space: of the effect, "srgb" or "linear": what a raster that a node makes must hold.
        params: the node's parameters as the effect has them (files and models as references), so that a node can open
            what it needs, and refuse what can't work, before the first frame.
    """

    threads: int = 1
    profile: str = "default"
    folder: Path | None = None
    natives: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    opener: Callable[..., Any] | None = None
    working_space: str = "srgb"
    _opened: list[Any] = field(default_factory=list, repr=False)

    def model(self, reference: Any, variant: str = "auto") -> Any:
        """A model of the registry by id, or of the effect by asset: opened, verified, closed with the node.

        Raises:
            ModelError: it is unknown, can't be had, or is not what it says.
        """
        from ..models.model import open_model

        opener = self.opener or open_model
        if isinstance(reference, Mapping) and "asset" in reference:
            reference = self.asset(reference)
        elif isinstance(reference, Mapping):
            variant = reference.get("variant", variant)
            reference = reference["model"]
        if isinstance(reference, str):
            reference = {"model": reference, "variant": variant}
        model = opener(reference, threads=self.threads)
        self._opened.append(model)
        return model

    def native(self, name: str) -> Callable[..., Any]:
        """A native loop of the plan's library."""
        try:
            return self.natives[name]
        except KeyError:
            known = ", ".join(self.natives) or "none"
            raise NodeError(f"the plan's library has no native loop {name!r}; it has: {known}") from None

    def asset(self, reference: Any) -> Path:
        """The file behind `{"asset": "assets/…"}`.

        Raises:
            DocumentError: it is missing, or outside the effect's folder.
        """
        name = reference["asset"] if isinstance(reference, Mapping) else str(reference)
        if self.folder is None:
            raise DocumentError(f"asset {name!r}: the effect has no folder yet; save it first")
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise DocumentError(f"asset {name!r} lies outside the effect's folder; put it under assets/")
        if not path.is_file():
            raise DocumentError(
                f"asset {name!r} is missing from {self.folder}; put the file back or choose another"
            )
        return path

    def close(self) -> None:
        """Close the models this node opened."""
        while self._opened:
            self._opened.pop().close()
