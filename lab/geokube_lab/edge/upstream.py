# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one point of presence calls origins: pooled connections that start in its own network."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Container
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from geokube_lab.edge.netns import inside
from geokube_lab.edge.places import Place

# A connection whose data stay unacknowledged this long is dead, as far as the edge is concerned (milliseconds).
UNACKNOWLEDGED_MS = 4000
RETRIED = frozenset({521, 522, 523, 525, 526})
TEXTS = {
    520: "Web server returned an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
    525: "SSL handshake failed",
    526: "Invalid SSL certificate",
}


class OriginError(Exception):
    """The origin could not be asked; `status` is Cloudflare's code for it (520 to 526)."""

    def __init__(self, status: int, detail: str, reused: bool = False) -> None:
        super().__init__(f"{status} {TEXTS[status]}: {detail}")
        self.status = status
        self.reused = reused


class StrictContext(ssl.SSLContext):
    """Also refuses certificates that the Origin CA has revoked; `revoked` gives their serial numbers."""

    revoked: Callable[[], Container[int]] = staticmethod(tuple)


class StrictObject(ssl.SSLObject):
    """One connection of a StrictContext."""

    def do_handshake(self) -> None:
        """Raises SSLCertVerificationError for a revoked certificate, as for any other that is not taken."""
        super().do_handshake()
        shown = self.getpeercert()
        context = self.context
        if shown and isinstance(context, StrictContext) and int(str(shown["serialNumber"]), 16) in context.revoked():
            raise ssl.SSLCertVerificationError(1, "certificate verify failed: certificate revoked")


class Upstream:
    """Connections from one place to the origins."""

    def __init__(
        self,
        place: Place,
        authorities: list[Path],
        connect_timeout: float,
        revoked: Callable[[], Container[int]] = tuple,
    ) -> None:
        self.place = place
        self.authorities = authorities
        self.connect_timeout = connect_timeout
        self.revoked = revoked
        self.client_certificate: tuple[Path, Path] | None = None
        # The name of the zone whose certificate that is.
        self.zone = ""
        self._contexts: dict[tuple[bool, tuple[Path, Path] | None], ssl.SSLContext] = {}
        self.pooled = self._session(keep=True)
        self.fresh = self._session(keep=False)

    def _session(self, keep: bool) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        connector = aiohttp.TCPConnector(
            limit=0,
            force_close=not keep,
            socket_factory=self._socket,
            **({"keepalive_timeout": 50.0} if keep else {}),  # type: ignore[arg-type]
        )
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.connect_timeout, sock_read=100.0)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
        )

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol = address[:3]
        with inside(self.place.namespace):
            made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        return made

    def context(self, verify: bool, pulling: bool) -> ssl.SSLContext:
        """TLS towards origins: with `verify` only certificates of the lab's, a public or the Origin CA are taken.

        With `pulling` the zone's client certificate is shown, if it has one.
        """
        client_certificate = self.client_certificate if pulling else None
        key = (verify, client_certificate)
        if key not in self._contexts:
            context = StrictContext(ssl.PROTOCOL_TLS_CLIENT)
            context.sslobject_class = StrictObject
            context.load_default_certs()
            for path in self.authorities:
                context.load_verify_locations(path)
            if verify:
                context.revoked = self.revoked
            else:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if client_certificate:
                context.load_cert_chain(*client_certificate)
            self._contexts[key] = context
        return self._contexts[key]

    async def request(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str | URL,
        *,
        verify: bool,
        name: str | None,
        pulling: bool = True,
        **options: Any,
    ) -> aiohttp.ClientResponse:
        """Send a request and give the response whose body is still to be read.

        `name` is the server name of TLS, `pulling` whether the zone's client certificate is shown. Raises OriginError
        with the code that the edge would show.
        """
        note = SimpleNamespace(reused=False)
        secure = str(url).startswith("https:")
        try:
            return await session.request(
                method,
                url,
                ssl=self.context(verify, pulling) if secure else True,
                server_hostname=name if secure else None,
                allow_redirects=False,
                trace_request_ctx=note,
                **options,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise OriginError(status_of(error), _detail(error), note.reused) from error

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(self.pooled.close(), self.fresh.close())


def status_of(error: Exception) -> int:
    """Cloudflare's code for a failure between edge and origin."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return 526
    if isinstance(error, aiohttp.ClientConnectorSSLError | ssl.SSLError) or _alerted(error):
        return 525
    if isinstance(error, aiohttp.SocketTimeoutError):
        return 524
    if isinstance(error, TimeoutError):
        return 522
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ConnectionRefusedError):
        return 521
    if isinstance(cause, OSError) and cause.errno in (101, 113):
        return 523
    if isinstance(error, aiohttp.ClientConnectorError) or isinstance(cause, TimeoutError):
        return 522
    return 522 if isinstance(cause, OSError) and cause.errno == 110 else 520


def _alerted(error: Exception) -> bool:
    """Whether the origin ended TLS after its handshake: since TLS 1.3 it refuses a client's certificate only then."""
    return "ALERT" in f"{error} {error.__cause__ or ''}".upper() and "SSL" in f"{error} {error.__cause__ or ''}"


def _detail(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return (cause.strerror if isinstance(cause, OSError) else "") or str(cause) or type(cause).__name__


async def _note_reuse(session: aiohttp.ClientSession, context: SimpleNamespace, parameters: Any) -> None:
    context.trace_request_ctx.reused = True
