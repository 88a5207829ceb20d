# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for the providers: one try of one request, with a time limit that holds while a server drips."""

from __future__ import annotations

import email.utils
import functools
import http.client
import json
import os
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import AttemptFailed
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import PARALLEL_REQUESTS

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

Result = TypeVar("Result")

#: What a body is read in, bytes.
CHUNK = 1 << 18
#: The variables that name a file of trusted certificates, for requests, curl and the AWS tools.
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
#: What every reset is called, whichever layer met it first.
WAS_RESET = "the connection was reset before the answer was whole"
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
    """Sends requests over kept connections; many threads may use one client.

    C(explain(status, body)) reads the API's own error out of an answer that is not 2xx.
    """

    def __init__(self, explain: Callable[[int, bytes], HttpFault]) -> None:
        self._explain = explain

    def send(self, request: HttpRequest, timeout: float, read: Callable[[bytes], Result]) -> Result:
        """Send C(request) and give C(read(body)); C(timeout) is seconds, for each wait and for the body as a whole.

        Raises AttemptFailed for every other end of it, a body that C(read) rejects with ValueError among them.
        """
        import urllib3

        end = time.monotonic() + timeout
        try:
            response = pool_for(request.url).request(
                request.method,
                request.url,
                headers=dict(request.headers),
                body=request.body,
                timeout=timeout,
                preload_content=False,
                retries=False,
                # A redirect would carry the credentials to a place that the user did not name.
                redirect=False,
            )
            body = _read_body(response, end, timeout)
        except urllib3.exceptions.SSLError as error:
            raise AttemptFailed(f"the server's certificate was refused: {_reason(error)}") from error
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.NameResolutionError) as error:
            raise AttemptFailed(f"the connection failed: {_reason(error)}", retry=True) from error
        except urllib3.exceptions.TimeoutError as error:
            raise AttemptFailed(f"no answer within {timeout:.3g} s", retry=True) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise AttemptFailed(_broken(error), retry=True) from error
        if not 200 <= response.status < 300:
            raise self._refused(response, body)
        try:
            return read(body)
        except ValueError as error:
            raise AttemptFailed(f"the answer cannot be read: {error}", status=response.status, retry=True) from error

    def _refused(self, response: BaseHTTPResponse, body: bytes) -> AttemptFailed:
        status = response.status
        fault = self._explain(status, body)
        if 300 <= status < 400:
            fault = HttpFault(f"redirect to {response.headers.get('Location', 'nowhere')}, which is not followed")
        return AttemptFailed(
            fault.message or response.reason or "no message",
            status=status,
            retry=fault.retry or status in RETRIED_STATUSES,
            retry_after=_seconds(response.headers.get("Retry-After")),
        )


def pool_for(url: str) -> PoolManager:
    """Give the connections for C(url), through the proxy that the environment names for it."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    if proxy and urllib.request.proxy_bypass(parts.hostname or ""):
        proxy = ""
    return _pool(parts.scheme, proxy)


@functools.cache
def _pool(scheme: str, proxy: str) -> PoolManager:
    import urllib3

    settings: dict[str, Any] = {"maxsize": PARALLEL_REQUESTS, "headers": {"User-Agent": "meridian.geokube"}}
    if scheme == "https":
        settings["ssl_context"] = _tls_context()
    if not proxy:
        return urllib3.PoolManager(**settings)
    user = urllib.parse.urlsplit(proxy)
    secret = f"{urllib.parse.unquote(user.username or '')}:{urllib.parse.unquote(user.password or '')}"
    headers = urllib3.make_headers(proxy_basic_auth=secret) if user.username else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)


def _tls_context() -> ssl.SSLContext:
    """Trust what the system trusts (and SSL_CERT_FILE), or the bundle that other clients of HTTP are told to use."""
    bundle = ca_bundle()
    context = ssl.create_default_context(cafile=bundle)
    if not bundle and not context.cert_store_stats()["x509_ca"]:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def ca_bundle() -> str | None:
    """Give the file of trusted certificates that the environment names, None where it names none."""
    return next(filter(None, map(os.environ.get, CA_BUNDLES)), None)


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object; raises ValueError for anything else."""
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object was expected, not {type(value).__name__}")
    return value


def _read_body(response: BaseHTTPResponse, end: float, timeout: float) -> bytes:
    """Read to the end; a read gives what has arrived, so the clock is looked at even when it is one byte."""
    import urllib3

    read = getattr(response, "read1", response.read)
    chunks: list[bytes] = []
    late = False
    try:
        while chunk := read(CHUNK, decode_content=True):
            chunks.append(chunk)
            if time.monotonic() > end:
                late = True
                break
    except urllib3.exceptions.TimeoutError:
        late = True
    if late:
        response.close()
        size = sum(map(len, chunks))
        raise AttemptFailed(f"the answer was not complete within {timeout:.3g} s ({size} bytes came)", retry=True)
    response.release_conn()
    return b"".join(chunks)


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


def _broken(error: BaseException) -> str:
    """Say how the connection ended."""
    inner = _innermost(error)
    if isinstance(inner, (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)):
        return WAS_RESET
    return f"the connection failed: {_reason(inner)}"


def _innermost(error: BaseException) -> BaseException:
    """Give the first cause: the layers above it only repeat the address."""
    inner: BaseException = error
    while True:
        cause = getattr(inner, "reason", None)
        if not isinstance(cause, BaseException):
            cause = next((part for part in inner.args if isinstance(part, BaseException)), None) or inner.__cause__
        if cause is None or cause is inner:
            return inner
        inner = cause


def _reason(error: BaseException) -> str:
    inner = _innermost(error)
    if isinstance(inner, http.client.IncompleteRead):
        return _cut_off(inner)
    text = str(inner.args[-1]) if isinstance(inner, OSError) and inner.args else str(inner)
    return text.rpartition(">: ")[2].rpartition("]: ")[2] or type(inner).__name__


def _cut_off(error: http.client.IncompleteRead) -> str:
    """Say where the answer ended; urllib3 gives the number of bytes, http.client the bytes themselves."""
    partial = error.partial if isinstance(error.partial, int) else len(error.partial or b"")
    return f"it closed after {partial} bytes, and {error.expected} more were promised"
