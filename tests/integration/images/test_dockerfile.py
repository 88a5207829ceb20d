"""The Dockerfile builds, on bases made of the Debian packages that its own bases have, and what it builds answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from geokube_lab.images import Directory, Store, Symlink, build_image, debian_layer, files_layer

APPLICATION = Path(__file__).resolve().parents[3] / "apps" / "style_transfer"
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "buildah", "skopeo", "bwrap"))) or os.geteuid() != 0,
    reason="needs root, and Debian's buildah, skopeo and bubblewrap",
)
# What the published bases hold for it: an installer and a shell; an interpreter without either.
BASES = {
    "build": ["python3", "python3-pip", "dash", "coreutils", "ca-certificates", "libstdc++6"],
    "runtime": ["base-files", "python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "tzdata"],
}


@pytest.fixture
def buildah(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Run buildah on storage of its own."""
    storage = [f"--root={tmp_path / 'storage'}", f"--runroot={tmp_path / 'run'}", "--storage-driver=vfs"]

    def run(*arguments: str) -> str:
        command = ["buildah", *storage, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    yield run
    run("rm", "--all")


def with_base(name: str, tmp_path: Path, store: Store) -> str:
    user = {
        "/usr/bin/sh": Symlink("dash"),
        "/etc/passwd": b"root:x:0:0::/root:/usr/bin/sh\n",
        "/etc/group": b"root:x:0:\n",
        "/tmp": Directory(0o1777),
    }
    layers = [debian_layer(BASES[name], without=("mawk",), store=store)]
    if name == "build":
        layers.append(files_layer(user, store))
    config = {"Env": ["PATH=/usr/sbin:/usr/bin"]}
    build_image(f"bases/{name}", "1", layers=layers, config=config, store=store)
    target = f"containers-storage:[vfs@{tmp_path / 'storage'}+{tmp_path / 'run'}]localhost/bases/{name}:1"
    subprocess.run(["skopeo", "copy", "--quiet", f"oci:{store.directory}:bases/{name}:1", target], check=True)
    return f"localhost/bases/{name}:1"


def pip_settings() -> list[str]:
    """This machine's way to PyPI: its variables, and the files that those and pip's configuration name."""
    options = [f"--env={name}" for name in os.environ if name.startswith(("PIP_", "SSL_CERT_", "HTTPS_PROXY"))]
    paths = ("/etc/pip.conf", "/etc/ssl/certs", os.environ.get("PIP_FIND_LINKS", ""))
    present = [path for path in paths if path.startswith("/") and Path(path).exists()]
    return [*options, *(f"--volume={path}:{path}:ro" for path in present)]


def test_it_builds_and_its_image_answers(tmp_path: Path, buildah: Callable[..., str]) -> None:
    store = Store(tmp_path / "store")
    bases = {name: with_base(name, tmp_path, store) for name in BASES}
    arguments = [f"--build-arg=BUILD_IMAGE={bases['build']}", f"--build-arg=BASE_IMAGE={bases['runtime']}"]
    options = ["--isolation=chroot", "--network=host", "--pull-never", "--quiet", *pip_settings(), *arguments]
    buildah("bud", *options, "--tag=localhost/service:1", str(APPLICATION))
    config = json.loads(buildah("inspect", "--type=image", "localhost/service:1"))["OCIv1"]["config"]
    assert config["User"] == "65532:65532"
    root = buildah("mount", buildah("from", "--pull-never", "localhost/service:1"))
    assert not (Path(root) / "usr/bin/sh").exists()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = ["bwrap", "--die-with-parent", "--unshare-user", "--uid", "65532", "--gid", "65532"]
    command += ["--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--clearenv"]
    for setting in config["Env"]:
        command += ["--setenv", *setting.split("=", 1)]
    command += ["--", *config["Entrypoint"], config["Cmd"][0], "--port", port]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 120
            while True:
                assert process.poll() is None and time.monotonic() < deadline
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                        assert json.load(answer)["status"] == "ready"
                        break
                except OSError:
                    time.sleep(0.1)
        finally:
            process.terminate()
