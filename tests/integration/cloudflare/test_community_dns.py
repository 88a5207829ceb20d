# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""community.general's Cloudflare module against the emulator: zones and records are as others' programs expect them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible_collections.community.general.plugins.modules import cloudflare_dns
from cloudflare_harness import TOKEN, ZONE, Edge

RECORDS = f"/zones/{ZONE}/dns_records"
# Each kind of record that the module knows, and the content that the API shows for it.
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "A": ({"value": "192.0.2.1"}, "192.0.2.1"),
    "AAAA": ({"value": "2001:db8::1"}, "2001:db8::1"),
    "CNAME": ({"value": "style.geokube.test"}, "style.geokube.test"),
    "TXT": ({"value": "hello there"}, "hello there"),
    "MX": ({"value": "mail.geokube.test", "priority": 10}, "mail.geokube.test"),
    "NS": ({"value": "ns.geokube.test"}, "ns.geokube.test"),
    "SRV": ({"value": "sip.geokube.test", "service": "sip", "proto": "tcp", "port": 5060, "weight": 1, "priority": 2},
            "1\t5060\tsip.geokube.test"),
    "CAA": ({"value": "example.com", "tag": "issue", "flag": 0}, '0 issue "example.com"'),
    "SSHFP": ({"value": "AB12", "algorithm": 4, "hash_type": 2}, "4 2 AB12"),
    "TLSA": ({"value": "6b76", "port": 443, "proto": "tcp", "cert_usage": 3, "selector": 1, "hash_type": 1},
             "3\t1\t1\t6b76"),
    "DS": ({"value": "EFAB", "key_tag": 1, "algorithm": 8, "hash_type": 2}, "1\t8\t2\tEFAB"),
}  # fmt: skip


@pytest.fixture
def clean(edge: Edge) -> Iterator[Edge]:
    """The emulator without records."""

    def wipe() -> None:
        for record in edge.api("GET", RECORDS):
            edge.api("DELETE", f"{RECORDS}/{record['id']}")
        edge.clear()

    wipe()
    yield edge
    wipe()


def run(edge: Edge, check: bool = False, token: str = TOKEN, **params: Any) -> dict[str, Any]:
    """Run the module in this process; its endpoint is a constant of its class."""
    arguments = {"zone": "geokube.test", "record": "host", "api_token": token, "_ansible_check_mode": check, **params}
    output = io.StringIO()
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True),
        mock.patch.object(cloudflare_dns.CloudflareAPI, "cf_api_endpoint", edge.url),
        contextlib.redirect_stdout(output),
        pytest.raises(SystemExit),
    ):
        cloudflare_dns.main()
    found: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    return {"failed": False, "changed": False, **found}


@pytest.mark.parametrize("kind", [*KINDS])
def test_a_record_comes_and_goes(clean: Edge, kind: str) -> None:
    params, content = KINDS[kind]
    assert run(clean, check=True, type=kind, **params)["changed"]
    assert clean.api("GET", RECORDS) == []
    made = run(clean, type=kind, **params)
    assert made["changed"], made
    (record,) = clean.api("GET", RECORDS)
    assert (record["type"], record["content"]) == (kind, content)
    assert record["name"].endswith("host.geokube.test")
    again = run(clean, type=kind, **params)
    assert not again["failed"], again
    assert not again["changed"]
    assert len(clean.api("GET", RECORDS)) == 1
    if kind == "CAA":
        # The module searches these by the bare value, which is not their content.
        return
    assert run(clean, type=kind, state="absent", **params)["changed"]
    assert clean.api("GET", RECORDS) == []
    assert not run(clean, type=kind, state="absent", **params)["changed"]


def test_a_record_changes(clean: Edge) -> None:
    assert run(clean, type="A", value="192.0.2.1", ttl=300)["changed"]
    assert run(clean, type="A", value="192.0.2.1", ttl=600, proxied=False, comment="ours")["changed"]
    (record,) = clean.api("GET", RECORDS)
    assert (record["ttl"], record["comment"]) == (600, "ours")
    assert run(clean, type="CNAME", record="other", value="a.geokube.test")["changed"]
    assert run(clean, type="CNAME", record="other", value="b.geokube.test")["changed"]
    assert [one["content"] for one in clean.api("GET", f"{RECORDS}?type=CNAME")] == ["b.geokube.test"]


def test_solo_leaves_one_and_pages_are_read_to_the_end(clean: Edge) -> None:
    for number in range(1, 106):
        clean.api("POST", RECORDS, {"type": "A", "name": "host", "content": f"192.0.2.{number}"})
    assert run(clean, type="A", value="192.0.2.7", solo=True)["changed"]
    assert [one["content"] for one in clean.api("GET", RECORDS)] == ["192.0.2.7"]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"zone": "nowhere.test"}, "No zone found with name nowhere.test"),
        ({"token": "wrong"}, "Status: 401"),
        ({"token": "reader"}, "Status: 403"),
        ({"record": "taken", "type": "CNAME", "value": "x.geokube.test"}, "code: 81053"),
    ],
)
def test_refusals_are_as_the_module_knows_them(clean: Edge, params: dict[str, Any], text: str) -> None:
    clean.api("POST", RECORDS, {"type": "A", "name": "taken", "content": "192.0.2.1"})
    result = run(clean, **{"type": "A", "value": "192.0.2.9", **params})
    assert result["failed"]
    assert text in result["msg"], result["msg"]
