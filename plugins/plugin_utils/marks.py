# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks text that comes from a cloud: whoever may label a machine must not run anything on the controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

try:
    from ansible.template import trust_as_template
except ImportError:  # core 2.18 marks only what is not to be trusted

    def trust_as_template(value: str) -> str:
        """Give the text as it is."""
        return value


#: What a template begins with, whatever its delimiters are, and the head that gives it others.
SIGNS = ("{", "#jinja2:")


class Marker:
    """Marks values for Ansible. Equal text becomes one object: most of it is the same for many machines.

    Text that cannot be a template is trusted, because core 2.19 would wrap each one that is not in C(--list), and copy
    it time and again. C(possible(text)) is done with text that could be one; left out, it is marked as unsafe.
    """

    def __init__(self, possible: Callable[[str], str] = wrap_var) -> None:
        self._known: dict[str, Any] = {}
        self._possible = possible

    def variables(self, given: dict[str, Any]) -> dict[str, Any]:
        """Mark the values of a host's variables."""
        return {name: self.value(value) for name, value in given.items()}

    def value(self, value: Any) -> Any:
        """Mark a value; mappings and lists are copied."""
        if isinstance(value, str):
            known = self._known.get(value)
            if known is None:
                possible = any(sign in value for sign in SIGNS)
                known = self._known[value] = self._possible(value) if possible else trust_as_template(value)
            return known
        if isinstance(value, dict):
            return {key: self.value(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        return value
