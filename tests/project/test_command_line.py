"""`spellwire` as a person meets it: help that teaches, and for bad input one clear message, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spellwire.runtime.cli import COMMANDS

CODE = "import sys; from spellwire.runtime.cli import main; sys.exit(main())"


def spellwire(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE, *map(str, words)], env={**os.environ, "COLUMNS": "160", **env}, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], status: int, *said: str) -> None:
    """It failed with that status, one message on standard error, and nothing else."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for words in said:
        assert words in done.stderr


def write(folder: Path, **changes: object) -> Path:
    """A small effect, with those nodes instead (None takes one away)."""
    nodes: dict[str, object] = {
        "input": {"type": "source.input", "version": 1},
        "light": {"type": "colour.exposure", "version": 1, "inputs": {"image": "input.image"}},
        "output": {"type": "sink.output", "version": 1, "inputs": {"image": "light.out"}},
    }
    nodes |= changes
    document = {"schema": 1, "nodes": {name: node for name, node in nodes.items() if node}}
    folder.mkdir(exist_ok=True)
    (folder / "effect.json").write_text(json.dumps(document))
    return folder


def test_help_names_every_command():
    done = spellwire("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    assert "examples:" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_examples(name: str):
    done = spellwire(name, "--help")
    assert done.returncode == 0
    assert f"spellwire {name}" in done.stdout.partition("examples:")[2]


def test_without_a_command_the_usage_is_shown():
    done = spellwire()
    assert done.returncode == 2
    assert "usage: spellwire" in done.stdout


def test_an_unknown_command_offers_the_nearest():
    refused(spellwire("ply"), 2, "there is no command 'ply'", "did you mean 'play'?")


def test_an_unknown_option_is_wrong_usage():
    refused(spellwire("nodes", "--nix"), 2, "unrecognized arguments: --nix")


def test_an_unknown_effect_offers_what_there_is():
    refused(spellwire("check", "nix"), 1, "there is no effect 'nix'", "the library has")


def test_a_folder_without_an_effect_is_said_to_be_that(tmp_path: Path):
    refused(spellwire("check", tmp_path), 1, str(tmp_path), "holds no effect.json")


def test_broken_json_names_file_and_line(tmp_path: Path):
    (tmp_path / "effect.json").write_text('{\n  "schema": 1,\n  nodes\n}')
    refused(spellwire("check", tmp_path), 1, "effect.json", "line 3")


def test_an_effect_of_a_later_version_is_refused(tmp_path: Path):
    (tmp_path / "effect.json").write_text('{"schema": 999, "nodes": {}}')
    refused(spellwire("check", tmp_path), 1, "newer")


def test_check_finds_every_problem_at_once(tmp_path: Path):
    folder = write(
        tmp_path / "bad",
        light={"type": "colour.exposure", "version": 1, "params": {"stops": 99}, "inputs": {"image": "gone.out"}},
        other={"type": "colour.exposre", "version": 1, "inputs": {"image": "input.image"}},
    )
    done = spellwire("check", folder, "--json")
    assert done.returncode == 1
    problems = {(p["node"], p["port"]): p for p in json.loads(done.stdout)}
    assert {node for node, _ in problems} >= {"light", "other"}
    assert all(p["cause"] and p["fix"] for p in problems.values())


def test_a_cycle_is_named(tmp_path: Path):
    folder = write(
        tmp_path / "ring",
        light={"type": "composite.over", "version": 1, "inputs": {"back": "turn.out", "front": "input.image"}},
        turn={"type": "colour.invert", "version": 1, "inputs": {"image": "light.out"}},
    )
    done = spellwire("check", folder)
    assert done.returncode == 1
    assert "cycle" in done.stdout.lower() or "wait" in done.stdout.lower()


def test_a_wrong_type_is_named(tmp_path: Path):
    folder = write(
        tmp_path / "types",
        number={"type": "value.number", "version": 1},
        light={"type": "colour.exposure", "version": 1, "inputs": {"image": "number.out"}},
    )
    done = spellwire("check", folder)
    assert done.returncode == 1
    assert "Number" in done.stdout
    assert "Image" in done.stdout


def test_nan_in_a_file_is_refused(tmp_path: Path):
    (tmp_path / "effect.json").write_text('{"schema": 1, "nodes": {"a": {"type": "value.number", "params": {"value": NaN}}}}')
    refused(spellwire("check", tmp_path), 1, "NaN")


def test_a_missing_node_type_keeps_the_effect_from_playing_and_loses_nothing(tmp_path: Path):
    folder = write(tmp_path / "missing", light={"type": "stranger.glow", "version": 3, "inputs": {"image": "input.image"}})
    before = (folder / "effect.json").read_bytes()
    done = spellwire("plan", folder)
    refused(done, 1, "light", "stranger.glow")
    assert (folder / "effect.json").read_bytes() == before


def test_new_never_writes_over_anything(tmp_path: Path):
    (tmp_path / "kept.txt").write_text("mine")
    refused(spellwire("new", tmp_path), 2, "exists already")
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_new_where_nothing_may_be_written(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused(spellwire("new", blocked / "effect"), 1, str(blocked))


def test_a_new_effect_is_sound(tmp_path: Path):
    assert spellwire("new", tmp_path / "fresh").returncode == 0
    done = spellwire("check", tmp_path / "fresh")
    assert done.returncode == 0
    assert "nothing wrong" in done.stderr


def test_a_package_name_must_be_one(tmp_path: Path):
    refused(spellwire("new", "--nodes", tmp_path / "my-nodes"), 2, "'my-nodes' can't be a package")


def test_a_file_of_nodes_that_breaks_is_a_problem_of_that_file(tmp_path: Path):
    (tmp_path / "broken.py").write_text("import nix\n")
    done = spellwire("nodes", "--file", tmp_path / "broken.py")
    assert done.returncode == 1
    assert "not loaded" in done.stderr
    assert "broken.py" in done.stderr
    assert "colour.exposure" in done.stdout


def test_an_unknown_model_is_refused():
    refused(spellwire("models", "pull", "mediapipe/face_lndmark"), 1, "mediapipe/face_lndmark", "mediapipe/face_landmark")


def test_no_network_and_no_cache_names_the_model_and_what_to_do(tmp_path: Path):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    done = spellwire("models", "pull", "mediapipe/face_landmark", SPELLWIRE_CACHE=str(tmp_path), **nowhere)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "mediapipe/face_landmark" in done.stderr
    assert str(tmp_path) in done.stderr


def test_a_full_disk_is_said_to_be_full():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", CODE, "nodes"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise on Windows")
def test_a_reader_that_leaves_is_no_error():
    command = [sys.executable, "-c", CODE, "nodes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_an_error_of_ours_is_one_message_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from spellwire.runtime.cli import effects, main

    monkeypatch.setattr(effects, "run", lambda _: 1 // 0)
    assert main(["effects"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "SPELLWIRE_DEBUG=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("SPELLWIRE_DEBUG", "1")
    assert main(["effects"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_status_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from spellwire.runtime.cli import effects, main

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(effects, "run", interrupted)
    assert main(["effects"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_models_of_the_library_are_those_its_nodes_name() -> None:
    from spellwire.graph.effect import Effect, NodeUse
    from spellwire.graph.frozen import FrozenDict
    from spellwire.runtime.cli.needs import library_models, models_of

    assert {"mediapipe/face_landmark", "depth/fastdepth", "style/predict"} <= set(library_models())
    full = Effect(nodes=FrozenDict(n1=NodeUse("n1", "face.mesh", params=FrozenDict(variant="full"))))
    plain = Effect(nodes=FrozenDict(n1=NodeUse("n1", "face.mesh")))
    assert set(models_of(full)) - set(models_of(plain)) >= {"mediapipe/face_landmarker/face_blendshapes"}
    assert models_of(Effect(nodes=FrozenDict(n1=NodeUse("n1", "colour.exposure")))) == []
