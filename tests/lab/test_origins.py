"""Origins nobody else can reach: their keys, whom they take, and what becomes of a certificate that was revoked."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import road
from geokube_lab.demo.origin_access import authorities, past_the_edge
from geokube_lab.edge.__main__ import ACCOUNT, TOKEN, ZONE
from geokube_lab.edge.authority import Authority

API = "http://127.0.0.1:5604/client/v4"
AU = "devfest-au-01"
FOLDER = "/etc/geokube/ingress"


def api(method: str, path: str) -> Any:
    """One request to the lab's Cloudflare API; gives its result."""
    request = urllib.request.Request(API + path, headers={"Authorization": f"Bearer {TOKEN}"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["result"]


def on_au(lab: road.Lab, command: str) -> str:
    return lab.run("ssh", AU, "--", command).stdout


@pytest.fixture
def trust(tmp_path: Path) -> tuple[str, ...]:
    """curl's option to trust the edge and the origins."""
    return ("--cacert", str(authorities(road.STATE, tmp_path / "authorities.crt")))


def test_an_origin_takes_nobody_but_the_edge(lab: road.Lab, tmp_path: Path, trust: tuple[str, ...]) -> None:
    """The firewall lets these users in, so that it is Traefik who refuses them."""
    straight = past_the_edge(str(road.NODES["au"]), road.STATE)
    assert lab.post("au", tmp_path / "out.jpg", *trust, *straight).status == 200
    stranger = Authority(tmp_path, "ca", "strangers").server_files(tmp_path, "stranger", ["edge.test"])
    for options in ((), ("--cert", str(stranger[0]), "--key", str(stranger[1]))):
        reply = lab.post("au", tmp_path / "out.jpg", *trust, *straight[:2], *options)
        assert reply.status == 0, reply
        # However curl words it: there was a connection, and it ended without an answer.
        assert not re.search("refused|timed out|resolve", reply.error), reply
    assert api("GET", f"/zones/{ZONE}/settings/ssl")["value"] == "strict"
    monitors = api("GET", f"/accounts/{ACCOUNT}/load_balancers/monitors")
    assert [(one["allow_insecure"], one["probe_zone"]) for one in monitors] == [(False, "geokube.test")]


def test_an_origins_key_stays_on_its_machine(lab: road.Lab) -> None:
    look = f"sudo stat -c '%a %u' {FOLDER}/origin.key && sudo cat {FOLDER}/origin.key"
    with ThreadPoolExecutor() as pool:
        logins = pool.map(lambda region: lab.run("ssh", f"devfest-{region}-01", "--", look).stdout, road.NODES)
        modes, keys = zip(*(login.split("\n", 1) for login in logins), strict=True)
    assert set(modes) == {"600 65532"}
    assert len(set(keys)) == len(road.NODES)
    assert (road.STATE / "certificates" / "pulls" / "client.key").exists()
    patterns = [option for key in keys for option in ("-e", key.splitlines()[1])]
    found = subprocess.run(("grep", "-rlF", *patterns, str(road.STATE)), capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")


def test_a_revoked_certificate_is_replaced_by_the_next_run(
    lab: road.Lab, playbook: road.Playbook, tmp_path: Path, trust: tuple[str, ...]
) -> None:
    request = on_au(lab, f"cat {FOLDER}/origin.csr").split()

    def held() -> list[str]:
        return [one["id"] for one in api("GET", f"/certificates?zone_id={ZONE}") if one["csr"].split() == request]

    before = held()
    assert len(before) == 1
    api("DELETE", f"/certificates/{before[0]}")
    done = playbook.run("--tags", "traffic")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    table = road.recap(done.stdout)
    assert {host for host, row in table.items() if row["changed"]} == {AU}
    assert len(held()) == 1
    assert held() != before
    straight = past_the_edge(str(road.NODES["au"]), road.STATE)
    assert lab.post("au", tmp_path / "out.jpg", *trust, *straight).status == 200
