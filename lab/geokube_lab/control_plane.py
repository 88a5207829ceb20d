"""A Kubernetes control plane of plain processes on loopback, for tests: the real API server, without nodes.

`python -m geokube_lab.control_plane up --directory D` prints the path of a kubeconfig with all rights;
`down --directory D` stops the processes and removes the directory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from geokube_lab.binaries import program, target
from geokube_lab.errors import LabError

READY_SECONDS = 90
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _started_at(process: int) -> str | None:
    """The kernel's start time of a running process: with the number it names the process for good."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


@dataclass(frozen=True)
class ControlPlane:
    """etcd, API server, controller manager and scheduler, whose files are all in one directory."""

    directory: Path

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def _processes(self) -> Path:
        return self.directory / "processes.json"

    def running(self) -> bool:
        """Whether all four processes of this directory are alive."""
        recorded = self._recorded()
        return len(recorded) == len(PROGRAMS) and all(_started_at(n) == when for n, when in recorded)

    def up(self) -> Path:
        """Start what is not running, wait until it serves, and give the kubeconfig's path."""
        if self.running():
            return self.kubeconfig
        self.down()
        self.directory.mkdir(parents=True, mode=0o700)
        client, peer, api = _free_ports(3)
        self._link_programs()
        self._write_secrets(api)
        etcd = f"http://127.0.0.1:{client}"
        peers = f"http://127.0.0.1:{peer}"
        self._start(
            "etcd",
            f"--data-dir={self.directory}/etcd.data",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
        )
        self._start("kube-apiserver", *self._api_arguments(etcd, api))
        self._wait_ready(api)
        credentials = f"--kubeconfig={self.kubeconfig}"
        self._start(
            "kube-controller-manager",
            credentials,
            "--leader-elect=false",
            "--secure-port=0",
            f"--service-account-private-key-file={self.directory}/service-account.key",
            f"--root-ca-file={self.directory}/apiserver.crt",
        )
        self._start("kube-scheduler", credentials, "--leader-elect=false", "--secure-port=0")
        return self.kubeconfig

    def down(self) -> None:
        """Stop the processes that this directory started, last first, and remove the directory."""
        for number, when in reversed(self._recorded()):
            for stop in (signal.SIGTERM, signal.SIGKILL):
                if _started_at(number) != when:
                    break
                _signal(number, stop)
                deadline = time.monotonic() + 10
                while _started_at(number) == when and time.monotonic() < deadline:
                    time.sleep(0.05)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _recorded(self) -> list[tuple[int, str]]:
        try:
            return [(entry["process"], entry["started"]) for entry in json.loads(self._processes.read_text())]
        except (OSError, ValueError):
            return []

    def _link_programs(self) -> None:
        for name in PROGRAMS:
            (self.directory / name).symlink_to(program(target("kubernetes")))

    def _write_secrets(self, api: int) -> None:
        for name in ("service-account.key", "client-ca.key", "administrator.key"):
            self._openssl("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", name)
        authority = ["-key", "client-ca.key", "-subj", "/CN=client-ca", "-days", "3650", "-out", "client-ca.crt"]
        self._openssl("req", "-x509", *authority)
        # As kubeadm's super-admin.conf: a certificate of the group that may do everything.
        administrator = "/O=system:masters/CN=administrator"
        self._openssl("req", "-new", "-key", "administrator.key", "-subj", administrator, "-out", "administrator.csr")
        signing = ["-CA", "client-ca.crt", "-CAkey", "client-ca.key", "-CAcreateserial", "-days", "3650"]
        self._openssl("x509", "-req", "-in", "administrator.csr", *signing, "-out", "administrator.crt")
        here = self.directory
        cluster = {"server": f"https://127.0.0.1:{api}", "certificate-authority": f"{here}/apiserver.crt"}
        user = {"client-certificate": f"{here}/administrator.crt", "client-key": f"{here}/administrator.key"}
        configuration = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "control-plane",
            "clusters": [{"name": "control-plane", "cluster": cluster}],
            "users": [{"name": "administrator", "user": user}],
            "contexts": [{"name": "control-plane", "context": {"cluster": "control-plane", "user": "administrator"}}],
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(configuration, indent=1))

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"openssl {' '.join(arguments)} failed: {done.stderr.strip()}")

    def _api_arguments(self, etcd: str, api: int) -> list[str]:
        return [
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            # The endpoint of the service `kubernetes` must not be a loopback address; nothing connects to it.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={api}",
            f"--cert-dir={self.directory}",
            "--service-cluster-ip-range=10.233.0.0/18",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={self.directory}/client-ca.crt",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.directory}/service-account.key",
            f"--service-account-signing-key-file={self.directory}/service-account.key",
        ]

    def _start(self, name: str, *arguments: str) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(self.directory / name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        records = json.loads(self._processes.read_text()) if self._processes.exists() else []
        records.append({"name": name, "process": process.pid, "started": _started_at(process.pid)})
        self._processes.write_text(json.dumps(records))

    def _wait_ready(self, api: int) -> None:
        deadline, last = time.monotonic() + READY_SECONDS, "no answer"
        while time.monotonic() < deadline:
            try:
                trust = ssl.create_default_context(cafile=str(self.directory / "apiserver.crt"))
                with urllib.request.urlopen(f"https://127.0.0.1:{api}/readyz", timeout=5, context=trust):
                    return
            except (OSError, urllib.error.URLError) as error:
                last = str(error)
            time.sleep(0.2)
        log = (self.directory / "kube-apiserver.log").read_text(errors="replace").splitlines()[-5:]
        raise LabError(f"the API server was not ready after {READY_SECONDS} s ({last}):\n" + "\n".join(log))


def _signal(number: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, which)


def main() -> int:
    parser = argparse.ArgumentParser(prog="geokube_lab.control_plane", description=__doc__)
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("--directory", type=Path, required=True, help="made by up, removed by down")
    arguments = parser.parse_args()
    plane = ControlPlane(arguments.directory.resolve())
    try:
        if arguments.command == "up":
            print(plane.up())
        else:
            plane.down()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
