"""What must be there before the first frame: the demo clip and the models, made or fetched with progress."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from ...graph.effect import Effect
from ...graph.errors import ModelUnavailable
from ...graph.registry import registry
from .show import out, progress, tell

__all__ = ["demo_clip", "ready_models"]


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
    """Fetch the embedded models, with a progress bar, if this effect runs models and some are missing.

    Without a network this says so and goes on: a model that is really needed is refused, by name, when its node opens.
    """
    from ..models.cache import models_folder
    from ..models.registry import embedded

    types = {n.type for graph in (effect, *effect.groups.values()) for n in graph.nodes.values()}
    if not any(d.latency == "model" for t in types if (d := registry().get(t))):
        return
    if all((models_folder() / entry.variant().file).is_file() for entry in embedded()):
        return
    from ..models.commands import pull

    try:
        pull(["embedded"], out(errors=True))
    except ModelUnavailable as error:
        tell(f"some models could not be fetched: {error}")
