# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's networks, asked for by the action plugin from a server that misbehaves on order."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.cloudflare_ranges import FetchError, fetch

ROOT = Path(__file__).resolve().parents[3]
GOOD = {"ipv4_cidrs": ["192.0.2.0/24", "198.51.100.0/24"], "ipv6_cidrs": ["2001:db8::/32"], "etag": "a1"}


class Publisher(ThreadingHTTPServer):
    """Answers C(/client/v4/ips) with what it is told to."""

    status = 200
    body = b""
    hang = False
    asked = 0
    authorized = False

    def says(self, **result: Any) -> None:
        """Publish networks properly."""
        self.status, self.body = 200, json.dumps({"success": True, "errors": [], "result": result}).encode()


class Handler(BaseHTTPRequestHandler):
    """Sends what the publisher is told to."""

    server: Publisher

    def do_GET(self) -> None:
        """Answer, hang, or send half."""
        self.server.asked += 1
        self.server.authorized |= "Authorization" in self.headers
        if self.server.hang:
            self.connection.settimeout(60)
            self.rfile.read(1)
            return
        self.send_response(self.server.status if self.path == "/client/v4/ips" else 404)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_arguments: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Give a publisher that says what is good."""
    with Publisher(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.says(**GOOD)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def url(publisher: Publisher) -> str:
    """Give the address of the API."""
    return f"http://127.0.0.1:{publisher.server_address[1]}/client/v4"


def keep(publisher: Publisher, state: Path, *options: str) -> dict[str, Any]:
    """Run the action as a user does; give its result."""
    arguments = f"state_dir={state} base_url={url(publisher)} minimum=3 timeout=2"
    command = [str(Path(sys.executable).with_name("ansible")), "localhost", "-i", "localhost,", "-c", "local"]
    done = subprocess.run(
        [*command, "-m", "meridian.geokube.cloudflare_ranges", "-a", arguments, *options],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.rpartition(" => ")[2])
    return {**found, "printed": done.stdout + done.stderr}


def test_networks_are_asked_for_without_a_token_and_kept(publisher: Publisher, tmp_path: Path) -> None:
    first = keep(publisher, tmp_path / "state", "--diff")
    assert first["changed"] and not first["stale"]
    assert first["ranges"] == ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]
    assert not publisher.authorized
    file = tmp_path / "state" / "cloudflare_ranges.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert not keep(publisher, tmp_path / "state")["changed"]
    publisher.says(**{**GOOD, "ipv4_cidrs": ["203.0.113.0/24", "192.0.2.0/24"], "etag": "a2"})
    assert keep(publisher, tmp_path / "state", "--check")["changed"]
    assert json.loads(file.read_text())["etag"] == "a1"
    assert keep(publisher, tmp_path / "state")["changed"]
    assert json.loads(file.read_text())["etag"] == "a2"


def test_an_outage_leaves_what_was_and_warns(publisher: Publisher, tmp_path: Path) -> None:
    keep(publisher, tmp_path)
    publisher.status, publisher.body = 503, b"down"
    found = keep(publisher, tmp_path)
    assert found["stale"] and not found["changed"]
    assert found["ranges"] == ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]
    assert "HTTP 503" in found["printed"] and "an earlier run kept" in found["printed"]


def test_an_outage_at_the_first_run_is_an_error(publisher: Publisher, tmp_path: Path) -> None:
    publisher.status, publisher.body = 500, b""
    found = keep(publisher, tmp_path)
    assert "HTTP 500" in found["msg"] and "none were kept" in found["msg"]
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_meant_changes_nothing(publisher: Publisher, tmp_path: Path) -> None:
    keep(publisher, tmp_path)
    publisher.says(**{**GOOD, "ipv4_cidrs": ["0.0.0.0/0"]})
    found = keep(publisher, tmp_path)
    assert "0.0.0.0/0" in found["msg"] and "nothing was changed" in found["msg"]
    assert json.loads((tmp_path / "cloudflare_ranges.json").read_text())["etag"] == "a1"


@pytest.mark.parametrize(
    ("status", "body", "tries", "said"),
    [
        (200, b"{", 3, "cannot be read"),
        (200, b'{"success": false, "result": null}', 3, "it holds no result"),
        (401, b'{"errors": [{"code": 10000, "message": "Authentication error"}]}', 1, "HTTP 401: Authentication error"),
        (404, b"", 1, "HTTP 404"),
        (429, b"", 3, "HTTP 429"),
        (500, b"", 3, "HTTP 500"),
    ],
)
def test_a_bad_answer_is_told_and_asked_again_where_that_helps(
    publisher: Publisher, status: int, body: bytes, tries: int, said: str
) -> None:
    publisher.status, publisher.body = status, body
    with pytest.raises(FetchError, match=said):
        fetch(url(publisher), 5, sleep=lambda _seconds: None)
    assert publisher.asked == tries


def test_a_server_that_hangs_is_given_up(publisher: Publisher) -> None:
    publisher.hang = True
    with pytest.raises(FetchError, match="no answer within"):
        fetch(url(publisher), 0.3, sleep=lambda _seconds: None)
