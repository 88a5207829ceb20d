"""A user somewhere in the world: a command in a region's network, with its name server and the lab's authority."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from geokube_lab import authority, kernel, paths, storage
from geokube_lab.errors import LabError
from geokube_lab.topology import Topology

_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_BUNDLE = paths.CLIENT / "ca-certificates.crt"
_FILES = {
    Path("/etc/resolv.conf"): paths.CLIENT / "resolv.conf",
    Path("/etc/hosts"): paths.CLIENT / "hosts",
    _SYSTEM_BUNDLE: _BUNDLE,
}
# What programs read instead of the system's bundle.
_BUNDLE_VARIABLES = (
    "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")


def write_files(topology: Topology) -> None:
    """What every user of the lab has in the place of the host's own files."""
    storage.replace(paths.CLIENT / "resolv.conf", f"nameserver {topology.anycast['dns']}\n")
    storage.replace(paths.CLIENT / "hosts", "127.0.0.1 localhost\n")
    system = _SYSTEM_BUNDLE.read_text() if _SYSTEM_BUNDLE.exists() else ""
    storage.replace(_BUNDLE, system + authority.CERTIFICATE.read_text())


def run(region: str, command: Sequence[str]) -> NoReturn:
    """Become the command in the region's network. Raises LabError when that cannot be."""
    namespace = paths.NETNS / paths.client_namespace(region)
    if not namespace.exists():
        raise LabError("the lab is down; `lab/lab up` brings it up")
    kernel.private_mounts()
    for target, source in _FILES.items():
        if target.exists():
            kernel.mount(str(source), target.resolve(), flags=kernel.MS_BIND)
    kernel.enter_network(namespace)
    environment = {key: value for key, value in os.environ.items() if key.lower() not in _PROXY_VARIABLES}
    # What lab/lab put there for itself.
    search = [path for path in environment.pop("PYTHONPATH", "").split(os.pathsep) if path not in ("", str(paths.LAB))]
    if search:
        environment["PYTHONPATH"] = os.pathsep.join(search)
    environment.update(dict.fromkeys(_BUNDLE_VARIABLES, str(_BUNDLE)))
    try:
        os.execvpe(command[0], list(command), environment)
    except OSError as error:
        # As a shell ends: 127 for a command that is not there, 126 for one that cannot be run.
        raise LabError(
            f"{command[0]}: {error.strerror}", 127 if isinstance(error, FileNotFoundError) else 126
        ) from error
