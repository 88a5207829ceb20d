# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of one provider: from the inventory file, else from the environment that its users know."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class OptionError(ValueError):
    """An option of the inventory file is wrong; the text names it and says what to do."""


@dataclass(frozen=True)
class Option:
    """One option of a provider. C(kind) is C(str), C(list) or C(bool); the first variable that is set counts.

    The environment is not asked when the inventory file gives one of C(unless): what is written beats what is around.
    """

    name: str
    kind: str = "str"
    environment: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    secret: bool = False
    unless: tuple[str, ...] = ()


def read_options(provider: str, options: Sequence[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give every option's value by name, "" or () or False where there is none.

    Raises OptionError for a name that the provider does not have and for a value of the wrong kind.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise OptionError(f"providers.{provider}.{name} is not an option{did_you_mean(str(name), known)}")
    return {option.name: _value(f"providers.{provider}.{option.name}", option, given) for option in options}


def digest_of_files(paths: Iterable[str | Path]) -> str:
    """Give a digest of the contents of files; one that cannot be read counts as absent."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        try:
            contents = path.expanduser().read_bytes()
        except OSError:
            contents = b""
        digest.update(f"{path}:{len(contents)}:".encode() + contents)
    return digest.hexdigest()


def kind_of(value: Any) -> str:
    """Say what kind of value it is, without showing it: Ansible has classes of its own for each."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else str(value)


def did_you_mean(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """Give the end of an error text: the nearest known name, or all of them."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"


def text_list(where: str, value: Any) -> tuple[str, ...]:
    """Read a list of text, or one text with commas."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, Sequence) or not all(isinstance(part, (str, int)) for part in value):
        raise OptionError(f"{where} must be a list of names, not {value!r}")
    return tuple(str(part) for part in value if str(part))


def boolean(where: str, value: Any) -> bool:
    """Read a truth value as YAML and the environment write it."""
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in {"true", "yes", "on", "1"}:
        return True
    if text in {"false", "no", "off", "0", ""}:
        return False
    raise OptionError(f"{where} must be true or false, not {value!r}")


def _value(where: str, option: Option, given: Mapping[str, Any]) -> Any:
    value = given.get(option.name)
    if (value is None or value == "") and not any(given.get(other) for other in option.unless):
        value = next((os.environ[name] for name in option.environment if os.environ.get(name)), None)
    if value == "":
        value = None
    if option.kind == "list":
        return () if value is None else text_list(where, value)
    if option.kind == "bool":
        return False if value is None else boolean(where, value)
    if value is None:
        return ""
    if isinstance(value, Mapping) and option.secret:
        # Service-account contents are JSON that YAML or Jinja may already have read.
        import json

        return json.dumps(value)
    if not isinstance(value, (str, int, float)):
        raise OptionError(f"{where} must be text, not {kind_of(value)}")
    text = str(value)
    if option.choices and text not in option.choices:
        raise OptionError(f"{where} is {text!r}; it must be one of {', '.join(option.choices)}")
    return text
