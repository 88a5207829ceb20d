# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a zone, and the certificates that wait for something: to be everywhere, or to be out of use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_certificates import OriginCertificates
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_origin_pulls import OriginPulls
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_settings import ZoneSettings
from cloudflare_harness import PULLS, ZONE, Edge, run_module
from fault_cases import HOST, pulls, request
from geokube_lab.edge.authority import Authority

SETTINGS = f"/zones/{ZONE}/settings"


def settings(edge: Edge, wanted: dict[str, Any], check: bool = False) -> dict[str, Any]:
    return run_module(edge, "cloudflare_zone_settings", {"zone": "geokube.test", "settings": wanted}, check)


def test_settings_are_brought_to_what_is_named_and_no_others(edge: Edge) -> None:
    edge.api("PATCH", f"{SETTINGS}/always_use_https", {"value": "on"})
    wanted = {"ssl": "strict", "browser_cache_ttl": 3600}
    foretold = settings(edge, wanted, check=True)
    assert foretold["changed"]
    assert foretold["diff"] == {
        "before": {"browser_cache_ttl": 14400, "ssl": "full"},
        "after": {"browser_cache_ttl": 3600, "ssl": "strict"},
    }
    assert edge.api("GET", f"{SETTINGS}/ssl")["value"] == "full"
    made = settings(edge, wanted)
    assert (made["changed"], made["settings"]) == (True, wanted)
    edge.clear()
    assert settings(edge, {"ssl": "strict", "browser_cache_ttl": "3600"})["changed"] is False
    assert len(edge.requests()) == 3, "the zone's name, and each setting once"
    edge.api("PATCH", f"{SETTINGS}/ssl", {"value": "flexible"})
    edge.clear()
    assert settings(edge, wanted)["changed"] is True
    assert len(edge.requests()) == 4
    assert edge.api("GET", f"{SETTINGS}/always_use_https")["value"] == "on"
    assert settings(edge, {"always_use_https": False, "browser_cache_ttl": 14400})["changed"] is True
    assert edge.api("GET", f"{SETTINGS}/always_use_https")["value"] == "off"


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({}, "settings is empty: name at least one setting"),
        ({"ssl/../x": "on"}, "settings: ssl/../x is no name of a setting"),
        ({"no_such": "on"}, "Unrecognized zone setting name no_such"),
        ({"ssl": None}, "settings: ssl has no value"),
        ({"ssl": "strictest"}, "Invalid value for zone setting ssl"),
    ],
)
def test_what_is_no_setting_is_told(edge: Edge, wanted: dict[str, Any], text: str) -> None:
    result = settings(edge, wanted)
    assert result["failed"]
    assert text in result["msg"]


class Spoken:
    """An API that answers GET from a list, the last one for ever."""

    def __init__(self, *answers: Any, enabled: bool = False) -> None:
        self.enabled = enabled
        self.client, self.zone_id = self, ZONE
        self.answers, self.asked = list(answers), [""]

    def get(self, path: str, **_query: str) -> Any:
        self.asked.append(f"GET {path}")
        if path.endswith("/settings"):
            return {"enabled": self.enabled}
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append(f"{method} {path}")
        return body


def test_a_setting_that_the_plan_fixes_is_told_before_anything_is_written() -> None:
    api = Spoken({"value": "off", "editable": False})
    with pytest.raises(CloudflareError, match="polish cannot be changed on this zone's plan"):
        ZoneSettings(api, False).ensure({"polish": "lossless"})  # type: ignore[arg-type]
    assert not [line for line in api.asked if line.startswith("PATCH")]
    assert ZoneSettings(api, False).ensure({"polish": "off"})["changed"] is False  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "wanted", "sent"),
    [
        ("full", False, "off"),  # ssl: off, as YAML reads it
        ("zrt", True, "on"),
        ({"hsts": {"max_age": 1, "preload": False}}, {"hsts": {"max_age": "1"}}, None),
        (
            {"hsts": {"max_age": 1, "preload": False}},
            {"hsts": {"max_age": 2}},
            {"hsts": {"max_age": 2, "preload": False}},
        ),
    ],
)
def test_a_value_is_sent_as_the_api_has_it(known: Any, wanted: Any, sent: Any) -> None:
    told = ZoneSettings(Spoken({"value": known}), False).ensure({"x": wanted})  # type: ignore[arg-type]
    assert (told["changed"], told["settings"]["x"]) == (sent is not None, known if sent is None else sent)


