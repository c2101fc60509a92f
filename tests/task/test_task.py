"""MediaPipe Tasks: bundles told apart by what they hold, workers that hang, die and lie, and the real thing where it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from shared_assets import ASSETS as SHARED

from spellwire.graph.document import effect_from_data
from spellwire.graph.errors import ModelError, ModelUnavailable, NodeError
from spellwire.runtime.engine.backoff import BackOff
from spellwire.runtime.frames import Frame, Geometry
from spellwire.runtime.media.base import StreamInfo
from spellwire.runtime.session import Session
from spellwire.runtime.task import environment, results
from spellwire.runtime.task.bundle import KINDS, Bundle, read_bundle
from spellwire.runtime.task.process import TaskProcess, unpack

ROOT = Path(__file__).resolve().parents[2]
ASSETS = SHARED / "models" / "mediapipe"
PICTURE = np.full((32, 48, 3), 7, np.uint8)

FAKE = """
import json, mmap, os, sys, time
hear, talk = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
def say(answer, payload=b""):
    talk.write(json.dumps(answer | {"bytes": len(payload)}).encode() + b"\\n" + payload); talk.flush()
for line in iter(hear.readline, b""):
    r = json.loads(line)
    how = r.get("options", {}).get("how", "") or globals().get("how", "")
    globals()["how"] = how
    if r["do"] == "open":
        if "memory" in r:
            with open(r["memory"], "r+b") as file: memory = mmap.mmap(file.fileno(), 0)
        if how == "no library": sys.exit("ImportError: libGL.so.1: cannot open shared object file")
        if how == "refuses": say({"error": "RuntimeError: broken bundle"}); continue
        if how == "slow": time.sleep(30)
        say({"version": "fake"})
    elif r["do"] == "look":
        if how == "hangs": time.sleep(60)
        if how == "dies": os.kill(os.getpid(), 11)
        if how == "rubbish": talk.write(b"not json\\n"); talk.flush(); continue
        if how == "lies": say({"parts": [["faces", "<f4", [9, 478, 3]]]}, b"1234"); continue
        if how == "raises": say({"error": "ValueError: no"}); continue
        say({"parts": [["faces", "<f4", [1, 1, 3]]], "text": how, "score": r["time"]}, bytes(memory[:12]))
