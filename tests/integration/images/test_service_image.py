"""The image of the service as `make image` writes it: what is in it, and that it runs as it says."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import skimage
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "dpkg-deb", "skopeo", "bwrap"))) or os.geteuid() != 0,
    reason="needs root, and Debian's skopeo and bubblewrap",
)
BUILD = """
import os, sys
from pathlib import Path
from geokube_lab.images import __main__ as command
from geokube_lab.images.recipes import style_transfer
os.umask(int(sys.argv[1], 8))
style_transfer.APPLICATION = Path(sys.argv[2])
sys.argv = ["images", "export", "style-transfer", "--into", sys.argv[3]]
sys.exit(command.main())
"""


@dataclass(frozen=True)
class Built:
    """What one run of the builder left."""

    folder: Path
    cache: Path

    @property
    def layout(self) -> Path:
        return self.folder / "style-transfer-0.1.0"

    @property
    def index(self) -> list[dict[str, object]]:
        return json.loads((self.layout / "index.json").read_text())["manifests"]  # type: ignore[no-any-return]

    def blob(self, digest: object) -> bytes:
        return (self.layout / "blobs" / "sha256" / str(digest).removeprefix("sha256:")).read_bytes()

    @property
    def manifest(self) -> dict[str, object]:
        return json.loads(self.blob(self.index[0]["digest"]))  # type: ignore[no-any-return]

    @property
    def config(self) -> dict[str, object]:
        return json.loads(self.blob(self.manifest["config"]["digest"]))["config"]  # type: ignore[no-any-return, index]

    @property
    def sbom(self) -> bytes:
        return (self.folder / "style-transfer-0.1.0.cdx.json").read_bytes()

    def members(self) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        for layer in self.manifest["layers"]:  # type: ignore[attr-defined]
            with tarfile.open(fileobj=io.BytesIO(self.blob(layer["digest"]))) as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.isfile() else None
                    yield member, file.read() if file else b""


def build(folder: Path, application: Path, umask: str, zone: str) -> Built:
    cache = folder / "cache"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lab"), "XDG_CACHE_HOME": str(cache), "TZ": zone}
    command = [sys.executable, "-c", BUILD, umask, str(application), str(folder / "image")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built(folder / "image", cache / "geokube")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built from nothing, once for all processes that run tests."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = tmp_path_factory.getbasetemp().parent / f"built-{run}" if run else tmp_path_factory.mktemp("built")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "done").exists():
            return Built(folder / "image", folder / "cache" / "geokube")
        made = build(folder, ROOT / "apps" / "style_transfer", "022", "UTC")
        (folder / "done").touch()
    return made


@pytest.fixture(scope="module")
def root(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's files."""
    folder = tmp_path_factory.mktemp("root") / "root"
    folder.mkdir()
    for layer in built.manifest["layers"]:  # type: ignore[attr-defined]
        name = layer["digest"].removeprefix("sha256:")
        blob = built.layout / "blobs" / "sha256" / name
        subprocess.run(["tar", "-xzpf", str(blob), "-C", str(folder)], check=True)
    return folder


def test_another_clone_at_another_time_gives_the_same_digests(built: Built, tmp_path: Path) -> None:
    clone = tmp_path / "elsewhere" / "application"
    ignored = shutil.ignore_patterns(".venv", "assets", "__pycache__", "tests", ".*")
    shutil.copytree(ROOT / "apps" / "style_transfer", clone, ignore=ignored)
    assets = Path("src/style_transfer/assets")
    (clone / assets).mkdir()
    shutil.copy(ROOT / "apps" / "style_transfer" / assets / "index.html", clone / assets)
    for path in clone.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = build(tmp_path, clone, "077", "Australia/Sydney")
    assert again.index == built.index
    assert again.sbom == built.sbom
    names = ("style-transfer-0.1.0.tar",)
    assert [(again.folder / name).read_bytes() == (built.folder / name).read_bytes() for name in names] == [True]


