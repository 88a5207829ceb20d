# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the sorted names of all variables that a Kubespray tree knows.

Usage: python extract_kubespray_variables.py TREE > kubespray/known_variables.txt

A name is known when a role's defaults or vars set it, when the sample inventory names it (commented out or not), or
when a task, template or playbook reads it without any of them setting it by register, set_fact, vars or a loop.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, TemplateError, meta

_EXPRESSIONS = {"when", "failed_when", "changed_when", "until", "that", "var"}
_SETS = {"set_fact", "ansible.builtin.set_fact"}
_LOOP_NAMES = {"loop_var", "index_var", "extended"}
_OF_ANSIBLE = re.compile(
    r"^(__|ansible_|inventory_|role_)"
    r"|^(group_names|groups|hostvars|item|lookup|omit|play_hosts|playbook_dir|query|undef)$"
)
_COMMENTED = re.compile(r"^#\s?([a-z][a-z0-9_]*):")
_NAME = re.compile(r"^[a-z_][a-z0-9_]*$")


class _AnyName(dict[str, Any]):
    """Has every filter and test: those of Ansible are not loaded here."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give something callable for every name."""
        return super().get(key, bool)


_JINJA = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])
_JINJA.filters, _JINJA.tests = _AnyName(_JINJA.filters), _AnyName(_JINJA.tests)


class _Loader(yaml.SafeLoader):
    """Reads YAML with tags of Ansible's own, which say nothing about names."""


def _untagged(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)


def _documents(path: Path) -> list[Any]:
    try:
        return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_Loader))
    except yaml.YAMLError:
        return []


def _yaml_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".yml", ".yaml"} and path.is_file():
            yield path


def _read_names(text: str) -> set[str]:
    try:
        return set(meta.find_undeclared_variables(_JINJA.parse(text)))
    except TemplateError:
        return set()


def _walk(value: Any, key: str, read: set[str], written: set[str]) -> None:
    """Collect the names that `value`, found under `key`, reads and writes."""
    if isinstance(value, str):
        read |= _read_names("{{ " + value + " }}" if key in _EXPRESSIONS and "{{" not in value else value)
        if key == "register" or key in _LOOP_NAMES:
            written.add(value)
    elif isinstance(value, dict):
        if key in _SETS or key == "vars":
            written |= {str(name) for name in value}
        for name, inner in value.items():
            _walk(inner, str(name), read, written)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, key, read, written)


def _settings(folders: Iterable[Path]) -> set[str]:
    names: set[str] = set()
    for folder in folders:
        for path in _yaml_files(folder):
            for document in _documents(path):
                if isinstance(document, dict):
                    names |= {str(name) for name in document}
    return names


def _sample(folder: Path) -> set[str]:
    names = _settings([folder])
    for path in _yaml_files(folder):
        lines = path.read_text(encoding="utf-8").splitlines()
        names |= {match[1] for line in lines if (match := _COMMENTED.match(line))}
    return names


def known_variables(tree: Path) -> list[str]:
    """Give the sorted names of the variables that the Kubespray tree at `tree` knows.

    Raises FileNotFoundError when `tree` has no roles.
    """
    roles = tree / "roles"
    if not roles.is_dir():
        raise FileNotFoundError(f"{tree} is no Kubespray tree: it has no folder roles")
    settings = _settings(path for name in ("defaults", "vars") for path in roles.rglob(name) if path.is_dir())
    read: set[str] = set()
    written: set[str] = set()
    for folder in (roles, tree / "playbooks"):
        for path in _yaml_files(folder):
            for document in _documents(path):
                _walk(document, "", read, written)
    for path in roles.rglob("*.j2"):
        read |= _read_names(path.read_text(encoding="utf-8", errors="replace"))
    names = settings | _sample(tree / "inventory") | (read - written)
    return sorted(name for name in names if _NAME.match(name) and not _OF_ANSIBLE.search(name))


if __name__ == "__main__":
    sys.stdout.write("\n".join(known_variables(Path(sys.argv[1]))) + "\n")
