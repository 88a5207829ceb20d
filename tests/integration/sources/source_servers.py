# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internet on loopback: files with ranges and redirects, git over http, and faults in the order that is asked."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Internet:
    """One server; a fault is a status, ("cut", bytes) or ("hang",), taken by one request for its path each.

    A path of faults ends in * when it is the beginning of one.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[int | tuple[str, int] | tuple[str]]] = field(default_factory=lambda: defaultdict(list))
    repositories: Path | None = None
    """What is served below /git/ is in this folder."""
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of each request."""
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Serve on a free port."""
        internet = self

        class Handler(_Handler):
            world = internet

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Let go of those that hang, and end."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def fault(self, path: str) -> int | tuple[str, int] | tuple[str] | None:
        """Take the next fault for a path."""
        for name, waiting in self.faults.items():
            if waiting and (name == path or (name.endswith("*") and path.startswith(name[:-1]))):
                return waiting.pop(0)
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: Internet

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, *_: object) -> None:
        return

    def _answer(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        self.world.asked.append((path, self.headers.get("Range", "")))
        fault = self.world.fault(path)
        if isinstance(fault, int):
            self._send(fault, b"no\n", {})
        elif path in self.world.redirects:
            self._send(302, b"", {"Location": self.world.redirects[path]})
        elif path.startswith("/git/") and self.world.repositories is not None:
            status, headers, content = self._git(self.world.repositories, body)
            self._send(status, content, headers, fault)
        elif path in self.world.files:
            self._file(self.world.files[path], fault)
        else:
            self._send(404, b"no such file\n", {})

    def _file(self, content: bytes, fault: tuple[str, int] | tuple[str] | None) -> None:
        tag = f'"{hash(content)}"'
        wanted = self.headers.get("Range", "")
        if self.world.ranges and wanted.startswith("bytes=") and self.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}", "ETag": tag}
            self._send(206, content[start:], headers, fault)
            return
        self._send(200, content, {"ETag": tag}, fault)

    def _send(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str],
        fault: tuple[str, int] | tuple[str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault is None:
            self.wfile.write(content)
            return
        self.wfile.write(content[: fault[1] if len(fault) == 2 else len(content) // 2])
        self.wfile.flush()
        if fault[0] == "hang":
            self.world.released.wait(60)
        self.close_connection = True

    def _git(self, root: Path, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": parts.path.removeprefix("/git"),
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        said = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
        head, _, content = said.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return int(headers.pop("Status", "200").split()[0]), headers, content
