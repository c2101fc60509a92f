"""What must be there before the first frame: the demo clip and the models, made or fetched with progress."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ...graph.declare import Declaration
from ...graph.effect import Effect
from ...graph.errors import ModelUnavailable
from ...graph.registry import registry
from ...graph.types import Model
from .show import out, progress, tell

__all__ = ["demo_clip", "library_models", "models_of", "ready_models"]


def demo_clip() -> str:
    """The demo clip in the cache, made where it isn't there yet (or was made by another version)."""
    from ..media import demo_clip as maker
    from ..models.cache import cache_root

    version = sha256(Path(maker.__file__).read_bytes()).hexdigest()[:10]
    clip = cache_root() / "demo" / f"demo-{version}.mp4"
    if clip.is_file():
        return str(clip)
    folder = _writable(clip.parent)
    with tempfile.TemporaryDirectory(dir=folder) as aside, progress("making the demo clip") as step:
        made = maker.make_demo_clip(Path(aside) / clip.name, progress=step)
        motion = maker.motion_path(made)
        os.replace(motion, folder / motion.name)
        os.replace(made, folder / clip.name)  # last: its being there says that all is
    return str(folder / clip.name)


def _writable(folder: Path) -> Path:
    """That folder, or one for this run alone where the cache can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        kept = Path(tempfile.mkdtemp(prefix="spellwire-demo-"))
        tell(f"the cache {folder} can't be written ({error.strerror}); the demo clip goes to {kept}")
        return kept


def ready_models(effect: Effect) -> None:
    """Fetch the models that this effect runs, with a progress bar, where some are missing: the embedded ones, and what
    its nodes name.

    Without a network this says so and goes on: a model that is really needed is refused, by name, when its node opens.
    """
    from ..models.cache import models_folder
    from ..models.registry import entries

    wanted = models_of(effect)
    if all((models_folder() / entries()[name].variant().file).is_file() for name in wanted):
        return
    from ..models.commands import pull

    try:
        pull(wanted, out(errors=True))
    except ModelUnavailable as error:
        tell(f"some models could not be fetched: {error}")


def models_of(effect: Effect) -> list[str]:
    """Ids of the registry's models that an effect runs: the embedded ones where a node runs any model, and what its
    nodes name: a parameter of type Model, or `models` of the class (ids, or a function of the node's parameters).
    """
    from ..models.registry import embedded, entries

    uses = [n for graph in (effect, *effect.groups.values()) for n in graph.nodes.values()]
    declared = [(n, d) for n in uses if (d := registry().get(n.type))]
    wanted = {name for n, d in declared for name in _named(n.params, d) if name in entries()}
    if any(d.latency == "model" for _, d in declared):
        wanted |= {entry.id for entry in embedded()}
    return sorted(wanted)


def library_models() -> list[str]:
    """Ids of the models that the library's effects run."""
    from ...graph.document import load_effect
    from .library import library

    return sorted({name for folder in library().values() for name in models_of(load_effect(folder))})


def _named(params: Mapping[str, Any], declaration: Declaration) -> Iterator[str]:
    """Ids of models that a node uses."""
    models: Any = getattr(declaration.cls, "models", ())
    if callable(models):
        models = models({p.name: params.get(p.name, p.default) for p in declaration.params})
    yield from models
    for parameter in declaration.params:
        if parameter.type is Model:
            value = params.get(parameter.name, parameter.default)
            value = value.get("model") if isinstance(value, Mapping) else value
            if isinstance(value, str):
                yield value
