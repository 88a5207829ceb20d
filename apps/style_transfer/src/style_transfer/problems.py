# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refusals as problem details (RFC 9457): what was wrong and what to do about it."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response


class Problem(Exception):
    """A request that is refused.

    :param status: HTTP status code.
    :param code: short name of the reason, stable for programs, for example ``photo-truncated``.
    :param detail: one or two sentences: what was wrong and what to do.
    :param retry_after: seconds after which it is worth trying again.
    :param close: True when the rest of the request was not read, so that the connection cannot be used again.
    """

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, retry_after: int | None = None, close: bool = False
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.close = close

    def response(self) -> Response:
        """Return the answer as ``application/problem+json``, never stored by a cache."""
        body = {
            "type": f"/problems/{self.code}",
            "title": self.status.phrase,
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail,
        }
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.close:
            headers["Connection"] = "close"
        return Response(
            json.dumps(body), status_code=self.status.value, headers=headers, media_type="application/problem+json"
        )


async def answer_problem(request: Request, error: Exception) -> Response:
    """Starlette's exception handler for :class:`Problem`."""
    assert isinstance(error, Problem)
    request.state.problem = error.code
    return error.response()
