"""`spellwire models`: what it prints, what it fetches, what it finds damaged."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from spellwire.graph.errors import ModelError, ModelMismatch, ModelUnavailable
from spellwire.runtime.models.commands import _wanted, list_models, pull, verify
from spellwire.runtime.models.registry import embedded, entries, find


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=160)


def said(console: Console) -> str:
    return console.file.getvalue()


def test_the_list_holds_every_file_under_the_name_that_pull_takes(console, empty_cache: Path):
    list_models(console)
    lines = [line.split() for line in said(console).splitlines() if line.startswith("  ")]
    assert len(lines) == sum(len(entry.variants) for entry in entries().values())
    for words in lines:
        ((entry, variant),) = _wanted([words[0]])
        assert entry.licence in words and ("*" in words) == (entry.commercial == "unclear")
        assert "here" not in words
    assert str(empty_cache) in said(console)


def test_pull_brings_and_verifies(console, real_models: Path):
    pull(["embedded", "mediapipe/hand_landmark:lite", "mediapipe/iris"], console)
    count = len(embedded()) + 1  # iris is among the embedded
    assert f"{count} of {count} model files" in said(console)
    verify(console)
    assert "0 damaged" in said(console) and "mediapipe/iris" in said(console)


def test_the_list_knows_what_is_here(console, real_models: Path):
    list_models(console)
    here = {line.split()[0] for line in said(console).splitlines() if line.rstrip().endswith("here")}
    assert {"mediapipe/iris", "mediapipe/hand_landmark:lite", "mediapipe/pose_landmark:full"} <= here
    assert not {"mediapipe/selfie_multiclass", "mediapipe/pose_landmark:heavy"} & here


def test_verify_finds_damage(console, real_models: Path, empty_cache: Path):
    shutil.copytree(real_models, empty_cache)
    (empty_cache / find("mediapipe/iris").variant().file).write_bytes(b"rot")
    (empty_cache / "mine.txt").write_text("x")
    with pytest.raises(ModelMismatch, match="spellwire models pull mediapipe/iris"):
        verify(console)
    assert "1 damaged" in said(console) and "not of this registry" in said(console)


def test_pull_tells_all_that_failed(console, empty_cache: Path, no_network):
    with pytest.raises(ModelUnavailable) as caught:
        pull(["style/predict", "face/age"], console)
    assert "style/predict" in str(caught.value) and "face/age" in str(caught.value)
    assert "0 of 2" in said(console)


def test_pull_of_a_wrong_name(console, empty_cache: Path):
    with pytest.raises(ModelError, match="no model 'styel/predict'. Near it: style/predict"):
        pull(["styel/predict"], console)


def test_pull_shows_how_far_it_is(empty_cache: Path, serve, register, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")  # rich takes a dumb terminal for one of 80 columns
    register(b"x" * 200_000, serve("model.bin", b"x" * 200_000))
    console = Console(file=io.StringIO(), width=160, force_terminal=True)
    pull(["test/model"], console)
    assert "200.0/200.0 kB" in said(console) and "1 of 1" in said(console)
