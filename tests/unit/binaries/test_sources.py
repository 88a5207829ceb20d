"""The probe of sources: what it finds with servers that answer, refuse, hang or are not there."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from geokube_lab import sources
from geokube_lab.errors import LabError
from geokube_lab.sources import Source


@pytest.fixture
def server() -> Iterator[str]:
    """A server whose path is the status that it answers with; /hang answers nothing."""
    release = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/hang":
                release.wait(10)
                return
            self.send_response(int(self.path[1:]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    release.set()
    served.shutdown()
    served.server_close()


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("path", "reachable"),
    [
        ("/200", True),
        ("/401", True),
        ("/403", False),
        ("/404", False),
        ("/429", False),
        ("/500", False),
        ("/502", False),
    ],
)
def test_status_decides(server: str, path: str, reachable: bool) -> None:
    source = Source("one", "the real one", "the stand-in", server + path, (200, 401))
    [finding] = sources.decide("auto", [source])
    assert finding.reachable is reachable
    assert finding.used == ("the real one" if reachable else "the stand-in")
    assert finding.detail == f"HTTP {path[1:]}"


def test_refused_connection_and_unknown_name_are_not_reached() -> None:
    refused = Source("refused", "real", "stand-in", f"http://127.0.0.1:{closed_port()}/")
    unknown = Source("unknown", "real", "stand-in", "http://name.invalid/")
    assert [finding.stand_in for finding in sources.decide("auto", [refused, unknown])] == [True, True]


def test_a_hanging_source_does_not_hold_up_the_others(server: str) -> None:
    hanging = Source("hanging", "real", "stand-in", server + "/hang")
    good = Source("good", "real", "stand-in", server + "/200")
    started = time.monotonic()
    heard = sources.probe([hanging, good], request_seconds=30, all_seconds=0.5)
    assert time.monotonic() - started < 2
    assert heard["good"] == (True, "HTTP 200")
    assert heard["hanging"] == (False, "no answer in 0.5 s")


@pytest.mark.parametrize(("mode", "stand_in"), [("internet", False), ("packages", True)])
def test_setting_decides_without_asking(mode: str, stand_in: bool) -> None:
    [finding] = sources.decide(mode, [Source("one", "real", "stand-in", f"http://127.0.0.1:{closed_port()}/")])
    assert finding.stand_in is stand_in


def test_unknown_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOKUBE_SOURCES", "offline")
    with pytest.raises(LabError, match=r"GEOKUBE_SOURCES is 'offline': set it to one of auto, internet, packages"):
        sources.mode_from_environment()


def test_record_names_the_stand_ins_and_is_read_back(tmp_path: Path, server: str) -> None:
    listed = [
        Source("good", "real", "stand-in", server + "/200"),
        Source("bad", "real", "another", server + "/500"),
        Source("always", "", "emulator"),
    ]
    path = tmp_path / "run" / "sources.json"
    assert not sources.real("good", path)
    sources.record("auto", sources.decide("auto", listed), path)
    assert json.loads(path.read_text())["stand_ins"] == [
        {"name": "bad", "used": "another"},
        {"name": "always", "used": "emulator"},
    ]
    assert sources.real("good", path)
    assert not sources.real("bad", path)
    assert not sources.real("always", path)
