# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept between runs: finished records, for one question by one identity, and never a part of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from geokube_lab.clouds import Fault, credentials
from inventory_runner import Runner

LIMITS: dict[str, Any] = {"retries": 0}


@pytest.fixture
def caching(tmp_path: Path) -> dict[str, Any]:
    """Options that turn the cache on, in a folder of its own."""
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path), **LIMITS}


def requests(runner: Runner) -> int:
    """Count what all clouds were asked."""
    assert runner.clouds is not None
    return sum(emulator.faults.requests for emulator in runner.clouds.emulators.values())


def test_second_run_asks_nobody(runner: Runner, caching: dict[str, Any]) -> None:
    """A second run gives the same inventory and asks no cloud, even when all are gone."""
    first = runner.run(**caching)
    asked = requests(runner)
    assert runner.clouds is not None
    for emulator in runner.clouds.emulators.values():
        emulator.faults.add(Fault("status", status=500))
    second = runner.run("--list", "-v", **caching)
    assert second.inventory == first.inventory
    assert requests(runner) == asked
    assert "geokube: 40 machines from the cache" in second.stdout


def test_flush_cache(runner: Runner, caching: dict[str, Any]) -> None:
    """--flush-cache asks the clouds again, and keeps the new answer."""
    assert runner.clouds is not None
    assert len(runner.run(**caching).hostvars) == 40
    everything = [machine for emulator in runner.clouds.emulators.values() for machine in emulator.machines]
    runner.clouds.load(everything[:-1])
    assert len(runner.run(**caching).hostvars) == 40
    playbook = runner.folder / "nothing.yml"
    playbook.write_text("- hosts: all\n  gather_facts: false\n")
    done = runner.run(str(playbook), "--list-hosts", "--flush-cache", command="playbook", **caching)
    assert "hosts (39):" in done.stdout
    assert len(runner.run(**caching).hostvars) == 39
    runner.clouds.load(everything[:-2])
    if runner.flushes:
        assert len(runner.run("--list", "--flush-cache", **caching).hostvars) == 38
    assert len(runner.run(**caching).hostvars) == (38 if runner.flushes else 39)


def test_no_part_is_kept(runner: Runner, caching: dict[str, Any]) -> None:
    """A run with a cloud missing is not kept, whether it failed or was allowed."""
    assert runner.clouds is not None
    runner.clouds.gcp.faults.add(Fault("status", status=403))
    assert runner.run(**caching).code == 4
    assert len(runner.run(allow_partial=["gcp"], **caching).hostvars) == 30
    runner.clouds.heal()
    assert len(runner.run(allow_partial=["gcp"], **caching).hostvars) == 40
    assert len(runner.run(**caching).hostvars) == 40


def test_another_identity_or_question(runner: Runner, caching: dict[str, Any], tmp_path: Path) -> None:
    """Another token, cluster or set of regions has nothing from the cache; no secret is in it."""
    assert len(runner.run(**caching).hostvars) == 40
    wrong = runner.run(**caching, environment={"DIGITALOCEAN_ACCESS_TOKEN": "another-token"})
    assert wrong.code == 4
    assert "digitalocean: HTTP 401" in wrong.stderr
    assert runner.run(**{**caching, "cluster": "k2"}).hosts == 0
    stored = "".join(file.name + file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    assert "n00000" in stored
    for secret in (
        credentials.DIGITALOCEAN_TOKEN,
        credentials.GCP_TOKEN,
        credentials.YANDEX_TOKEN,
        f'"{credentials.AWS_SECRET_ACCESS_KEY}"',
        "another-token",
    ):
        assert secret not in stored


DAMAGES: dict[str, Callable[[Any], Any]] = {
    "other version": lambda value: {**value, "version": 999},
    "no version": lambda value: {"records": value["records"], "count": value["count"]},
    "not the records": lambda value: {**value, "records": "[[1, 2]]"},
    "cut": lambda value: {**value, "records": value["records"][:500]},
    "fewer": lambda value: {**value, "records": "[]"},
    "empty": lambda value: {},
    "another shape": lambda value: ["something", "else"],
}


@pytest.mark.parametrize("damage", [*DAMAGES, "no JSON"])
def test_cache_of_another_version(runner: Runner, caching: dict[str, Any], tmp_path: Path, damage: str) -> None:
    """A cache that this version did not write whole is asked for anew, not a crash."""
    assert len(runner.run(**caching).hostvars) == 40
    (file,) = (path for path in tmp_path.iterdir() if "geokube_" in path.name)
    if damage == "no JSON":
        file.write_text("{")
    else:
        stored = json.loads(file.read_text())
        # Core 2.19 keeps the value as JSON in JSON.
        value = json.loads(stored["__payload__"]) if "__payload__" in stored else stored
        value = DAMAGES[damage](value)
        file.write_text(json.dumps({"__payload__": json.dumps(value)} if "__payload__" in stored else value))
    asked = requests(runner)
    done = runner.run(**caching)
    assert done.code == 0, done.stderr
    assert len(done.hostvars) == 40
    assert requests(runner) > asked
    asked = requests(runner)
    assert len(runner.run(**caching).hostvars) == 40
    assert requests(runner) == asked