"""


@pytest.fixture
def fake(tmp_path):
    """Makes a process with a worker of our own, by how it misbehaves."""
    script, made = tmp_path / "fake.py", []
    script.write_text(FAKE)

    def make(how: str = "", **more):
        more = {"limit": 0.5, "start": 10.0} | more
        made.append(TaskProcess(Path(sys.executable), Bundle(tmp_path / "x.task", "face_landmarker"), {"how": how}, worker=script, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert one.process is None


# -- workers


def test_pictures_go_there_and_answers_come_back(fake):
    one = fake("fine")
    found = one.look(PICTURE, 5_000)
    assert (found.text, found.score, one.version) == ("fine", 5.0, "fake")
    assert found.parts["faces"].tobytes() == bytes([7] * 12)
    assert one.look(PICTURE, 5_000).score == 6.0, "times rise, whatever the clock says"
    assert one.look(PICTURE, 0).score == 7.0
    assert one.look(np.zeros((1080, 1920, 3), np.uint8), 90_000).parts["faces"].tobytes() == bytes(12), "a larger picture"
    again = one.look(PICTURE, 200_000, {"how": "other"})
    assert again.text == "other" and one.restarts == 0


def test_the_memory_has_no_name_once_the_worker_has_it(fake):
    one = fake()
    one.look(PICTURE, 0)
    assert not os.path.exists(one._path)


def test_a_hanging_worker_is_killed_and_another_takes_over(fake):
    now = [0.0]
    one = fake("hangs", clock=lambda: now[0])
    one.start()
    pid = one.process.pid
    with pytest.raises(NodeError, match=r"no answer from MediaPipe within 0.5 s.*killed"):
        one.look(PICTURE, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(NodeError, match="started again in a moment"):
        one.look(PICTURE, 0)
    now[0], one.options = 1.0, {"how": "fine"}
    assert patiently(one).text == "fine" and one.restarts == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_killed_from_outside_comes_back(fake):
    now = [0.0]
    one = fake("fine", clock=lambda: now[0])
    one.look(PICTURE, 0)
    os.kill(one.process.pid, signal.SIGKILL)
    one.process.wait(5)
    with pytest.raises(NodeError, match="killed by signal 9"):
        one.look(PICTURE, 0)
    now[0] = 0.6
    assert patiently(one).text == "fine"


@pytest.mark.parametrize(
    ("how", "words"),
    [("dies", "killed by signal 11"), ("rubbish", "ended"), ("lies", "can't be read"), ("raises", "MediaPipe failed: ValueError: no"),
     ("refuses", "can't open x.task: RuntimeError: broken bundle"), ("no library", "apt-get install libgl1")],
)  # fmt: skip
def test_what_goes_wrong_is_said(fake, how, words):
    if how == "dies" and os.name == "nt":
        pytest.skip("signals of POSIX")
    with pytest.raises(NodeError, match=words):
        fake(how, limit=5.0).look(PICTURE, 0)


def test_a_worker_that_never_gets_ready(fake):
    with pytest.raises(NodeError, match="not ready within 0.3 s"):
        fake("slow", start=0.3).look(PICTURE, 0)


def test_no_interpreter(tmp_path):
    one = TaskProcess(tmp_path / "none", Bundle(tmp_path / "x.task", "face_landmarker"), {})
    with pytest.raises(NodeError, match="can't be started"):
        one.look(PICTURE, 0)


def patiently(one: TaskProcess):
    for _ in range(400):
        try:
            return one.look(PICTURE, 0)
        except NodeError as error:
            assert "start" in str(error)
            time.sleep(0.02)
    raise AssertionError("it never came back")


def test_pauses_grow_and_are_forgiven():
    now = [0.0]
    back = BackOff(first=1.0, longest=3.0, clock=lambda: now[0])
    pauses = []
    for _ in range(4):
        assert back.due
        back.lost()
        while not back.due:
            now[0] += 0.5
            pauses.append(0.5)
        pauses.append(0)
    assert [sum(p) for p in np.split(np.array(pauses), np.nonzero(np.array(pauses) == 0)[0])[:4]] == [1, 2, 3, 3]
    back.worked()
    back.lost()
    now[0] += 1.0
    assert back.due


def test_answers_are_not_believed():
    good = unpack([["mask", "|u1", [2, 2]], ["faces", "<f4", [0, 478, 3]]], bytes(4))
    assert good["mask"].shape == (2, 2) and good["faces"].shape == (0, 478, 3)
    for said in ([["a", "O", [1]]], [["a", "<f4", [-1]]], [["a", "<f4", "x"]], 3, [["a"]], [["a", "<f4", [1 << 40]]]):
        with pytest.raises(NodeError, match="can't be read"):
            unpack(said, b"")


# -- bundles


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_by_what_they_hold(kind, tmp_path):
    assert read_bundle(zipped(tmp_path / "any name.zip", *KINDS[kind], "more.bin")).kind == kind


def test_what_is_no_bundle_is_said(tmp_path):
    (tmp_path / "a.task").write_bytes(b"hello, I am no bundle at all")
    (tmp_path / "b.tflite").write_bytes(b"\0\0\0\0TFL3" + bytes(100))
    whole = zipped(tmp_path / "c.task", *KINDS["face_landmarker"]).read_bytes()
    (tmp_path / "cut.task").write_bytes(whole[: len(whole) // 2])
    zipped(tmp_path / "llm.task", "TF_LITE_PREFILL_DECODE", "TOKENIZER_MODEL")
    for name, words in {"a.task": "neither a zip", "b.tflite": "without MediaPipe's metadata", "cut.task": "damaged",
                        "llm.task": "it holds TF_LITE_PREFILL_DECODE, TOKENIZER_MODEL", "none.task": "can't be read"}.items():  # fmt: skip
        with pytest.raises(ModelError, match=words):
            read_bundle(tmp_path / name)


# -- ids and coordinates


def test_ids_follow_what_moves_and_are_given_up_after_a_second():
    tracks = results.new_tracks()

    def thing(x, size=100.0):
        return np.array([(x, 0, 0), (x + size, size, 0)], np.float32)

    assert results.identify(np.stack([thing(0), thing(500)]), 0, tracks) == [1, 2]
    assert results.identify(np.stack([thing(480), thing(30)]), 40_000, tracks) == [2, 1], "in any order"
    assert results.identify(np.stack([thing(520)]), 80_000, tracks) == [2]
    assert results.identify(np.stack([thing(60), thing(900)]), 500_000, tracks) == [1, 3], "back within a second"
    assert results.identify(np.stack([thing(60)]), 2_000_000, tracks) == [4]
    assert results.identify(np.zeros((0, 2, 3), np.float32), 2_040_000, tracks) == []


def test_coordinates_are_the_frames():
    half = Geometry(100, 50, (2.0, 0.0, 10.0, 0.0, 2.0, 20.0))
    parts = {"hands": np.full((1, 21, 3), 5.0, np.float32), "world": np.full((1, 21, 3), 0.1, np.float32), "right": np.array([0.9], np.float32)}
    (hand,) = results.hands_of(parts, half, 0, results.new_tracks())
    assert hand.landmarks[0].tolist() == [20.0, 30.0, 10.0] and hand.handedness == pytest.approx(0.9)
    assert hand.world[0].tolist() == pytest.approx([0.1, -0.1, -0.1])
    fx, fy, cx, cy = results.camera_of(half)
    assert (cx, cy) == (110.0, 70.0) and fx == fy == pytest.approx(50 / np.tan(np.radians(31.5)))


# -- the environment


def test_without_an_environment_the_command_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("SPELLWIRE_MEDIAPIPE", raising=False)
    monkeypatch.setenv("SPELLWIRE_CACHE", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="Make it, once, with: spellwire models mediapipe"):
        environment.python_of()
    monkeypatch.setenv("SPELLWIRE_MEDIAPIPE", str(tmp_path / "python"))
    with pytest.raises(ModelUnavailable, match="no interpreter is there"):
        environment.python_of()
    monkeypatch.setenv("SPELLWIRE_MEDIAPIPE", sys.executable)
    assert environment.python_of() == Path(sys.executable)


def test_an_environment_of_other_packages_or_half_made_is_none(tmp_path):
    assert not environment.complete(tmp_path, ["x"])
    environment.python_in(tmp_path).parent.mkdir(parents=True)
    environment.python_in(tmp_path).touch()
    assert not environment.complete(tmp_path, ["x"])
    (tmp_path / environment.COMPLETE).write_text('{"packages": ["x>=1"]}')
    assert environment.complete(tmp_path, ["x>=1"]) and not environment.complete(tmp_path, ["x>=2"])
    (tmp_path / environment.COMPLETE).write_text("mediapipe")
    assert not environment.complete(tmp_path, ["x>=1"])


def test_without_a_network_making_it_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    said: list[str] = []
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(ModelUnavailable, match=r"pip could not install.*\n.*run again: spellwire models mediapipe"):
        environment.make_environment(tmp_path / "env", ["mediapipe-that-is-not"], (here,), said.append, check="")
    assert said and not (tmp_path / "env").exists()
    with pytest.raises(ModelUnavailable, match=r"needs Python 2\.7, and none is here"):
        environment.make_environment(tmp_path / "env", ["mediapipe"], ("2.7",), said.append, check="")


def test_what_pip_and_the_loader_say():
    assert environment.narrated("  Downloading mediapipe-1.2.2-cp311-none-any.whl (42.9 MB)\n") == "mediapipe-1.2.2  42.9 MB"
    assert environment.narrated("Requirement already satisfied: numpy") == ""
    words = environment.not_loadable("ImportError: libGLESv2.so.2: cannot open shared object file")
    assert "apt-get install libgles2 libgl1 libegl1" in words and "spellwire models mediapipe" in words
    assert environment.requirements()[0].startswith("mediapipe")


def test_our_process_never_imports_mediapipe():
    code = "import sys, spellwire.nodes.task, spellwire.runtime.task.worker; sys.exit('mediapipe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# -- MediaPipe itself


@pytest.fixture(scope="module")
def mediapipe():
    """The interpreter of an environment that is here: the one of the command, or the oracles'."""
    oracle = environment.python_in(ROOT / ".oracles" / "mediapipe-current")
    patch = pytest.MonkeyPatch()
    try:
        yield environment.python_of()
    except ModelUnavailable:
        if not oracle.is_file():
            pytest.skip(f"MediaPipe is not here; {environment.COMMAND} makes its environment")
        patch.setenv("SPELLWIRE_MEDIAPIPE", str(oracle))
        yield oracle
    finally:
        patch.undo()


