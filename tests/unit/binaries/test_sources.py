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
from geokube_lab.sources import Mode, Source, read_mode


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


AUTO = Mode("auto", {})


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
    [finding] = sources.decide(AUTO, [source])
    assert finding.reachable is reachable
    assert finding.used == ("the real one" if reachable else "the stand-in")
    assert finding.detail == f"HTTP {path[1:]}"


def test_refused_connection_and_unknown_name_are_not_reached() -> None:
    refused = Source("refused", "real", "stand-in", f"http://127.0.0.1:{closed_port()}/")
    unknown = Source("unknown", "real", "stand-in", "http://name.invalid/")
    assert [finding.stand_in for finding in sources.decide(AUTO, [refused, unknown])] == [True, True]


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
    [finding] = sources.decide(
        read_mode(mode), [Source("one", "real", "stand-in", f"http://127.0.0.1:{closed_port()}/")]
    )
    assert finding.stand_in is stand_in


def test_unknown_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOKUBE_SOURCES", "offline")
    with pytest.raises(LabError, match=r"GEOKUBE_SOURCES has 'offline': set it to one of auto, internet, packages"):
        sources.mode_from_environment()


def test_record_names_the_stand_ins_and_is_read_back(tmp_path: Path, server: str) -> None:
    listed = [
        Source("good", "real", "stand-in", server + "/200"),
        Source("bad", "real", "another", server + "/500"),
        Source("always", "", "emulator"),
    ]
    path = tmp_path / "run" / "sources.json"
    assert not sources.real("good", path)
    sources.record(AUTO, sources.decide(AUTO, listed), path)
    assert json.loads(path.read_text())["stand_ins"] == [
        {"name": "bad", "used": "another"},
        {"name": "always", "used": "emulator"},
    ]
    assert sources.real("good", path)
    assert not sources.real("bad", path)
    assert not sources.real("always", path)


def listed(server: str, second: str = "/200") -> list[Source]:
    return [
        Source("one", "real", "stand-in", server + "/200", key="one", needs=("two",)),
        Source("two", "real", "stand-in", server + "/200", key="two", needs=("one", "three")),
        Source("three", "real", "stand-in", server + second, key="three"),
    ]


@pytest.mark.parametrize(("status", "stand_ins"), [("/200", []), ("/503", ["one", "two", "three"])])
def test_what_needs_another_is_used_with_it_only(server: str, status: str, stand_ins: list[str]) -> None:
    findings = sources.decide(AUTO, listed(server, status))
    assert [finding.name for finding in findings if finding.stand_in] == stand_ins
    if stand_ins:
        assert findings[0].reachable
        assert findings[0].detail == "HTTP 200, but it is of no use without three"


def test_one_source_is_decided_by_hand(server: str) -> None:
    every = listed(server)
    findings = sources.decide(read_mode("auto, three=packages", every), every)
    assert [finding.stand_in for finding in findings] == [True, True, True]
    findings = sources.decide(read_mode("packages three=internet", every), every)
    assert [finding.stand_in for finding in findings] == [True, True, False]
    with pytest.raises(LabError, match="wants one from the internet, which needs two, three from there too"):
        sources.decide(read_mode("packages one=internet", every), every)
    with pytest.raises(LabError, match=r"has 'four=auto': .*the sources are one, two, three"):
        read_mode("four=auto", every)


def test_what_a_lab_was_brought_up_with_is_kept_while_it_is_up(tmp_path: Path, server: str) -> None:
    path, standing = tmp_path / "sources.json", tmp_path / "wan.json"
    sources.record(AUTO, sources.decide(AUTO, listed(server)), path)
    assert sources.kept_findings(path, standing) == {}
    standing.touch()
    gone = listed(f"http://127.0.0.1:{closed_port()}")
    for _ in range(2):
        findings = sources.decide(AUTO, gone, sources.kept_findings(path, standing))
        assert [finding.stand_in for finding in findings] == [False] * 3
        assert all(finding.detail.count("kept while the lab is up") == 1 for finding in findings)
        sources.record(AUTO, findings, path)
    path.write_text("{torn")
    assert sources.kept_findings(path, standing) == {}


def test_every_source_of_the_lab_has_a_key_and_needs_only_known_ones() -> None:
    names = {source.name for source in sources.SOURCES}
    for source in sources.SOURCES:
        assert bool(source.key) == bool(source.url)
        assert set(source.needs) <= names
    forced = sources.decide(read_mode("internet"))
    assert {finding.name for finding in forced if not finding.stand_in} == {s.name for s in sources.SOURCES if s.url}
    assert all(finding.stand_in for finding in sources.decide(read_mode("packages")))
