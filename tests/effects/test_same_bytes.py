"""Every effect of the library gives the same bytes: again, with another number of threads, from a cold and a warm cache."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from effect_play import LIBRARY

from spellwire.graph.document import load_effect
from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.media.pictures import write_picture
from spellwire.runtime.media.sequences import SequenceSink
from spellwire.runtime.session import Session
from spellwire.runtime.session.planning import Planner

EFFECTS = sorted(p.parent.name for p in LIBRARY.glob("*/effect.json"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory, astronaut) -> Path:
    """A dozen pictures: the portrait, moving."""
    folder = tmp_path_factory.mktemp("clip")
    for i in range(12):
        write_picture(
            folder / f"{i:02}.png", np.ascontiguousarray(astronaut[i * 2 : 288 + i * 2, 3 * i : 448 + 3 * i])
        )
    return folder / "%02d.png"


def digest(folder: Path) -> str:
    files = sorted(folder.iterdir())
    assert len(files) == 12
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


def play(name: str, clip: Path, out: Path, cache: Path, threads: int) -> str:
    out.mkdir()
    with open_source(str(clip)) as source:
        planner = Planner(Compiler(Cache(cache), threads=threads), threads=threads)
        with Session.load(load_effect(LIBRARY / name), source.info, planner=planner) as session:
            report = session.play(source, SequenceSink(out / "%02d.png"))
    assert not report.failures
    return digest(out)


@pytest.mark.parametrize("name", EFFECTS)
def test_the_same_bytes(name: str, clip: Path, tmp_path: Path) -> None:
    cache = tmp_path / "kernels"
    try:
        cold = play(name, clip, tmp_path / "cold", cache, 1)
    except ModelUnavailable as error:
        pytest.skip(f"its models are not here and can't be fetched: {error}")
    assert play(name, clip, tmp_path / "warm", cache, 1) == cold
    assert play(name, clip, tmp_path / "two", cache, 2) == cold
    (tmp_path / "other").mkdir()
    main = "import sys; from spellwire.runtime.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", main, "play", name, "--input", str(clip),
               "--output", str(tmp_path / "other" / "%02d.png")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    assert digest(tmp_path / "other") == cold, "from the command line, in a process of its own"
