# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for the providers: one try of one request, with a time limit that holds while a server drips."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import AttemptFailed

if TYPE_CHECKING:
    import requests

Result = TypeVar("Result")

#: What a body is read in, bytes.
CHUNK = 1 << 18
RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class HttpRequest:
    """One request, ready to send."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class HttpFault:
    """What an error answer says: the API's own message, and whether the API says that trying again helps."""

    message: str
    retry: bool = False


class HttpClient:
    """Sends requests over kept connections, one set for each thread.

    C(explain(status, body)) reads the API's own error out of an answer that is not 2xx.
    """

    def __init__(self, explain: Callable[[int, bytes], HttpFault]) -> None:
        self._explain = explain
        self._local = threading.local()

    def send(self, request: HttpRequest, timeout: float, read: Callable[[bytes], Result]) -> Result:
        """Send C(request) and give C(read(body)); C(timeout) seconds hold for the whole exchange.

        Raises AttemptFailed for every other end of it, a body that C(read) rejects with ValueError among them.
        """
        import requests
        import urllib3

        end = time.monotonic() + timeout
        try:
            with self._session().request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body,
                timeout=timeout,
                stream=True,
                # A redirect would carry the credentials to a place that the user did not name.
                allow_redirects=False,
            ) as response:
                body = _read_body(response, end, timeout)
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
            raise AttemptFailed(f"the server's certificate was refused: {_reason(error)}") from error
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise AttemptFailed(f"no answer within {timeout:.3g} s", retry=True) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise AttemptFailed(f"the connection failed: {_reason(error)}", retry=True) from error
        if not 200 <= response.status_code < 300:
            raise self._refused(response, body)
        try:
            return read(body)
        except ValueError as error:
            raise AttemptFailed(
                f"the answer cannot be read: {error}", status=response.status_code, retry=True
            ) from error

    def _session(self) -> requests.Session:
        import requests

        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.headers["User-Agent"] = "meridian.geokube"
            # Without this an entry in ~/.netrc would take the place of the credentials that were asked for.
            session.auth = _keep_headers
        return session

    def _refused(self, response: requests.Response, body: bytes) -> AttemptFailed:
        status = response.status_code
        fault = self._explain(status, body)
        if 300 <= status < 400:
            fault = HttpFault(f"redirect to {response.headers.get('Location', 'nowhere')}, which is not followed")
        return AttemptFailed(
            fault.message or response.reason or "no message",
            status=status,
            retry=fault.retry or status in RETRIED_STATUSES,
            retry_after=_seconds(response.headers.get("Retry-After")),
        )


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object; raises ValueError for anything else."""
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object was expected, not {type(value).__name__}")
    return value


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read_body(response: requests.Response, end: float, timeout: float) -> bytes:
    """Read to the end; a read gives what has arrived, so the clock is looked at even when it is one byte."""
    raw = response.raw
    read = getattr(raw, "read1", raw.read)
    chunks: list[bytes] = []
    while True:
        chunk = read(CHUNK, decode_content=True)
        if not chunk:
            break
        chunks.append(chunk)
        if time.monotonic() > end:
            size = sum(map(len, chunks))
            raise AttemptFailed(f"the answer was not complete within {timeout:.3g} s ({size} bytes came)", retry=True)
    body = b"".join(chunks)
    expected = response.headers.get("Content-Length")
    if expected and expected.isdigit() and not response.headers.get("Content-Encoding") and len(body) < int(expected):
        raise AttemptFailed(f"the connection closed after {len(body)} of {expected} bytes", retry=True)
    return body


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _reason(error: BaseException) -> str:
    """Give the innermost cause: the layers above it only repeat the address."""
    inner: BaseException = error
    while True:
        cause = getattr(inner, "reason", None)
        if not isinstance(cause, BaseException):
            cause = next((part for part in inner.args if isinstance(part, BaseException)), None) or inner.__cause__
        if cause is None or cause is inner:
            break
        inner = cause
    text = str(inner.args[-1]) if isinstance(inner, OSError) and inner.args else str(inner)
    return text.rpartition(">: ")[2].rpartition("]: ")[2] or type(inner).__name__
