"""Static files over http, from every point of presence.

    python -m geokube_lab.files

serves /var/lib/geokube-lab/files on port 80 of the anycast address `files`, with one listener in each region.
"""

from __future__ import annotations

import http.server
import signal
import sys
import threading
from functools import partial
from http import HTTPStatus
from pathlib import Path

from geokube_lab import paths, ready, topology


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "geokube-files"
    timeout = 60
    raw_requestline: bytes

    def log_message(self, format: str, *args: object) -> None:
        if args and not str(args[1] if len(args) > 1 else "").startswith(("2", "3")):
            super().log_message(format, *args)

    def parse_request(self) -> bool:
        # Clients that try TLS first (Kubespray's containerd) want to read "HTTP/1.1 400".
        if self.raw_requestline.startswith(b"\x16\x03"):
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, "this port speaks plain http")
            return False
        return super().parse_request()


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


def main() -> int:
    """Serve until SIGTERM."""
    world = topology.load()
    paths.FILES.mkdir(parents=True, exist_ok=True)
    handler = partial(_Handler, directory=str(paths.FILES))
    address = (str(world.anycast["files"]), 80)
    for region in world.regions:
        server = ready.inside(paths.pop_namespace(region), lambda: _Server(address, handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"files: {Path(paths.FILES)} on {address[0]} in {', '.join(world.regions)}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


if __name__ == "__main__":
    sys.exit(main())
