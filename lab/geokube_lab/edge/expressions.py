# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Cloudflare's rules language that compares texts: cache rules and rules of load balancers use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from aiohttp import web

from geokube_lab.edge.errors import ApiError

Lookup = Callable[[str], str]
Test = Callable[[Lookup], bool]
TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|&&|\|\||==|!=|\^\^|[(){},!~])')
FIELDS: dict[str, Callable[[web.BaseRequest], str]] = {
    "http.cookie": lambda request: request.headers.get("Cookie", ""),
    "http.host": lambda request: request.host.rsplit(":", 1)[0],
    "http.request.method": lambda request: request.method,
    "http.request.uri": lambda request: request.raw_path,
    "http.request.uri.path": lambda request: request.path,
    "http.request.uri.path.extension": lambda request: request.path.rsplit(".", 1)[-1] if "." in request.path else "",
    "http.request.uri.query": lambda request: request.query_string,
    "http.user_agent": lambda request: request.headers.get("User-Agent", ""),
    "ip.src": lambda request: request.remote or "",
}
# Known to the rules of a load balancer only.
BALANCER_FIELDS = frozenset({"cf.load_balancer.name", "cf.load_balancer.region"})
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {"starts_with": str.startswith, "ends_with": str.endswith}
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "==": str.__eq__,
    "ne": str.__ne__,
    "!=": str.__ne__,
    "contains": lambda value, text: text in value,
    "matches": lambda value, text: re.search(text, value) is not None,
    "~": lambda value, text: re.search(text, value) is not None,
}


def matches(expression: str, request: web.BaseRequest, more: Mapping[str, str] | None = None) -> bool:
    """Whether a request fits; `more` gives the values of the fields that are not the request's."""
    known = more or {}
    return _compiled(expression, frozenset(known))(lambda name: known[name] if name in known else FIELDS[name](request))


def parse(expression: str, more: frozenset[str] = frozenset()) -> None:
    """Check an expression; ApiError 20127 names what is not understood."""
    _compiled(expression, more)


@lru_cache(maxsize=256)
def _compiled(expression: str, more: frozenset[str]) -> Test:
    reader = _Reader(expression, more)
    test = reader.any_of()
    if reader.tokens:
        raise _error(reader.tokens[0])
    return test


def _error(what: str) -> ApiError:
    return ApiError(400, 20127, f"filter parsing error: {what!r} is not understood")


class _Reader:
    """Reads tokens from the left; every method takes those of one construct and gives its test."""

    def __init__(self, expression: str, more: frozenset[str]) -> None:
        self.more = more
        self.tokens: list[str] = []
        text, position = expression.strip(), 0
        while position < len(text):
            found = TOKEN.match(text, position)
            if not found:
                raise _error(text[position:])
            self.tokens.append(found[1])
            position = found.end()
        if not self.tokens:
            raise _error(expression)

    def _next(self) -> str:
        if not self.tokens:
            raise ApiError(400, 20127, "filter parsing error: the expression ends too early")
        return self.tokens.pop(0)

    def _took(self, *tokens: str) -> bool:
        if self.tokens and self.tokens[0] in tokens:
            self.tokens.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise _error(found)

    def _text(self) -> str:
        token = self._next()
        if not token.startswith('"'):
            raise _error(token)
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def any_of(self) -> Test:
        """Clauses joined by `or`."""
        tests = [self.all_of()]
        while self._took("or", "||"):
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda lookup: any(test(lookup) for test in tests)

    def all_of(self) -> Test:
        """Clauses joined by `and`."""
        tests = [self.clause()]
        while self._took("and", "&&"):
            tests.append(self.clause())
        return tests[0] if len(tests) == 1 else lambda lookup: all(test(lookup) for test in tests)

    def clause(self) -> Test:
        """A comparison, its negation, or an expression in brackets."""
        if self._took("not", "!"):
            denied = self.clause()
            return lambda lookup: not denied(lookup)
        if self._took("("):
            inner = self.any_of()
            self._expect(")")
            return inner
        token = self._next()
        if token in ("true", "false"):
            return lambda lookup: token == "true"
        return self.function(token) if token in FUNCTIONS else self.comparison(token)

    def field(self, name: str) -> str:
        """A field that is known; ApiError otherwise."""
        if name not in FIELDS and name not in self.more:
            raise ApiError(400, 20127, f"filter parsing error: unknown field {name!r}")
        return name

    def function(self, name: str) -> Test:
        """NAME(field, "text")."""
        self._expect("(")
        field = self.field(self._next())
        self._expect(",")
        text, check = self._text(), FUNCTIONS[name]
        self._expect(")")
        return lambda lookup: check(lookup(field), text)

    def comparison(self, token: str) -> Test:
        """Field operator "text", or field in {"text" "text"}."""
        if not self.tokens or self.tokens[0] not in (*OPERATORS, "in"):
            raise _error(token)
        field, operator = self.field(token), self._next()
        if operator == "in":
            self._expect("{")
            allowed = set()
            while not self._took("}"):
                allowed.add(self._text())
            return lambda lookup: lookup(field) in allowed
        text, check = self._text(), OPERATORS[operator]
        if operator in ("matches", "~"):
            try:
                re.compile(text)
            except re.error as error:
                raise ApiError(400, 20127, f"filter parsing error: {text!r}: {error}") from error
        return lambda lookup: check(lookup(field), text)
