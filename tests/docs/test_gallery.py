"""docs/effects.md says what the library holds, and each effect has its page and moving picture. To make it anew: make pictures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

import spellwire
from spellwire.runtime.cli.library import library

ROOT = Path(spellwire.__file__).parent
LIMIT = 500_000  # bytes of a preview


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


def test_the_gallery_is_up_to_date(script):
    assert (ROOT / "docs" / "effects.md").read_text("utf-8") == script.gallery(ROOT / "docs")


def test_its_links_lead_somewhere(script):
    text = script.gallery(ROOT / "docs")
    headings = {line[3:].strip().lower().replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    headings = {"".join(c for c in h if c.isalnum() or c in "-_") for h in headings}
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert targets
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (ROOT / "docs" / target).resolve().is_file(), target


@pytest.mark.parametrize("name", library())
def test_every_effect_has_a_readme_and_a_moving_picture(script, name):
    readme = ROOT / "effects_library" / name / "README.md"
    assert readme.is_file() and len(readme.read_text("utf-8").splitlines()) >= 5
    picture = script.picture_of(name, ROOT / "docs")
    assert picture.endswith((".webp", ".gif")), "python scripts/preview.py makes one"
    path = ROOT / "docs" / picture
    assert path.stat().st_size <= LIMIT
    with pytest.importorskip("PIL.Image").open(path) as image:
        assert image.n_frames >= 8 and 320 <= image.width <= 640
