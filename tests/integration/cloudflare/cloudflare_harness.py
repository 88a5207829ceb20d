# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running edge and origins behind it, all on loopback."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import pytest
import yaml
from ansible.module_utils import basic
from ansible_collections.meridian.geokube.plugins.module_utils import (
    cloudflare_account,
    cloudflare_client,
    cloudflare_module,
)

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "lab"))

from geokube_lab.edge.authority import Authority  # noqa: E402

ACCOUNT = "0123456789abcdef0123456789abcdef"
ZONE = "fedcba9876543210fedcba9876543210"
TOKEN = "geokube-lab-cloudflare-token"
PULLS = f"/zones/{ZONE}/origin_tls_client_auth"
CACHE_RULES = f"/zones/{ZONE}/rulesets/phases/http_request_cache_settings/entrypoint"
# Those that take the common options.
GROUP = yaml.safe_load((REPOSITORY / "meta" / "runtime.yml").read_text())["action_groups"]["cloudflare"]
PLACES = {"ru": "127.0.1.1", "sg": "127.0.1.2", "au": "127.0.1.3", "br": "127.0.1.4"}


def free_port(address: str = "127.0.0.1") -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def identified(value: Any, ids: dict[str, str]) -> Any:
    """The value with identifiers in place of pools' names."""
    if isinstance(value, dict):
        return {ids.get(key, key): identified(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [identified(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


@dataclass
class Edge:
    """The emulator as a process; `restart` keeps its state."""

    folder: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/client/v4"

    @property
    def ca(self) -> Path:
        return self.folder / "ca" / "ca.crt"

    def start(self) -> None:
        places = [f"--place={name}={address}:{self.https_port}:{self.http_port}" for name, address in PLACES.items()]
        command = [sys.executable, "-m", "geokube_lab.edge", f"--api=127.0.0.1:{self.port}",
                   f"--data={self.folder}/edge", f"--ca={self.folder}/ca", *places, *self.options]  # fmt: skip
        log = (self.folder / "edge.log").open("ab")
        self.process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(REPOSITORY / "lab")}
        )
        wait_for(self.answers, 20, lambda: (self.folder / "edge.log").read_text())

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError((self.folder / "edge.log").read_text())
        try:
            return bool(urllib.request.urlopen(f"{self.url}/ips", timeout=2).status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the test side of the emulator: /faults and /requests."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", None if body is None else json.dumps(body).encode(), method=method
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def fault(self, **fault: Any) -> None:
        self.control("POST", "/faults", [fault])

    def requests(self) -> list[str]:
        """The API requests since the last `clear`."""
        return [entry for entry in self.control("GET", "/requests") if not entry.endswith("/ips")]

    def clear(self) -> None:
        self.control("DELETE", "/faults")

    def api(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> Any:
        """One API request; gives the result, or raises urllib.error.HTTPError."""
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["result"]

    def wipe(self) -> None:
        """Delete every balancer, pool and monitor, the zone's cache rules, and what it had about its origins."""
        for path in (f"/zones/{ZONE}/load_balancers", *(f"/accounts/{ACCOUNT}/load_balancers/{kind}"
                                                        for kind in ("pools", "monitors"))):  # fmt: skip
            for record in self.api("GET", path):
                self.api("DELETE", f"{path}/{record['id']}")
        with contextlib.suppress(urllib.error.HTTPError):
            if self.api("GET", CACHE_RULES)["rules"]:
                self.api("PUT", CACHE_RULES, {"rules": []})
        for name, value in (("ssl", "full"), ("browser_cache_ttl", 14400), ("always_use_https", "off")):
            self.api("PATCH", f"/zones/{ZONE}/settings/{name}", {"value": value})
        self.api("PUT", f"{PULLS}/settings", {"enabled": False})
        for path, query in ((PULLS, ""), ("/certificates", f"?zone_id={ZONE}")):
            for record in self.api("GET", path + query):
                self.api("DELETE", f"{path}/{record['id']}")
        self.clear()

    def curl(self, place: str, path: str, *arguments: str, host: str = "style.geokube.test") -> tuple[int, str, str]:
        """Ask the edge at a place as a user; gives status, header lines and body."""
        done = subprocess.run(
            self._curl(place, path, *arguments, host=host), capture_output=True, timeout=30, check=False
        )
        text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
        assert done.returncode == 0, done.stderr.decode()
        head, _, body = text.rpartition("\n\n") if "\n\n" in text else (text, "", "")
        return int(text.split()[1]), head.lower(), body

    def curl_later(self, place: str, path: str) -> subprocess.Popen[bytes]:
        """The same, begun and not waited for."""
        command = self._curl(place, path, host="style.geokube.test")
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def _curl(self, place: str, path: str, *arguments: str, host: str) -> list[str]:
        return ["curl", "-sS", "-D-", "--max-time", "20", "--cacert", str(self.ca),
                "--connect-to", f"{host}:443:{PLACES[place]}:{self.https_port}",
                *arguments, f"https://{host}{path}"]  # fmt: skip


class OriginHandler(BaseHTTPRequestHandler):
    """Answers with the region's name; /readyz with the origin's readiness."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: OriginServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        probing = self.path == "/readyz"
        if not probing:
            self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        time.sleep(self.server.pause if self.path.startswith(self.server.pause_at) else 0.0)
        status = 503 if probing and self.server.probed() else 404 if self.server.missing else 200
        answer = self.server.region.encode() if not self.path.startswith("/echo") else body
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("x-geokube-region", self.server.region)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class OriginServer(ThreadingHTTPServer):
    """One region's HTTPS origin."""

    daemon_threads = True

    def __init__(self, region: str, address: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__((address, port), OriginHandler)
        self.region = region
        self.ready, self.missing = True, False
        # Seconds before answers about these paths; how many of the next probes fail; how many there were.
        self.pause, self.pause_at, self.failing, self.probes = 0.0, "/", 0, 0
        self._lock = threading.Lock()
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.open: list[socket.socket] = []
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def probed(self) -> bool:
        """Count a probe; whether it fails."""
        with self._lock:
            self.probes += 1
            fails = not self.ready or self.failing > 0
            self.failing = max(0, self.failing - 1)
            return fails

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.append(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        """Go as a machine goes: with its connections."""
        super().server_close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@dataclass
class Origins:
    """An origin per region, on one port of four loopback addresses."""

    port: int
    files: tuple[Path, Path]
    servers: dict[str, OriginServer] = field(default_factory=dict)
    context: ssl.SSLContext | None = None
    addresses: ClassVar[dict[str, str]] = {"ru": "127.0.2.1", "sg": "127.0.2.2", "au": "127.0.2.3", "br": "127.0.2.4"}

    def start(self, region: str) -> None:
        context = self.context
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.files)
        self.servers[region] = OriginServer(region, self.addresses[region], self.port, context)

    def stop(self, region: str) -> None:
        server = self.servers.pop(region)
        server.shutdown()
        server.server_close()


def wait_for(condition: Callable[[], Any], seconds: float, why: Callable[[], Any] = lambda: "") -> Any:
    """Wait until the condition gives something true; give that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {why()}")


@pytest.fixture(scope="session")
def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    options = (
        "--minimum-interval=1",
        "--rate-limit=100000",
        "--connect-timeout=1",
        "--token=reader=zone:read,load_balancers:read,load_balancing_pools:read",
    )
    edge = Edge(tmp_path_factory.mktemp("edge"), options)
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture
def edge(shared_edge: Edge) -> Iterator[Edge]:
    """The emulator with an empty account."""
    shared_edge.wipe()
    yield shared_edge
    shared_edge.clear()


@pytest.fixture
def origins(tmp_path: Path, shared_edge: Edge) -> Iterator[Origins]:
    authority = Authority(tmp_path, "origin-ca", "origin test CA")
    files = authority.server_files(tmp_path, "origin", ["style.geokube.test"])
    made = Origins(free_port("127.0.2.1"), files)
    for region in Origins.addresses:
        made.start(region)
    yield made
    for region in list(made.servers):
        made.stop(region)


def run_module(
    edge: Edge,
    name: str,
    params: dict[str, Any],
    check: bool = False,
    token: str = TOKEN,
    client: Callable[..., cloudflare_client.Client] = cloudflare_client.Client,
) -> dict[str, Any]:
    """Run a module of the collection in this process, as Ansible would; gives its result with `failed` set."""
    module = importlib.import_module(f"ansible_collections.meridian.geokube.plugins.modules.{name}")
    arguments: dict[str, Any] = {
        "api_token": token,
        "base_url": edge.url,
        "_ansible_check_mode": check,
        "_ansible_diff": True,
        "_ansible_remote_tmp": str(edge.folder),
        **params,
    }
    if "account_id" in module.argument_spec():
        arguments.setdefault("account_id", ACCOUNT)
    output = io.StringIO()
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True),
        mock.patch.object(cloudflare_client, "PAUSES", (0.01, 0.02, 0.03)),
        mock.patch.object(cloudflare_module, "Client", client),
        mock.patch.object(cloudflare_account, "LOOK_PAUSE", 0.05),
        contextlib.redirect_stdout(output),
        pytest.raises(SystemExit),
    ):
        module.main()
    assert token not in output.getvalue(), "the token leaked"
    result: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    result.setdefault("failed", False)
    result["changed"] = result.get("changed", False)
    return result


def module_process(edge: Edge, name: str, params: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start a module in a process of its own; its result is the last line of its output."""
    code = (
        "import json, sys\n"
        "from ansible.module_utils import basic\n"
        "basic._ANSIBLE_PROFILE = 'legacy'\n"
        "basic._ANSIBLE_ARGS = json.dumps({'ANSIBLE_MODULE_ARGS': json.loads(sys.argv[1])}).encode()\n"
        f"from ansible_collections.meridian.geokube.plugins.modules.{name} import main\n"
        "main()\n"
    )
    options = {"account_id": ACCOUNT, "api_token": TOKEN, "base_url": edge.url, **params}
    command = [sys.executable, "-c", code, json.dumps(options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


MONITOR = {"name": "test-https", "type": "https", "path": "/readyz", "interval": 15, "allow_insecure": True}
REGION_ORDER = {
    "EEU": ["ru", "sg", "br", "au"],
    "SEAS": ["sg", "au", "ru", "br"],
    "OC": ["au", "sg", "br", "ru"],
    "SSAM": ["br", "ru", "au", "sg"],
}


def wanted(**changes: Any) -> dict[str, Any]:
    """A monitor, four pools and a balancer over documentation addresses, for cloudflare_traffic."""
    regions = ("ru", "sg", "au", "br")
    return {
        "zone": "geokube.test",
        "owner": "test",
        "drain_seconds": 0,
        "monitors": [dict(MONITOR)],
        "pools": [
            {
                "name": f"test-{region}",
                "monitor": "test-https",
                "origins": [{"name": f"{region}-1", "address": f"192.0.2.{number}"}],
            }
            for number, region in enumerate(regions, 1)
        ],
        "load_balancers": [
            {
                "name": "style.geokube.test",
                "default_pools": ["test-ru", "test-sg"],
                "fallback_pool": "test-ru",
                "region_pools": {code: [f"test-{one}" for one in order] for code, order in REGION_ORDER.items()},
                "steering_policy": "geo",
                "proxied": True,
            }
        ],
        **changes,
    }
