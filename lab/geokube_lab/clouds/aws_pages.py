# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstances pages as EC2 cuts them: limits, opaque tokens with a page number, and pages spoilt on order."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from geokube_lab.clouds.messages import Response

MAX_RESULTS_LEAST, MAX_RESULTS_LIMIT = 5, 1000
_NEXT_TOKEN = re.compile(rb"<nextToken>([^<]*)</nextToken>|<nextToken\s*/>")
_END = b"</DescribeInstancesResponse>"
_RESERVATIONS = re.compile(rb"<reservationSet>.*</reservationSet>", re.DOTALL)


def problem_with(form: Mapping[str, str]) -> tuple[str, str] | None:
    """Message and code of EC2's refusal of a page size, or None."""
    size = form.get("MaxResults")
    if size is None:
        return None
    if not size.isdigit():
        return f"Invalid value '{size}' for maxResults", "InvalidParameterValue"
    if int(size) > MAX_RESULTS_LIMIT:
        bound = f"less than or equal to {MAX_RESULTS_LIMIT}"
    elif int(size) < MAX_RESULTS_LEAST:
        bound = f"greater than or equal to {MAX_RESULTS_LEAST}"
    else:
        return None
    message = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value {bound}."
    return message, "InvalidParameterValue"


class Pages:
    """Translates between moto's tokens, which are a reservation's id, and ones that also carry the page's number."""

    def number(self, token: str) -> int:
        """The number of the page that a token stands for, from 1."""
        return _decoded(token)[1]

    def for_moto(self, form: Mapping[str, str]) -> dict[str, str]:
        """The same request with moto's token, and with EC2's page size where none is asked for."""
        changed = dict(form)
        if form.get("NextToken"):
            inner = _decoded(form["NextToken"])[0]
            changed.pop("NextToken")
            if inner:
                changed["NextToken"] = inner
        if not any(key.startswith("InstanceId.") for key in form):
            changed.setdefault("MaxResults", str(MAX_RESULTS_LIMIT))
        return changed

    def paged(self, answer: Response, token: str, kind: str) -> Response:
        """moto's answer with our token in it, spoilt as ``kind`` says."""
        if answer.status != 200:
            return answer
        inner, number = _decoded(token)
        match = _NEXT_TOKEN.search(answer.body)
        following = (match.group(1) or b"").decode() if match else ""
        body = answer.body
        next_token = _encoded(following, number + 1) if following else ""
        if kind in ("empty-page", "drop-page"):
            body = _RESERVATIONS.sub(b"<reservationSet/>", body)
        if kind == "empty-page":
            next_token = _encoded(inner, number + 1)
        elif kind == "token-loop":
            next_token = token or _encoded(following or inner, 2)
        element = f"<nextToken>{next_token}</nextToken>".encode() if next_token else b""
        return replace(answer, body=_NEXT_TOKEN.sub(b"", body).replace(_END, element + _END))


def _encoded(inner: str, number: int) -> str:
    return base64.b64encode(json.dumps([inner, number]).encode()).decode()


def _decoded(token: str) -> tuple[str, int]:
    if not token:
        return "", 1
    try:
        inner, number = json.loads(base64.b64decode(token, validate=True))
        return str(inner), int(number)
    except (ValueError, TypeError, binascii.Error):
        return token, 1
