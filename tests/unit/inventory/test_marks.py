# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cloud says is never a template, and what cannot be one is plain text everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.meridian.geokube.plugins.plugin_utils.marks import Marker
from hypothesis import given
from hypothesis import strategies as st

PARTS = [
    "{{ 6 * 7 }}",
    "{% if true %}42{% endif %}",
    "{# 42 #}",
    "[[ 6 * 7 ]]",
    "#jinja2:",
    "plain",
    ":",
    "'",
    ",",
    "\n",
]
OVERRIDE = "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ 6 * 7 ]]"


def rendered(value: Any) -> Any:
    """Give what a task would see of a host's variable."""
    return Templar(loader=DataLoader()).template(value)


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join))
def test_text_stays_as_it_is(text: str) -> None:
    """Whatever is put together of the parts of templates comes out as it went in."""
    assert rendered(Marker().value(text)) == text


@pytest.mark.parametrize("text", [OVERRIDE, "{{ 6 * 7 }}", "{%- if true %}x{% endif %}"])
def test_inside_of_others(text: str) -> None:
    """In a mapping and in a list as well."""
    assert rendered(Marker().value({"labels": {"a": text}, "roles": [text]})) == {
        "labels": {"a": text},
        "roles": [text],
    }


def test_equal_text_is_one_object() -> None:
    """Ten thousand machines of one region hold its name once."""
    marker = Marker()
    first, second = (marker.variables({"geokube_region": "".join(["a", "u"]), "n": 1.5}) for _host in range(2))
    assert first["geokube_region"] is second["geokube_region"]
    assert first == {"geokube_region": "au", "n": 1.5}


def test_what_is_done_with_templates() -> None:
    """Another treatment of text that could be a template."""
    marker = Marker(possible=lambda text: f"<{text}>")
    assert (marker.value("{{ a }}"), marker.value("a")) == ("<{{ a }}>", "a")
