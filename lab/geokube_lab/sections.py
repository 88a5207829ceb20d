"""Typed reading of a YAML mapping, with errors that name the key by its whole path."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from geokube_lab.errors import LabError


class TopologyError(LabError):
    """A topology file that cannot be used; the message names the key."""


class Section:
    """One mapping of the document; `key` is its path from the top, such as regions.ru."""

    def __init__(self, key: str, value: object) -> None:
        self.key = key
        if not isinstance(value, dict):
            raise TopologyError(f"{key or 'the document'}: must be a mapping, not {_kind(value)}")
        for name in value:
            if not isinstance(name, str):
                raise TopologyError(f"{self.path(str(name))}: a key must be text (quote it), not {_kind(name)}")
        self._values: dict[str, object] = value

    def path(self, name: str) -> str:
        """The whole path of a key in this section."""
        return f"{self.key}.{name}" if self.key else name

    def names(self) -> tuple[str, ...]:
        """The keys, in the file's order."""
        return tuple(self._values)

    def has(self, name: str) -> bool:
        """Whether an optional key is there."""
        return name in self._values

    def only(self, *names: str) -> None:
        """Refuse keys that nobody reads: a misspelt one would be ignored in silence."""
        for name in self._values:
            if name not in names:
                raise TopologyError(f"{self.path(name)}: unknown key; known here: {', '.join(names)}")

    def _get(self, name: str) -> object:
        if name not in self._values:
            raise TopologyError(f"{self.path(name)}: missing")
        return self._values[name]

    def section(self, name: str) -> Section:
        """A nested mapping."""
        return Section(self.path(name), self._get(name))

    def _list(self, name: str) -> list[object]:
        value = self._get(name)
        if not isinstance(value, list) or not value:
            raise TopologyError(f"{self.path(name)}: must be a list with at least one entry, not {_kind(value)}")
        return value

    def sections(self, name: str) -> list[Section]:
        """A list of mappings with at least one entry."""
        return [Section(f"{self.path(name)}[{index}]", value) for index, value in enumerate(self._list(name))]

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """Text that is not empty and, where a pattern is given, matches it whole."""
        value = self._get(name)
        if not isinstance(value, str) or not value:
            raise TopologyError(f"{self.path(name)}: must be text, not {_kind(value)}")
        if pattern is not None and not pattern.fullmatch(value):
            raise TopologyError(f"{self.path(name)}: {value!r} does not match {pattern.pattern}")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of a few words."""
        value = self._get(name)
        if value not in allowed or not isinstance(value, str):
            raise TopologyError(f"{self.path(name)}: {value!r} is not one of {', '.join(allowed)}")
        return value

    def choices(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """A list of a few words, each at most once."""
        values = self._list(name)
        result: list[str] = []
        for value in values:
            if not isinstance(value, str) or value not in allowed:
                raise TopologyError(f"{self.path(name)}: {value!r} is not one of {', '.join(allowed)}")
            if value in result:
                raise TopologyError(f"{self.path(name)}: {value!r} is there twice")
            result.append(value)
        return tuple(result)

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number within bounds, both included."""
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise TopologyError(f"{self.path(name)}: must be a number, not {_kind(value)}")
        if not low <= value <= high:
            raise TopologyError(f"{self.path(name)}: {value:g} is not between {low:g} and {high:g}")
        return float(value)

    def integer(self, name: str, low: int, high: int) -> int:
        """A whole number within bounds, both included."""
        value = self.number(name, low, high)
        if value != int(value):
            raise TopologyError(f"{self.path(name)}: {value:g} is not a whole number")
        return int(value)

    def network(self, name: str, longest: int = 30) -> IPv4Network:
        """An IPv4 network with room for at least 2**(32 - longest) addresses."""
        try:
            network = IPv4Network(self._get(name))
        except ValueError as error:
            raise TopologyError(f"{self.path(name)}: not an IPv4 network: {error}") from error
        if network.prefixlen > longest:
            raise TopologyError(f"{self.path(name)}: {network} is too small, at least a /{longest} is needed")
        return network

    def address(self, name: str, network: IPv4Network) -> IPv4Address:
        """An IPv4 address inside a network."""
        try:
            address = IPv4Address(self._get(name))
        except ValueError as error:
            raise TopologyError(f"{self.path(name)}: not an IPv4 address: {error}") from error
        if address not in network:
            raise TopologyError(f"{self.path(name)}: {address} is not in {network}")
        return address


def _kind(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"
