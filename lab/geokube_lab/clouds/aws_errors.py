# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's errors in the two XML forms: EC2's own, and the one of the other query and REST services."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from geokube_lab.clouds.messages import Response

_EC2 = {
    400: ("InvalidRequest", "The request is not valid."),
    401: ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    403: ("UnauthorizedOperation", "You are not authorized to perform this operation."),
    404: ("ResourceNotFound", "The resource was not found."),
    429: ("RequestLimitExceeded", "Request limit exceeded."),
    500: ("InternalError", "An internal error has occurred"),
    503: ("Unavailable", "The server is overloaded and can't handle the request."),
}
_OTHERS = {
    400: ("ValidationError", "The request is not valid."),
    401: ("InvalidClientTokenId", "The security token included in the request is invalid."),
    403: ("AccessDenied", "The caller is not authorized to perform this operation."),
    404: ("NotFound", "The resource was not found."),
    429: ("Throttling", "Rate exceeded"),
    500: ("InternalFailure", "The request processing has failed because of an unknown error."),
    503: ("ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
}
_REQUEST_ID = "59dbff89-35bd-4eac-99ed-be587EXAMPLE"


def error_response(
    service: str,
    status: int,
    message: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as the service writes it; message and code have the usual ones as defaults."""
    table = _EC2 if service == "ec2" else _OTHERS
    its_code, its_message = table.get(status, table[500 if status >= 500 else 400])
    error = f"<Code>{escape(code or its_code)}</Code><Message>{escape(message or its_message)}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
    else:
        inner = f"<Error><Type>Sender</Type>{error}</Error><RequestId>{_REQUEST_ID}</RequestId>"
        text = f"<ErrorResponse>{inner}</ErrorResponse>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return Response(status, body, "text/xml;charset=UTF-8", headers or {})
