# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the emulators that need no server."""

from __future__ import annotations

from datetime import datetime
from email.message import Message
from typing import Any

import pytest
from geokube_lab.clouds import Call, Fault, Faults, Machine, gcp_fields, gcp_filter, paging, yandex_filter
from geokube_lab.clouds.aws_signature import credential_of, is_valid
from geokube_lab.clouds.fleets import fleet, from_topology
from geokube_lab.clouds.messages import Request
from geokube_lab.topology import load
from hypothesis import given
from hypothesis import strategies as st


def machine(cloud: str = "gcp", **others: Any) -> Machine:
    """A machine in any place."""
    return Machine("n1", cloud, "r", "z", "10.0.0.2", **others)


@pytest.mark.parametrize(
    ("cloud", "labels"),
    [
        ("gcp", {"geokube-role": "worker,ingress"}),
        ("gcp", {"Upper": "x"}),
        ("gcp", {"a": "x" * 64}),
        ("yandex", {"geokube-role": "worker,ingress"}),
        ("yandex", {"1a": "x"}),
        ("digitalocean", {"a": "with space"}),
        ("aws", {"aws:reserved": "x"}),
        ("aws", {"": "x"}),
    ],
)
def test_a_label_that_the_cloud_refuses(cloud: str, labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="n1"):
        machine(cloud, labels=labels)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"cloud": "azure"}, "must be one of"),
        ({"state": "asleep"}, "must be one of"),
        ({"instance_id": "i-123"}, "gives no instance the id"),
        ({"created": datetime(2026, 1, 1)}, "no time zone"),
    ],
)
def test_a_machine_that_cannot_be(others: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        machine(**others)


def test_a_fleet_is_dealt_out_and_has_no_two_alike() -> None:
    machines = fleet(10_000)
    assert len({each.name for each in machines}) == 10_000
    assert len({(each.cloud, each.instance_id) for each in machines}) == 10_000
    assert len({each.public_address for each in machines}) == 10_000
    assert {cloud: sum(each.cloud == cloud for each in machines) for cloud in ("aws", "gcp")} == {
        "aws": 2500,
        "gcp": 2500,
    }


def test_the_labs_machines_are_the_topologys() -> None:
    topology = load()
    machines = {each.name: each for each in from_topology(topology)}
    assert set(machines) == {node.name for node in topology.nodes}
    for node in topology.nodes:
        assert machines[node.name].instance_id == node.instance_id
        assert machines[node.name].public_address == str(node.public_address)


@given(total=st.integers(0, 60), size=st.integers(1, 20))
def test_pages_join_to_the_whole(total: int, size: int) -> None:
    items, found, token = range(total), [], ""
    while True:
        page = paging.cut(items, token, size, "q", None)
        assert len(page.items) <= size
        found += page.items
        token = page.next_token
        if not token:
            break
        assert len(token) <= 100
    assert found == list(items)


def test_a_token_is_bound_to_its_query() -> None:
    token = paging.cut(range(9), "", 3, "q", None).next_token
    assert paging.page_number(token) == 2
    assert list(paging.cut(range(9), token, 3, "q", None).items) == [3, 4, 5]
    for bad in (token[:-2], "!", "MTI", "bnVsbA"):
        with pytest.raises(paging.BadPageToken):
            paging.cut(range(9), bad, 3, "q", None)
    with pytest.raises(paging.BadPageToken):
        paging.cut(range(9), token, 3, "other", None)


DOCUMENT = {
    "name": "web-1",
    "status": "RUNNING",
    "labels": {"env": "prod", "tier": "a"},
    "tags": {"items": ["http", "https"]},
    "scheduling": {"automaticRestart": True},
    "disks": [{"sizeGb": "10"}, {"sizeGb": "20"}],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", True),
        ("name=web-1", True),
        ('name = "web-2"', False),
        ("name = web-*", True),
        ("labels.env=prod AND labels.tier=a", True),
        ("labels.env=prod AND labels.tier=b", False),
        ("labels.env=dev OR labels.tier=a", True),
        ("(labels.env=dev) (labels.tier=a)", False),
        ("NOT (labels.env=dev)", True),
        ("labels.owner:*", False),
        ("labels.env:PRO", True),
        ("tags.items=https", True),
        ("disks.sizeGb=20", True),
        ("scheduling.automaticRestart = true", True),
        ("name ne web-.*", False),
        ("name eq 'web.*'", True),
        ("name >= w", True),
    ],
)
def test_compute_engines_filters(expression: str, expected: bool) -> None:
    assert gcp_filter.compile_filter(expression)(DOCUMENT) is expected


