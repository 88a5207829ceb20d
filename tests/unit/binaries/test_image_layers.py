"""Layers and images: what they hold, that they are reproducible, and what is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import time
from pathlib import Path

import pytest
from geokube_lab.images import Directory, File, Layer, Store, Symlink, build_image, files_layer
from geokube_lab.images.registry import RegistryFolder


def members(store: Store, layer: Layer) -> dict[str, tarfile.TarInfo]:
    content = gzip.decompress(store.blob_path(layer.digest).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {member.name: member for member in archive}


def sample(folder: Path) -> dict[str, bytes | Path | File | Symlink | Directory]:
    (folder / "app" / "__pycache__").mkdir(parents=True)
    (folder / "app" / "__pycache__" / "x.pyc").write_bytes(b"machine's own")
    (folder / "app" / "run").write_text("#!/bin/sh\n")
    (folder / "app" / "run").chmod(0o700)
    (folder / "app" / "data").write_text("data")
    (folder / "app" / "data").chmod(0o600)
    return {
        "/etc/motd": b"hello",
        "/app": folder / "app",
        "/etc/key": File(b"key", mode=0o440, gid=7),
        "/usr/bin/go": Symlink("/app/run"),
        "/tmp": Directory(0o1777),
    }


def test_layer_holds_what_was_given(tmp_path: Path) -> None:
    store = Store()
    found = members(store, files_layer(sample(tmp_path), store))
    assert set(found) == {"etc/motd", "app", "app/run", "app/data", "etc/key", "usr/bin/go", "tmp"}
    assert found["app/run"].mode == 0o755
    assert found["app/data"].mode == 0o644
    assert (found["etc/key"].mode, found["etc/key"].gid) == (0o440, 7)
    assert found["usr/bin/go"].linkname == "/app/run"
    assert found["tmp"].mode == 0o1777
    assert {member.mtime for member in found.values()} == {0}
    assert {member.uname for member in found.values()} == {""}


def test_same_content_has_same_digest_in_another_store(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "1"), Store(tmp_path / "2")
    files = sample(tmp_path / "files")
    one = build_image("x", "1", layers=[files_layer(files, first)], config={"User": "1:1"}, store=first)
    reversed_files = dict(reversed(list(files.items())))
    two = build_image("x", "1", layers=[files_layer(reversed_files, second)], config={"User": "1:1"}, store=second)
    assert one.digest == two.digest


def test_content_decides_the_digest() -> None:
    assert files_layer({"/a": b"1"}).digest != files_layer({"/a": b"2"}).digest
    assert files_layer({"/a": b"1"}).digest != files_layer({"/a": File(b"1", mode=0o600)}).digest


def test_layer_is_made_once_and_again_when_its_blob_is_torn(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    layer = files_layer({"/a": b"1" * 1000}, store)
    inode = store.blob_path(layer.digest).stat().st_ino
    assert files_layer({"/a": b"1" * 1000}, store) == layer
    assert store.blob_path(layer.digest).stat().st_ino == inode
    store.blob_path(layer.digest).write_bytes(b"torn")
    assert files_layer({"/a": b"1" * 1000}, store) == layer
    assert store.blob_path(layer.digest).stat().st_size == layer.size


@pytest.mark.parametrize("name", ["relative", "/a/../b", "/bin/sh", "/lib/x.so"])
def test_bad_paths_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        files_layer({name: b""})


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"/nowhere.*/etc/x"):
        files_layer({"/etc/x": tmp_path / "nowhere"})


def test_manifest_and_configuration_follow_the_specification() -> None:
    store = Store()
    layer = files_layer({"/a": b"1"}, store)
    image = build_image("some/name", "1.0", layers=[layer, layer], config={"Entrypoint": ["/a"]}, store=store)
    manifest = json.loads(store.blob_path(image.digest).read_bytes())
    configuration = json.loads(store.blob_path(manifest["config"]["digest"]).read_bytes())
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert [entry["digest"] for entry in manifest["layers"]] == [layer.digest] * 2
    assert [entry["size"] for entry in manifest["layers"]] == [store.blob_path(layer.digest).stat().st_size] * 2
    assert configuration["rootfs"]["diff_ids"] == [layer.diff_id] * 2
    assert configuration["config"] == {"Entrypoint": ["/a"]}
    assert [i.reference for i in store.images()] == ["some/name:1.0"]


def test_push_writes_once_and_repairs_what_is_missing(tmp_path: Path) -> None:
    store, registry = Store(), RegistryFolder(tmp_path / "registry")
    image = build_image("some/name", "1.0", layers=[files_layer({"/a": b"1"}, store)], store=store)
    assert not registry.holds(image)
    assert registry.push(image, store)
    assert registry.holds(image)
    assert not registry.push(image, store)
    next((tmp_path / "registry").rglob(f"{image.digest.removeprefix('sha256:')}/data")).unlink()
    assert registry.push(image, store)
    newer = build_image("some/name", "1.0", layers=[files_layer({"/a": b"2"}, store)], store=store)
    assert registry.push(newer, store)
    assert registry.holds(newer)
    assert not registry.holds(image)
    assert not list((tmp_path / "registry").rglob(".*")), "no temporary file is left"


def test_sweep_removes_only_what_is_old_and_half_made() -> None:
    store = Store()
    layer = files_layer({"/a": b"1"}, store)
    blobs = store.directory / "blobs" / "sha256"
    for name, age in ((".layer.old", 7200), (".layer.new", 0)):
        (blobs / name).write_bytes(b"half")
        os.utime(blobs / name, (time.time() - age, time.time() - age))
    store.sweep()
    assert {path.name for path in blobs.iterdir()} == {".layer.new", layer.digest.removeprefix("sha256:")}