def asset(name: str) -> Path:
    if not (ASSETS / name).is_file():
        pytest.skip(f"needs SPELLWIRE_ASSETS/models/mediapipe/{name}")
    return ASSETS / name


def portrait() -> np.ndarray:
    data = pytest.importorskip("skimage.data", reason="the portrait is in scikit-image")
    return np.ascontiguousarray(data.astronaut()[:384])


def looked(mediapipe: Path, name: str, **options):
    one = TaskProcess(mediapipe, read_bundle(asset(name)), {"count": 2, "confidence": 0.5} | options, limit=20.0)
    try:
        for i in range(3):
            found = one.look(portrait(), i * 33_000)
        return found
    finally:
        one.close()


def test_faces_of_a_real_bundle(mediapipe):
    parts = looked(mediapipe, "face_landmarker.task").parts
    (face,) = results.faces_of(parts, Geometry(512, 384), 0, results.new_tracks())
    assert face.landmarks.shape == (478, 3) and np.abs(face.landmarks[1, :2] - (222, 130)).max() < 8
    smile = face.blendshapes[[44, 45]].mean()
    assert face.blendshapes.shape == (52,) and smile > 0.5
    assert 0.3 < -face.pose[2, 3] < 1.5, "metres in front of the camera"
    fx, fy, cx, cy = face.camera
    nose = face.pose @ (0, -0.005, 0.076, 1)
    assert np.hypot(fx * nose[0] / -nose[2] + cx - face.landmarks[1, 0], -fy * nose[1] / -nose[2] + cy - face.landmarks[1, 1]) < 12