def held(status: str, identifier: str = "mine") -> dict[str, str]:
    return {"id": identifier, "certificate": "PEM" if identifier == "mine" else identifier, "status": status}


def test_the_edge_is_switched_on_when_the_certificate_is_everywhere() -> None:
    """Also when an earlier run uploaded it and was killed; the one before goes last."""
    api = Spoken([held("active", "old"), held("initializing")], [held("pending_deployment")], [held("active")])
    told = OriginPulls(api, False, lambda _pause: None).ensure(True, "PEM", None, True, 60)  # type: ignore[arg-type]
    assert [one["id"] for one in told["certificates"]] == ["mine"]
    written = [line for line in api.asked if line.startswith(("P", "D"))]
    assert written == [f"PUT {PULLS}/settings", f"DELETE {PULLS}/old"]
    assert api.asked.index(written[0]) > max(i for i, line in enumerate(api.asked) if line == f"GET {PULLS}")


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([[held("pending_deployment")]], "mine is pending_deployment after 0 s, so origins cannot rely on it yet"),
        ([[held("deployment_timed_out")]], "mine is deployment_timed_out, .* run again later, after deleting it"),
    ],
)
def test_a_certificate_that_does_not_get_there_is_told(answers: list[Any], text: str) -> None:
    api = Spoken(*answers)
    with pytest.raises(CloudflareError, match=text):
        OriginPulls(api, False).ensure(True, "PEM", None, True, 0)  # type: ignore[arg-type]
    assert not [line for line in api.asked if line.startswith(("P", "D"))]


def test_a_failed_upload_does_not_hide_one_of_the_same_that_is_active() -> None:
    api = Spoken([held("deployment_timed_out"), {**held("active"), "id": "second"}])
    OriginPulls(api, False).ensure(True, "PEM", None, False, 0)  # type: ignore[arg-type]
    assert api.asked[-1] == f"PUT {PULLS}/settings"


def test_the_edge_is_switched_off_whatever_becomes_of_the_certificate() -> None:
    api = Spoken([held("deployment_timed_out")], enabled=True)
    with pytest.raises(CloudflareError, match="deployment_timed_out"):
        OriginPulls(api, False).ensure(False, "PEM", None, False, 0)  # type: ignore[arg-type]
    assert api.asked[-1] == f"PUT {PULLS}/settings"


def test_without_an_active_certificate_the_edge_is_not_switched_on() -> None:
    api = Spoken([held("pending_deployment")])
    with pytest.raises(CloudflareError, match="no client certificate of the zone is active: mine is pending"):
        OriginPulls(api, False).ensure(True, None, None, False, 0)  # type: ignore[arg-type]
    assert not [line for line in api.asked if line.startswith("P")]


def test_a_certificate_that_vanishes_meanwhile_is_told() -> None:
    api = Spoken([held("pending_deployment")], [])
    with pytest.raises(CloudflareError, match="mine is deleted"):
        OriginPulls(api, False, lambda _pause: None).ensure(True, "PEM", None, True, 60)  # type: ignore[arg-type]


