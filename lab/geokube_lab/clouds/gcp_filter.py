# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's list filters: the AIP-160 form (``labels.a = b``) and the older one (``name eq 'x.*'``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Document = Mapping[str, Any]
Predicate = Callable[[Document], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<operator>!=|<=|>=|=|<|>|:)|(?P<paren>[()])"""
    r"""|(?P<word>[^\s()=!<>:"']+))"""
)


class BadFilter(ValueError):
    """An expression that the API refuses."""


def compile_filter(expression: str) -> Predicate:
    """A function that says whether an instance's document meets the filter. Raises BadFilter."""
    if not expression.strip():
        return lambda document: True
    parser = _Parser(_tokens(expression), expression)
    predicate = parser.disjunction()
    parser.expect_end()
    return predicate


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(expression.rstrip()):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise BadFilter(expression)
        kind = str(match.lastgroup)
        text = match.group(kind)
        tokens.append((kind, re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "string" else text))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], expression: str) -> None:
        self._tokens = tokens
        self._expression = expression
        self._next = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._next += 1
        return token

    def expect_end(self) -> None:
        if self._peek()[0] != "end":
            raise BadFilter(self._expression)

    def disjunction(self) -> Predicate:
        terms = [self._conjunction()]
        while self._peek() == ("word", "OR"):
            self._take()
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else lambda document: any(term(document) for term in terms)

    def _conjunction(self) -> Predicate:
        terms = [self._term()]
        while (token := self._peek())[0] != "end" and token not in (("paren", ")"), ("word", "OR")):
            # Expressions side by side are joined by AND, as the reference says.
            if token == ("word", "AND"):
                self._take()
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else lambda document: all(term(document) for term in terms)

    def _term(self) -> Predicate:
        token = self._peek()
        if token == ("word", "NOT") or (token[0] == "word" and token[1] == "-"):
            self._take()
            inverted = self._term()
            return lambda document: not inverted(document)
        if token == ("paren", "("):
            self._take()
            inner = self.disjunction()
            if self._take() != ("paren", ")"):
                raise BadFilter(self._expression)
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        kind, field = self._take()
        operator_kind, operator = self._take()
        value_kind, value = self._take()
        if kind not in ("word", "string") or value_kind not in ("word", "string"):
            raise BadFilter(self._expression)
        if operator_kind == "word" and operator in ("eq", "ne"):
            return _regular(field, value, operator == "eq", self._expression)
        if operator_kind != "operator":
            raise BadFilter(self._expression)
        return _compare(field, operator, value)


def _regular(field: str, value: str, wanted: bool, expression: str) -> Predicate:
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise BadFilter(expression) from error
    return lambda document: any(pattern.fullmatch(text) for text in values(document, field)) is wanted


def _compare(field: str, operator: str, value: str) -> Predicate:
    match operator:
        case ":" if value == "*":
            return lambda document: bool(values(document, field))
        case ":":
            return lambda document: any(value.lower() in text.lower() for text in values(document, field))
        case "=":
            return lambda document: any(_equal(text, value) for text in values(document, field))
        case "!=":
            return lambda document: not any(_equal(text, value) for text in values(document, field))
        case "<":
            return lambda document: any(text < value for text in values(document, field))
        case ">":
            return lambda document: any(text > value for text in values(document, field))
        case "<=":
            return lambda document: any(text <= value for text in values(document, field))
        case _:
            return lambda document: any(text >= value for text in values(document, field))


def _equal(text: str, value: str) -> bool:
    if "*" in value:
        return re.fullmatch(".*".join(map(re.escape, value.split("*"))), text) is not None
    return text == value


def values(document: Document, field: str) -> list[str]:
    """The values of a dotted field, as text; the items of lists one by one, nothing where the field is missing."""
    found: list[Any] = [document]
    for name in field.split("."):
        items = [item for each in found for item in (each if isinstance(each, list) else [each])]
        found = [item[name] for item in items if isinstance(item, Mapping) and name in item]
    flat = [item for each in found for item in (each if isinstance(each, list) else [each])]
    return [("true" if item else "false") if isinstance(item, bool) else str(item) for item in flat]