@pytest.mark.parametrize("expression", ["name", "name =", "= x", "(name = x", "name = x)", "name eq (", "name = 'x"])
def test_filters_that_compute_engine_refuses(expression: str) -> None:
    with pytest.raises(gcp_filter.BadFilter):
        gcp_filter.compile_filter(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("name", {"name": "web-1"}),
        ("labels/env,status", {"labels": {"env": "prod"}, "status": "RUNNING"}),
        ("labels(env,tier)", {"labels": {"env": "prod", "tier": "a"}}),
        ("labels/env,labels/tier", {"labels": {"env": "prod", "tier": "a"}}),
        ("labels/env,labels", {"labels": {"env": "prod", "tier": "a"}}),
        ("disks(sizeGb)", {"disks": [{"sizeGb": "10"}, {"sizeGb": "20"}]}),
        ("*/items", {"labels": {}, "tags": {"items": ["http", "https"]}, "scheduling": {}, "disks": [{}, {}]}),
        ("nothing", {}),
    ],
)
def test_googles_field_masks(expression: str, expected: dict[str, Any]) -> None:
    selected = gcp_fields.select(DOCUMENT, gcp_fields.parse(expression))
    assert {key: value for key, value in selected.items() if key in expected} == expected
    assert set(selected) - set(expected) <= ({"name", "status"} if "*" in expression else set())


@pytest.mark.parametrize("expression", ["", "a,", "a(b", "a)", "/a", "a b!", "a()"])
def test_masks_that_google_refuses(expression: str) -> None:
    with pytest.raises(gcp_fields.BadFields):
        gcp_fields.parse(expression)


@pytest.mark.parametrize(
    "expression", ["name", "name = ", "name IN 'a'", "name = ('a')", "a = 'b'", "name = 'a' OR id = 'b'"]
)
def test_filters_that_yandex_refuses(expression: str) -> None:
    with pytest.raises(yandex_filter.BadFilter):
        yandex_filter.compile_filter(expression)


def test_yandex_filters_unescape_and_negate() -> None:
    fields = {"name": 'a"b', "zone_id": "z", "status": "RUNNING"}
    assert yandex_filter.compile_filter(r'name = "a\"b" AND status NOT IN ("STOPPED", "ERROR")')(fields)
    assert not yandex_filter.compile_filter("zone_id != z")(fields)


def test_a_fault_is_used_up_and_narrowed() -> None:
    faults = Faults()
    faults.add(Fault("reset", times=2, page=2, scope="p1", operation="list"))
    hit = Call("list", frozenset({"p1"}), 2)
    for other in (Call("get", hit.scopes, 2), Call("list", frozenset({"p2"}), 2), Call("list", hit.scopes, 1)):
        assert faults.take(other) is None
    assert [faults.take(hit) is not None for _ in range(3)] == [True, True, False]
    assert faults.active() == []


def signed(signature: str) -> Request:
    """The request of AWS's published example get-vanilla."""
    headers = Message()
    headers["Host"] = "example.amazonaws.com"
    headers["X-Amz-Date"] = "20150830T123600Z"
    scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    return Request("GET", "/", "/", {}, headers, b"")


def test_signatures_are_those_of_awss_published_example() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    request = signed("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    credential = credential_of(request)
    assert credential is not None
    assert (credential.access_key, credential.region, credential.service) == ("AKIDEXAMPLE", "us-east-1", "service")
    assert is_valid(request, credential, secret)
    assert not is_valid(request, credential, secret + "x")
    forged = signed("0" * 64)
    credential = credential_of(forged)
    assert credential is not None
    assert not is_valid(forged, credential, secret)
    assert credential_of(signed("short")) is None
