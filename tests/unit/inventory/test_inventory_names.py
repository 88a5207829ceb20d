# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of hosts and groups, for every text that a cloud could give."""

from __future__ import annotations

import re
import string

import pytest
from ansible.inventory.group import to_safe_group_name
from ansible_collections.meridian.geokube.plugins.plugin_utils.names import (
    RESERVED_GROUPS,
    GroupNames,
    NameRefused,
    clean_group_name,
    clean_host_name,
)
from hypothesis import given
from hypothesis import strategies as st

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
NAMES = st.text(alphabet=string.ascii_letters + string.digits + "-_. /:äß日\n{", min_size=0, max_size=80)


@given(NAMES)
def test_host_names_are_dns_1123(name: str) -> None:
    """What comes out is a DNS-1123 subdomain, or the name is refused with a reason."""
    try:
        cleaned = clean_host_name(name)
    except NameRefused as error:
        assert str(error)
        return
    assert len(cleaned) <= 253
    assert all(LABEL.fullmatch(part) for part in cleaned.split("."))


@given(NAMES)
def test_cleaning_twice_changes_nothing(name: str) -> None:
    """A clean name stays as it is."""
    try:
        cleaned = clean_host_name(name)
    except NameRefused:
        return
    assert clean_host_name(cleaned) == cleaned


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?)?", fullmatch=True))
def test_good_names_are_left_alone(name: str) -> None:
    """A DNS-1123 name is taken as it is, but for dashes in a row, which become one."""
    assert clean_host_name(name) == re.sub(r"-+", "-", name)


@given(NAMES)
def test_only_letters_and_digits_count(name: str) -> None:
    """Whether a name is refused for being empty hangs on its letters and digits alone."""
    has_some = bool(re.search(r"[a-z0-9]", name.lower()))
    try:
        clean_host_name(name)
    except NameRefused as error:
        assert has_some == ("longer" in str(error))
    else:
        assert has_some


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("web-1", "web-1"),
        ("Web Server 1", "web-server-1"),
        ("db.example.com", "db.example.com"),
        ("-x-", "x"),
        ("a..b", "a.b"),
        ("a._.b", "a.b"),
        ("n" * 63, "n" * 63),
    ],
)
def test_host_name_examples(name: str, cleaned: str) -> None:
    """Names as people write them."""
    assert clean_host_name(name) == cleaned


@pytest.mark.parametrize("name", ["", "---", "日本", "n" * 64, ".".join(["n" * 60] * 5)])
def test_refused_host_names(name: str) -> None:
    """Nothing is cut: two machines could become one."""
    with pytest.raises(NameRefused):
        clean_host_name(name)


@given(st.text(min_size=1, max_size=30))
def test_group_names_are_those_of_ansible(name: str) -> None:
    """A group's name is one that Ansible takes without changing it."""
    cleaned = clean_group_name(name)
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", cleaned)
    assert to_safe_group_name(cleaned, force=True, silent=True) == cleaned
    assert clean_group_name(cleaned) == cleaned


@given(st.lists(st.text(alphabet="ab-_. 1", min_size=1, max_size=4), max_size=30))
def test_two_names_never_become_one_group(raw: list[str]) -> None:
    """Whatever is asked for, a group's name stands for one raw name only."""
    names = GroupNames()
    stands_for: dict[str, str] = {}
    for name in raw:
        try:
            cleaned = names.clean(name)
        except NameRefused as error:
            other = stands_for[clean_group_name(name)]
            assert other != name
            assert repr(other) in str(error) and repr(name) in str(error)
        else:
            assert stands_for.setdefault(cleaned, name) == name


@pytest.mark.parametrize("name", sorted(RESERVED_GROUPS))
def test_reserved_groups(name: str) -> None:
    """A reserved name is refused, also when it only comes out of the cleaning."""
    names = GroupNames(RESERVED_GROUPS)
    for raw in {name, name.replace("_", "-"), name.replace("_", ".")}:
        with pytest.raises(NameRefused, match="has a meaning of its own"):
            names.clean(raw)


def test_reserving_keeps_what_was_given_out() -> None:
    """More reserved names do not forget those that are in use."""
    names = GroupNames()
    names.clean("zone_a-1")
    more = names.reserving({"all"})
    with pytest.raises(NameRefused, match="zone_a-1"):
        more.clean("zone_a_1")