@pytest.mark.parametrize(("name", "inside", "outside"), [("selfie_segmenter.tflite", (250, 220), (30, 40)), ("hair_segmenter.tflite", (40, 180), (200, 300))])
def test_masks_of_real_networks(mediapipe, name, inside, outside):
    mask = looked(mediapipe, name).parts["mask"]
    assert max(mask.shape) <= 512 and mask[inside] > 128 > mask[outside]


def test_bodies_of_a_real_bundle(mediapipe):
    parts = looked(mediapipe, "pose_landmarker_lite.task").parts
    (body,) = results.bodies_of(parts, Geometry(512, 384), 0, results.new_tracks())
    assert np.abs(body.landmarks[0, :2] - (222, 120)).max() < 25 and body.visibility[0] > 0.9
    assert body.world[0, 1] > 0.3, "the nose is above the hips"
    assert parts["mask"].max() > 200


def test_a_file_that_only_looks_like_a_bundle(mediapipe, tmp_path):
    one = TaskProcess(mediapipe, Bundle(zipped(tmp_path / "fake.task", *KINDS["face_landmarker"]), "face_landmarker"), {}, limit=20)
    with pytest.raises(NodeError, match=r"can't open fake\.task"):
        one.look(PICTURE, 0)
    one.close()


def test_the_node_in_an_effect(mediapipe, tmp_path):
    """A smile through a whole plan; a worker killed meanwhile is only missed for a while."""
    bundle = tmp_path / "assets" / "faces.task"
    bundle.parent.mkdir()
    bundle.write_bytes(asset("face_landmarker.task").read_bytes())
    nodes = {
        "n1": {"type": "source.input"},
        "n2": {"type": "mediapipe.task", "params": {"bundle": {"asset": "assets/faces.task"}}, "inputs": {"image": "n1.image"}},
        "n3": {"type": "expression.smile", "inputs": {"face": "n4.face"}},
        "n4": {"type": "face.pick", "inputs": {"faces": "n2.faces"}},
        "n5": {"type": "colour.exposure", "inputs": {"image": "n1.image", "stops": "n3.amount"}},
        "n6": {"type": "sink.output", "inputs": {"image": "n5.out"}},
    }  # fmt: skip
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 7}, folder=tmp_path)
    picture, index = portrait(), 0
    with Session.load(effect, StreamInfo("x", 512, 384)) as session:

        def bright() -> float:
            nonlocal index
            index += 1
            return float(session.render(Frame.of(picture), index * 33_000, index).data.mean())

        lit = [bright() for _ in range(4)][-1]
        assert not session.engine.failures and lit > 1.2 * picture.mean(), "she smiles"
        node = next(n for n in session.engine.instances.values() if hasattr(n, "_process"))
        node._process.process.kill()
        node._process.process.wait(5)
        assert bright() == lit, "the last good faces go on"
        assert "killed by signal 9" in session.engine.failures["n2"].error
        missed = session.engine.failures["n2"].count
        for _ in range(300):
            time.sleep(0.05)
            assert bright() == pytest.approx(lit, rel=0.02)
            if session.engine.failures["n2"].count == missed:
                break
            missed = session.engine.failures["n2"].count
        else:
            raise AssertionError("the worker never came back")
        assert node._process.restarts == 1


def test_without_the_environment_the_effect_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv("SPELLWIRE_MEDIAPIPE", raising=False)
    monkeypatch.setenv("SPELLWIRE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "assets").mkdir()
    zipped(tmp_path / "assets" / "x.task", *KINDS["face_landmarker"])
    nodes = {
        "n1": {"type": "source.input"},
        "n2": {"type": "mediapipe.task", "params": {"bundle": {"asset": "assets/x.task"}}, "inputs": {"image": "n1.image"}},
        "n5": {"type": "mask.apply", "inputs": {"image": "n1.image", "mask": "n2.mask"}},
        "n6": {"type": "sink.output", "inputs": {"image": "n5.out"}},
    }  # fmt: skip
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 7}, folder=tmp_path)
    with pytest.raises(ModelUnavailable, match="spellwire models mediapipe"):
        Session.load(effect, StreamInfo("x", 64, 48))


