# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gRPC for the providers: one try of one call. gRPC's own deadline holds against a server that drips."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import WAS_RESET, ca_bundle
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import AttemptFailed

#: A page of 1000 instances is about 2 MB; gRPC's own limit of 4 MB is near.
LARGEST_ANSWER = 64 << 20
#: The HTTP status that each gRPC status stands for (google/rpc/code.proto), and whether trying again can help.
STATUSES: dict[str, tuple[int | None, bool]] = {
    "INVALID_ARGUMENT": (400, False),
    "FAILED_PRECONDITION": (400, False),
    "OUT_OF_RANGE": (400, False),
    "UNAUTHENTICATED": (401, False),
    "PERMISSION_DENIED": (403, False),
    "NOT_FOUND": (404, False),
    "ABORTED": (409, True),
    "RESOURCE_EXHAUSTED": (429, True),
    "CANCELLED": (499, True),
    "INTERNAL": (500, True),
    "UNKNOWN": (500, True),
    "DATA_LOSS": (500, True),
    "UNIMPLEMENTED": (501, False),
    "UNAVAILABLE": (503, True),
    "DEADLINE_EXCEEDED": (None, True),
}
#: Of one broken connection gRPC tells what it met first: the reset, the end of what was sent, or its own next write.
BROKEN = re.compile(
    r"reset by peer|broken pipe|socket closed|connection (?:aborted|dropped|closed)|endpoint clos|goaway", re.IGNORECASE
)
NOT_CONNECTED = re.compile(r"failed to connect to all addresses|errors resolving|DNS resolution failed", re.IGNORECASE)
CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED: ([^:]+)")
#: How long gRPC itself does not try a place again that it could not reach, milliseconds: the retries are ours.
FIRST_RECONNECT = 100


def load() -> None:
    """Import gRPC, which reads only then that it is not to write to the standard error itself."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc  # noqa: F401


class GrpcChannel:
    """A channel to C(endpoint), C(host:port); without TLS only where the user said so."""

    def __init__(self, endpoint: str, insecure: bool) -> None:
        import grpc

        options = [
            ("grpc.enable_retries", 0),
            ("grpc.max_receive_message_length", LARGEST_ANSWER),
            ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT),
        ]
        self.channel: Any = (
            grpc.insecure_channel(endpoint, options)
            if insecure
            else grpc.secure_channel(endpoint, grpc.ssl_channel_credentials(_trusted()), options)
        )

    def __enter__(self) -> GrpcChannel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()

    @staticmethod
    def call(method: Any, request: Any, token: str, timeout: float) -> Any:
        """Call C(method); raises AttemptFailed for every end but an answer."""
        import grpc

        metadata = [("authorization", f"Bearer {token}")] if token else []
        try:
            return method(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise _failed(error, timeout) from error


def _trusted() -> bytes | None:
    """Give the certificates that other clients are told to trust; None for gRPC's own."""
    bundle = ca_bundle()
    return Path(bundle).read_bytes() if bundle else None


def _failed(error: Any, timeout: float) -> AttemptFailed:
    name = error.code().name
    details = str(error.details() or "no message")
    if name == "DEADLINE_EXCEEDED":
        return AttemptFailed(f"no answer within {timeout:.3g} s", retry=True)
    if name == "UNAVAILABLE" and (fault := _of_the_network(details)) is not None:
        return fault
    status, retry = STATUSES.get(name, (None, False))
    return AttemptFailed(f"{name}: {details}", status=status, retry=retry, retry_after=_retry_after(error))


def _of_the_network(details: str) -> AttemptFailed | None:
    """Say in plain words what broke the connection; None when the server itself is unavailable."""
    refused = CERTIFICATE.search(details)
    if refused:
        return AttemptFailed(f"the server's certificate was refused: {refused.group(1)}")
    if BROKEN.search(details):
        return AttemptFailed(WAS_RESET, retry=True)
    if NOT_CONNECTED.search(details):
        # The cause stands last, and names of addresses before it hold colons too.
        return AttemptFailed(f"the connection failed: {details.rpartition(': ')[2].rstrip(']')}", retry=True)
    return None


def _retry_after(error: Any) -> float | None:
    """Read the wait that the server asked for: RetryInfo, or the header that a proxy before it would set."""
    metadata = dict(error.trailing_metadata() or ())
    packed = metadata.get("grpc-status-details-bin")
    if packed:
        from google.protobuf.message import DecodeError
        from google.rpc.error_details_pb2 import RetryInfo
        from google.rpc.status_pb2 import Status

        try:
            for detail in Status.FromString(packed).details:
                if detail.Is(RetryInfo.DESCRIPTOR):
                    return float(RetryInfo.FromString(detail.value).retry_delay.ToMilliseconds() / 1000)
        except DecodeError:
            return None
    value = str(metadata.get("retry-after", ""))
    return float(value) if value.isdigit() else None
