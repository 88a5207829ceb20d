# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gRPC for the providers: one try of one call. gRPC's own deadline holds against a server that drips."""

from __future__ import annotations

from types import TracebackType
from typing import Any

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


class GrpcChannel:
    """A channel to C(endpoint), C(host:port); without TLS only where the user said so."""

    def __init__(self, endpoint: str, insecure: bool) -> None:
        import grpc

        options = [("grpc.enable_retries", 0), ("grpc.max_receive_message_length", LARGEST_ANSWER)]
        self.channel: Any = (
            grpc.insecure_channel(endpoint, options)
            if insecure
            else grpc.secure_channel(endpoint, grpc.ssl_channel_credentials(), options)
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


def _failed(error: Any, timeout: float) -> AttemptFailed:
    name = error.code().name
    status, retry = STATUSES.get(name, (None, False))
    details = str(error.details() or "no message")
    if name == "DEADLINE_EXCEEDED":
        return AttemptFailed(f"no answer within {timeout:.3g} s", retry=True)
    return AttemptFailed(f"{name}: {details}", status=status, retry=retry, retry_after=_retry_after(error))


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
