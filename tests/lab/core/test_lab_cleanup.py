"""A lab that was killed, broken or taken down half-way: it can be repaired, and it can be removed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import yaml
from conftest import SmallLab


def kill_up(lab: SmallLab, seconds: float) -> None:
    """Start `up` and kill it, with all its helpers that share its session, after a while."""
    child = lab.sandbox.popen(*lab.command("up"))
    time.sleep(seconds)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def pid(lab: SmallLab, name: str) -> str:
    return lab.sandbox.run("cat", f"/run/geokube-lab/pids/{name}")[1].split()[0]


@pytest.mark.parametrize("seconds", [0.2, 0.35, 0.6, 1.0, 2.0, 4.0])
def test_down_after_a_killed_up_leaves_nothing(empty: SmallLab, seconds: float) -> None:
    kill_up(empty, seconds)
    empty.lab("down", "--purge")
    assert empty.leftovers() == []


def test_up_after_a_killed_up_finishes_the_work(empty: SmallLab) -> None:
    kill_up(empty, 0.5)
    assert "each within 3%" in empty.lab("up")
    began = time.monotonic()
    empty.lab("up")
    assert time.monotonic() - began < 3
    assert "everything runs" in empty.lab("status")


def test_down_keeps_what_is_worth_keeping_and_purge_does_not(empty: SmallLab) -> None:
    empty.lab("up")
    empty.sandbox.run("sh", "-c", "echo x > /var/lib/geokube-lab/files/kept")
    empty.lab("down")
    left = empty.leftovers()
    assert "machines" not in left
    assert {"ca", "files", "logs", "ssh"} <= set(left)
    assert not any(item.startswith("geokube-") or "/" in item for item in left), left
    empty.lab("down", "--purge")
    assert empty.leftovers() == []
    assert "there is no lab" in empty.lab("down")


def test_a_dead_relay_stops_the_sea_and_up_brings_it_back(small: SmallLab) -> None:
    small.lab("rtt", "ru", "au", "50")
    small.sandbox.run("kill", "-9", pid(small, "relay"))
    assert small.round_trips("geokube-node-devfest-ru-01", "198.51.100.10", 1) == []
    assert "not running: relay" in small.lab("status", code=1)
    small.lab("up")
    # What was changed live is kept.
    assert max(small.round_trips("geokube-node-devfest-ru-01", "198.51.100.10")) < 60
    small.lab("rtt", "ru", "au", "360")


def test_a_machine_without_power_supply_counts_as_off_and_up_boots_it(small: SmallLab) -> None:
    small.on("devfest-sg-01", "touch /run/before")
    small.sandbox.run("kill", "-9", pid(small, "machine-devfest-sg-01"))
    assert "devfest-sg-01    OFF" in small.lab("status", code=1)
    assert "1 machines up to ssh: devfest-sg-01" in small.lab("up")
    assert small.on("devfest-sg-01", "test -e /run/before || hostname").strip() == "devfest-sg-01"


@pytest.mark.parametrize(
    "namespace", ["geokube-pop-au", "geokube-client-sg", "geokube-node-devfest-ru-01", "geokube-router"]
)
def test_up_repairs_a_namespace_that_is_gone(small: SmallLab, namespace: str) -> None:
    small.sandbox.run("ip", "netns", "delete", namespace)
    assert small.sandbox.run(*small.command("status"))[0] == 1
    small.lab("up")
    assert "everything runs" in small.lab("status")
    assert (
        small.lab("client", "au", "--", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://203.0.113.30/")
        == "200"
    )
    assert small.on("devfest-ru-01", "hostname").strip() == "devfest-ru-01"


def test_a_service_that_ended_is_started_again(small: SmallLab) -> None:
    small.sandbox.run("kill", "-9", pid(small, "dns-au"), pid(small, "files"))
    assert "not running: files, dns-au" in small.lab("status", code=1)
    small.lab("up")
    assert "everything runs" in small.lab("status")


def test_two_ups_at_once_are_one_after_the_other(empty: SmallLab) -> None:
    empty.lab("down", "--purge")
    children = [empty.sandbox.popen(*empty.command("up")) for _ in range(2)]
    outputs = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    assert any("another lab command is at work" in output for output in outputs)
    assert "everything runs" in empty.lab("status")


def test_a_service_that_cannot_start_is_named_with_its_log(empty: SmallLab) -> None:
    empty.lab("down", "--purge")
    # A foreign file in the place of the registry's folder.
    empty.sandbox.run("sh", "-c", "mkdir -p /var/lib/geokube-lab && echo x > /var/lib/geokube-lab/registry")
    output = empty.lab("up", code=1)
    assert "registry" in output
    empty.sandbox.run("rm", "/var/lib/geokube-lab/registry")
    assert "everything runs" in (empty.lab("up"), empty.lab("status"))[1]


def test_what_is_missing_is_listed_at_once_with_its_packages(empty: SmallLab, tmp_path: Path) -> None:
    empty.lab("down", "--purge")
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in ("/usr/bin", "/usr/sbin"):
        for tool in Path(folder).iterdir():
            if tool.name not in ("fping", "dnsmasq") and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    output = empty.lab("up", code=1, PATH=str(tools))
    assert "commands dnsmasq, fping: apt-get install --no-install-recommends dnsmasq-base fping" in output
    assert empty.leftovers() == []


def test_a_port_that_is_taken_is_named(empty: SmallLab) -> None:
    empty.lab("down", "--purge")
    holder = empty.sandbox.popen("python3", "-m", "http.server", "--bind", "127.0.0.1", "5602")
    try:
        time.sleep(1)
        output = empty.lab("up", code=1)
        assert "port 127.0.0.1:5602 (digitalocean): Address already in use; change ports.digitalocean" in output
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
    assert empty.leftovers() == []


def test_another_world_is_refused_while_the_lab_runs(empty: SmallLab, tmp_path: Path) -> None:
    empty.lab("up")
    other = tmp_path / "other.yml"
    other.write_text(empty.topology.read_text().replace("198.51.100.64/26", "198.51.100.192/26"))
    ended, output = empty.sandbox.run(str(empty.command()[0]), "--topology", str(other), "up")
    assert ended == 1
    assert "has other regions, networks or round trips: `lab/lab down`, then `lab/lab up`" in output
    assert "everything runs" in empty.lab("status")


def test_a_machine_can_be_added_to_a_running_lab(empty: SmallLab, tmp_path: Path) -> None:
    more = tmp_path / "more.yml"
    document = yaml.safe_load(empty.topology.read_text())
    document["regions"]["au"]["nodes"].append({"name": "devfest-au-02", "roles": ["worker"]})
    more.write_text(yaml.safe_dump(document))
    larger = SmallLab(empty.sandbox, more)
    assert "1 machines up to ssh: devfest-au-02" in larger.lab("up")
    assert (
        larger.on("devfest-au-02", "getent hosts devfest-au-02.geokube.test; hostname").split()[-1] == "devfest-au-02"
    )
    assert "198.51.100.11" in larger.on("devfest-ru-01", "getent hosts devfest-au-02")
