"""A pushed image is what a real registry serves and a real client copies."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from geokube_lab.errors import LabError
from geokube_lab.images import Store, Symlink, build_image, debian_layer, files_layer, upstream
from geokube_lab.images.registry import RegistryFolder

pytestmark = pytest.mark.skipif(
    shutil.which("docker-registry") is None or shutil.which("skopeo") is None,
    reason="needs Debian's docker-registry and skopeo",
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[str, RegistryFolder]]:
    """A registry on loopback and the folder that it serves."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    folder = tmp_path / "registry"
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder)}},
        "http": {"addr": address},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(configuration))
    with subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "registry.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://{address}/v2/", timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        yield address, RegistryFolder(folder)
        process.terminate()


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pushed_image_is_pulled_whole(registry: tuple[str, RegistryFolder], tmp_path: Path) -> None:
    address, folder = registry
    store = Store()
    layers = [files_layer({"/app/data": b"x" * 100_000}, store), files_layer({"/usr/bin/x": Symlink("/app")}, store)]
    image = build_image("some/name", "1.0", layers=layers, config={"Entrypoint": ["/usr/bin/x"]}, store=store)
    folder.push(image, store)
    described = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{address}/some/name:1.0"))
    assert described["Digest"] == image.digest
    assert described["Layers"] == [layer.digest for layer in layers]
    skopeo("copy", "--src-tls-verify=false", f"docker://{address}/some/name:1.0", f"dir:{tmp_path / 'pulled'}")
    names = {path.name for path in (tmp_path / "pulled").iterdir()}
    assert {layer.digest.removeprefix("sha256:") for layer in layers} <= names


def test_the_store_itself_is_a_layout_that_skopeo_reads(tmp_path: Path) -> None:
    store = Store()
    image = build_image("name", "1.0", layers=[files_layer({"/a": b"1"}, store)], store=store)
    described = json.loads(skopeo("inspect", f"oci:{store.directory}:name:1.0"))
    assert described["Digest"] == image.digest


def test_upstream_image_is_copied_once_and_pushed(
    registry: tuple[str, RegistryFolder], tmp_path: Path, own_cache: Path
) -> None:
    address, folder = registry
    theirs = Store(tmp_path / "theirs")
    made = build_image("library/thing", "2.0", layers=[files_layer({"/a": b"1"}, theirs)], store=theirs)
    folder.push(made, theirs)
    ours = Store()
    copied = upstream.copy_image(address, "library/thing", "2.0", ours, verify_tls=False)
    assert copied.origin == f"{address}/library/thing:2.0"
    assert RegistryFolder(tmp_path / "lab").push(copied, ours)
    shutil.rmtree(folder.root)
    assert upstream.copy_image(address, "library/thing", "2.0", ours, verify_tls=False) == copied
    assert not list(ours.directory.glob(".copy-*"))


def test_missing_upstream_image_is_named(registry: tuple[str, RegistryFolder]) -> None:
    with pytest.raises(LabError, match=rf"{registry[0]}/no/thing:1 cannot be copied.*GEOKUBE_SOURCES=packages"):
        upstream.copy_image(registry[0], "no/thing", "1", Store(), verify_tls=False)


def test_debian_layer_runs_what_it_holds(tmp_path: Path) -> None:
    """The layer has the packages' whole closure: its program runs with no other file in sight."""
    store = Store()
    layer = debian_layer(["coreutils"], store=store)
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run(["tar", "-xzf", str(store.blob_path(layer.digest)), "-C", str(root)], check=True)
    library = root / "usr/lib64/ld-linux-x86-64.so.2"
    assert (root / "bin").is_symlink()
    assert library.is_symlink()
    loader = root / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    command = [str(loader), "--inhibit-cache", "--library-path", str(root / "usr/lib/x86_64-linux-gnu")]
    done = subprocess.run(
        [*command, str(root / "usr/bin/cat"), "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "coreutils" in done.stdout
    assert not (root / "usr/share/man").exists()
    assert debian_layer(["coreutils"], store=store) == layer
