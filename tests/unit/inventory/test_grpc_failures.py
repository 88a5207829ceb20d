# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gRPC says about a connection, in the words that the user gets; against sockets that end it for real, too."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import WAS_RESET, HttpClient, HttpRequest
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import AttemptFailed
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.grpc_client import GrpcChannel

TIMEOUT = 20.0
TO = "failed to connect to all addresses; last error: "


class Ended(grpc.RpcError):  # type: ignore[misc]
    """A call that ended with a status, as gRPC raises it."""

    def __init__(self, code: str, details: str) -> None:
        self._code, self._details = code, details

    def code(self) -> Any:
        """Give the status."""
        return grpc.StatusCode[self._code]

    def details(self) -> str:
        """Give the text."""
        return self._details

    def trailing_metadata(self) -> tuple[()]:
        """Give nothing: a broken connection has no trailer."""
        return ()


def failed(code: str, details: str) -> AttemptFailed:
    """Give what one try makes of a status."""

    def method(*_args: Any, **_options: Any) -> None:
        raise Ended(code, details)

    with pytest.raises(AttemptFailed) as caught:
        GrpcChannel.call(method, None, "", TIMEOUT)
    return caught.value


@pytest.mark.parametrize(
    "details",
    [
        "Stream removed (recvmsg:Connection reset by peer (104))",
        "Stream removed (sendmsg: Connection reset by peer (104))",
        "Stream removed (sendmsg: Broken pipe (32))",
        "Stream removed (Socket closed)",
        "Stream removed (Socket closed (GOAWAY received; Error code: 2; Debug Text: ))",
        f"{TO}UNAVAILABLE: ipv4:192.0.2.1:443: recvmsg:Connection reset by peer (104)",
        f"{TO}UNAVAILABLE: ipv4:192.0.2.1:443: Socket closed",
        f"{TO}UNKNOWN: ipv4:192.0.2.1:443: Failed to connect to remote host: Connection reset by peer",
    ],
)
def test_reset(details: str) -> None:
    """Whichever of them gRPC meets first is chance, so all read the same; trying again helps."""
    failure = failed("UNAVAILABLE", details)
    assert (failure.message, failure.status, failure.retry) == (WAS_RESET, None, True)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            f"{TO}UNKNOWN: ipv6:%5B::1%5D:9: Failed to connect to remote host: Connection refused",
            "the connection failed: Connection refused",
        ),
        (
            "errors resolving api.example:443: [field:hostname lookup error:address lookup failed for api.example:443: "
            "Domain name not found]",
            "the connection failed: Domain name not found",
        ),
    ],
)
def test_not_connected(details: str, message: str) -> None:
    """The cause alone is told, as for the clouds that speak HTTP."""
    failure = failed("UNAVAILABLE", details)
    assert (failure.message, failure.status, failure.retry) == (message, None, True)


def test_certificate() -> None:
    """A certificate that is not trusted stays so: no other try."""
    failure = failed(
        "UNAVAILABLE",
        f"{TO}UNKNOWN: ipv4:192.0.2.1:443: Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:1000007d:"
        "SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: self signed certificate: OK",
    )
    assert failure.message == "the server's certificate was refused: self signed certificate"
    assert not failure.retry


def test_unavailable_by_its_own_words() -> None:
    """A server that says it is unavailable is HTTP's 503, in its own words."""
    failure = failed("UNAVAILABLE", "Zone ru-central1-b is not available")
    assert (failure.message, failure.status) == ("UNAVAILABLE: Zone ru-central1-b is not available", 503)


def reset(connection: socket.socket) -> None:
    """Read what was asked and reset."""
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(connection: socket.socket) -> None:
    """Read what was asked and close."""
    connection.recv(1000)


@pytest.fixture(params=[reset, close], ids=lambda end: str(end.__name__))
def rude(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve a port whose every connection ends without an answer."""
    end: Callable[[socket.socket], None] = request.param
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                with connection:
                    end(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(TIMEOUT)


def test_real_end_of_grpc(rude: str) -> None:
    """gRPC's real words for a real end."""
    with GrpcChannel(rude, insecure=True) as channel, pytest.raises(AttemptFailed) as caught:
        GrpcChannel.call(channel.channel.unary_unary("/any/method"), b"", "", TIMEOUT)
    assert caught.value.message == WAS_RESET


def test_real_end_of_http(rude: str) -> None:
    """The same for HTTP."""
    client = HttpClient(lambda _status, _body: pytest.fail("there is no answer"))
    with pytest.raises(AttemptFailed) as caught:
        client.send(HttpRequest("GET", f"http://{rude}/"), TIMEOUT, bytes)
    assert caught.value.message == WAS_RESET


def test_real_refusal_of_grpc() -> None:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    with GrpcChannel(place, insecure=True) as channel, pytest.raises(AttemptFailed) as caught:
        GrpcChannel.call(channel.channel.unary_unary("/any/method"), b"", "", TIMEOUT)
    assert caught.value.message == "the connection failed: Connection refused"