def test_it_is_small_and_has_no_shell_no_setuid_and_nothing_of_who_built_it(built: Built) -> None:
    sizes = [layer["size"] for layer in built.manifest["layers"]]  # type: ignore[attr-defined]
    assert sum(sizes) < 90_000_000
    private = [str(ROOT).encode(), str(built.cache).encode(), str(built.folder).encode()]
    programs = set()
    for member, content in built.members():
        assert (member.uid, member.gid, member.mtime, member.uname) == (0, 0, 0, ""), member.name
        assert not member.mode & (stat.S_ISUID | stat.S_ISGID), member.name
        assert member.issym() or member.isdir() or not member.mode & stat.S_IWOTH, member.name
        assert not [text for text in private if text in content], member.name
        assert not re.search(r"(^|/)(id_(rsa|ed25519)|\.netrc|pip\.conf|\.git)($|/)|\.(key|pem)$", member.name), (
            member.name
        )
        assert b"PRIVATE KEY-----\n" not in content, member.name
        if re.search(r"(^|/)s?bin/[^/]+$", member.name):
            programs.add(Path(member.name).name)
    assert programs == {"python3.11"}


def test_the_sbom_names_all_that_is_installed(built: Built, root: Path) -> None:
    text = built.sbom.decode()
    assert make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    purls = [PackageURL.from_string(part["purl"]) for part in document["components"] if "purl" in part]
    python = {(purl.name, purl.version) for purl in purls if purl.type == "pypi"}
    folders = [path.name.removesuffix(".dist-info").rsplit("-", 1) for path in root.rglob("*.dist-info")]
    assert python == {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in folders}
    locked = (ROOT / "apps" / "style_transfer" / "requirements.lock").read_text()
    pins = re.findall(r"^([\w.-]+)==(\S+)", locked, re.MULTILINE)
    assert python == {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in pins} | {
        ("style-transfer", "0.1.0")
    }
    debian = {(purl.name, purl.version) for purl in purls if purl.type == "deb"}
    licences = {path.parent.name for path in (root / "usr/share/doc").glob("*/copyright")}
    assert {"python3.11-minimal", "libstdc++6", "libc6", "tzdata", "base-files"} <= {name for name, _ in debian}
    assert licences <= {name for name, _ in debian}
    models = {part["name"]: part for part in document["components"] if part["type"] == "machine-learning-model"}
    assert set(models) == {path.name for path in root.rglob("*.onnx")}
    published = "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e"
    assert {part["pedigree"]["ancestors"][0]["hashes"][0]["content"] for part in models.values()} == {published}
    assert document["metadata"]["component"]["hashes"][0]["content"] in str(built.index[0]["digest"])


def test_the_sbom_is_attached_and_engines_read_the_files(built: Built) -> None:
    image, artifact = built.index
    attached = json.loads(built.blob(artifact["digest"]))
    assert attached["artifactType"] == "application/vnd.cyclonedx+json"
    assert attached["subject"] == {key: image[key] for key in ("mediaType", "digest", "size")}
    assert built.blob(attached["layers"][0]["digest"]) == built.sbom
    archive = built.folder / "style-transfer-0.1.0.tar"
    for source in (f"oci:{built.layout}:style-transfer:0.1.0", f"oci-archive:{archive}", f"docker-archive:{archive}"):
        done = subprocess.run(["skopeo", "inspect", source], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if not source.startswith("docker"):
            assert json.loads(done.stdout)["Digest"] == image["digest"]


def test_it_paints_as_uid_65532_on_a_read_only_root(built: Built, root: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = built.config
    assert config["User"] == "65532:65532"
    for mount in ("proc", "dev"):
        (root / mount).mkdir(exist_ok=True)
    command = ["bwrap", "--die-with-parent", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
    command += ["--uid", "65532", "--gid", "65532", "--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev"]
    command += ["--clearenv"]
    for setting in config["Env"]:  # type: ignore[attr-defined]
        command += ["--setenv", *setting.split("=", 1)]
    command += ["--", *config["Entrypoint"], "serve", "--host", "127.0.0.1", "--port", str(port)]  # type: ignore[misc]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 120
            while True:
                assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
                try:
                    with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                        break
                except OSError:
                    time.sleep(0.1)
            photo = (Path(skimage.__file__).parent / "data" / "rocket.jpg").read_bytes()
            request = urllib.request.Request(f"{address}/v1/stylize?size=256", photo, {"Content-Type": "image/jpeg"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.read(3) == b"\xff\xd8\xff"
        finally:
            process.terminate()
            process.communicate()
