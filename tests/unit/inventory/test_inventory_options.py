# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented options are those that the providers read, environment variables too; no secret is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.meridian.geokube.plugins.doc_fragments.clouds_providers import ModuleDocFragment
from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import PROVIDERS
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import (
    Option,
    OptionError,
    digest_of_files,
    read_options,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_registry import options_of

DOCUMENTED: dict[str, Any] = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["providers"]["suboptions"]
KINDS = {"str": "str", "path": "str", "list": "list", "bool": "bool"}


def test_providers() -> None:
    """All four are documented."""
    assert set(DOCUMENTED) == set(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_options(provider: str) -> None:
    """Names, kinds, choices and variables agree."""
    documented = DOCUMENTED[provider]["suboptions"]
    options = {option.name: option for option in options_of(provider)}
    assert set(documented) == set(options)
    for name, option in options.items():
        entry = documented[name]
        assert KINDS[entry["type"]] == option.kind, name
        assert entry.get("choices", []) == list(option.choices), name
        text = entry["description"] if isinstance(entry["description"], str) else " ".join(entry["description"])
        assert set(re.findall(r"C\(([A-Z_0-9]{5,})\)", text)) == set(option.environment), name


SECRET_WORDS = re.compile(r"token|secret|contents|external_id")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_secrets_are_marked(provider: str) -> None:
    """Whatever sounds like a secret is kept out of messages."""
    for option in options_of(provider):
        assert option.secret == bool(SECRET_WORDS.search(option.name)), option.name


def test_environment_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file counts first, then the variables in their order; what is empty counts as not there."""
    option = Option("token", environment=("FIRST", "SECOND"), secret=True)
    monkeypatch.setenv("SECOND", "two")
    assert read_options("x", [option], {})["token"] == "two"
    monkeypatch.setenv("FIRST", "one")
    assert read_options("x", [option], {"token": None})["token"] == "one"
    assert read_options("x", [option], {"token": "file"})["token"] == "file"
    monkeypatch.setenv("FIRST", "")
    assert read_options("x", [option], {"token": ""})["token"] == "two"


def test_unless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is not read beside what the file says."""
    monkeypatch.setenv("KEY", "from the environment")
    options = [Option("profile"), Option("key", environment=("KEY",), unless=("profile",))]
    assert read_options("x", options, {"profile": "prod"})["key"] == ""
    assert read_options("x", options, {})["key"] == "from the environment"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (Option("a"), ["x"], "providers.x.a must be text, not a list"),
        (Option("a", "list"), 5, "providers.x.a must be a list of names, not 5"),
        (Option("a", "bool"), "perhaps", "providers.x.a must be true or false, not 'perhaps'"),
        (Option("a", choices=("b", "c")), "d", "providers.x.a is 'd'; it must be one of b, c"),
    ],
)
def test_wrong_values(option: Option, value: Any, message: str) -> None:
    """The error names the option, what it was and what it may be."""
    with pytest.raises(OptionError) as caught:
        read_options("x", [option], {"a": value})
    assert str(caught.value) == message


def test_list_forms() -> None:
    """A list, or one text with commas, as environment variables have it."""
    option = Option("a", "list")
    assert read_options("x", [option], {"a": ["b", "c"]})["a"] == ("b", "c")
    assert read_options("x", [option], {"a": "b, c,"})["a"] == ("b", "c")


def test_digest_of_files(tmp_path: Any) -> None:
    """Another content, or another way to cut two files, is another digest; a file may be missing."""
    one, two = tmp_path / "one", tmp_path / "two"
    missing = digest_of_files([one, two])
    one.write_text("ab")
    two.write_text("c")
    first = digest_of_files([one, two])
    one.write_text("a")
    two.write_text("bc")
    assert len({missing, first, digest_of_files([one, two])}) == 3