def test_when_the_module_ends_the_new_client_certificate_is_active(edge: Edge, tmp_path: Path) -> None:
    module = "cloudflare_authenticated_origin_pulls"
    assert run_module(edge, module, {"zone": ZONE, **pulls()})["changed"]
    certificate, key = Authority(tmp_path, "ca", "other").server_files(tmp_path, "other", ["edge.test"])
    second = {"zone": ZONE, "certificate": certificate.read_text(), "private_key": key.read_text(), "exclusive": True}
    made = run_module(edge, module, second)
    assert [one["status"] for one in made["certificates"]] == ["active"]
    assert [one["id"] for one in edge.api("GET", PULLS)] == [made["certificates"][0]["id"]]
    edge.clear()
    assert run_module(edge, module, second)["changed"] is False
    assert len(edge.requests()) == 2


def test_a_certificate_of_another_issuer_is_somebody_elses(edge: Edge, tmp_path: Path) -> None:
    module = "cloudflare_authenticated_origin_pulls"
    theirs = run_module(edge, module, {"zone": ZONE, **pulls()})["certificates"][0]["id"]
    ours = Authority(tmp_path, "ca", "ours")
    made = []
    for name in ("first", "second"):
        certificate, key = ours.server_files(tmp_path, name, ["edge.test"])
        made.append({"certificate": certificate.read_text(), "private_key": key.read_text()})
    params = {"zone": ZONE, "exclusive": True, "keep_foreign": True, **made[0]}
    for check in (True, False):
        refused = run_module(edge, module, params, check=check)
        assert f"client certificate {theirs} of another issuer (CN=pulls)" in refused["msg"]
        assert [one["id"] for one in edge.api("GET", PULLS)] == [theirs]
    assert run_module(edge, module, {**params, "keep_foreign": False})["changed"]
    assert theirs not in [one["id"] for one in edge.api("GET", PULLS)]
    second = run_module(edge, module, {**params, **made[1]})
    assert second["changed"]
    assert [one["id"] for one in edge.api("GET", PULLS)] == [second["certificates"][0]["id"]]


def test_what_was_revoked_or_has_ended_counts_no_more() -> None:
    ends = {"past": "2020-01-01T00:00:00Z", "revoked": "2090-01-01T00:00:00Z", "good": "2089-01-01T00:00:00Z"}
    listed = [
        {"id": name, "csr": request(), "hostnames": [HOST], "expires_on": end, "certificate": name,
         "revoked_at": "2026-01-01T00:00:00Z" if name == "revoked" else None}
        for name, end in ends.items()
    ]  # fmt: skip
    certificates = OriginCertificates(Spoken(listed), request(), False)  # type: ignore[arg-type]
    told = certificates.present([HOST], "origin-ecc", 90, 30, True)
    assert (told["changed"], told["certificate_id"], told["replaced"]) == (False, "good", [])


def test_what_is_out_of_use_is_revoked_also_when_the_good_one_is_not_new(edge: Edge) -> None:
    """As after a run that was killed between bringing the new certificate to its machine and revoking the old."""
    params = {"zone": ZONE, "csr": request(), "requested_validity": 90}
    old = run_module(edge, "cloudflare_origin_certificate", {**params, "hostnames": ["old.geokube.test"]})
    params["hostnames"] = [HOST]
    new = run_module(edge, "cloudflare_origin_certificate", params)
    assert (old["replaced"], new["replaced"]) == ([], [old["certificate_id"]])
    params["revoke_replaced"] = True
    foretold = run_module(edge, "cloudflare_origin_certificate", params, check=True)
    assert foretold["changed"]
    assert foretold["diff"]["after"]["revoked"] == [old["certificate_id"]]
    assert len(edge.api("GET", f"/certificates?zone_id={ZONE}")) == 2
    done = run_module(edge, "cloudflare_origin_certificate", params)
    assert (done["changed"], done["replaced"]) == (True, [])
    assert [one["id"] for one in edge.api("GET", f"/certificates?zone_id={ZONE}")] == [new["certificate_id"]]
    assert run_module(edge, "cloudflare_origin_certificate", params)["changed"] is False
