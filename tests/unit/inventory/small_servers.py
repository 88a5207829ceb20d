# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of a cloud's API that share nothing with the lab's: each as small as somebody else's might be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.meridian.geokube.plugins.plugin_utils.deadline import Deadline
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession

#: Gives the document for a path and its query, None for a 404.
Answer = Callable[[str, Mapping[str, str]], Any]


def session(provider: str) -> ProviderSession:
    """Make the session of one provider, with time enough on a busy machine."""
    return ProviderSession(provider, Deadline(60), 30, 0)


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Serve JSON in HTTP/1.0, as Python's own server does; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            document = answer(parts.path, {name: values[-1] for name, values in parse_qs(parts.query).items()})
            self.send_response(404 if document is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
