"""A region is cut off: its users are served by the next one, and come home when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import road
from kubernetes import client, config

DETECTION_SECONDS = 60.0
QUIET_SECONDS = 30.0
NEXT_OF_AU = "sg"


def pods_of_au() -> dict[str, int]:
    """Give the uid of every pod on au's node with its count of restarts."""
    config.load_kube_config(str(road.STATE / "kubeconfig"))
    pods = client.CoreV1Api().list_pod_for_all_namespaces(field_selector="spec.nodeName=devfest-au-01").items
    return {
        f"{pod.metadata.name} {pod.metadata.uid}": sum(s.restart_count for s in pod.status.container_statuses or [])
        for pod in pods
    }


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll once a second; fail with what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(1)
    pytest.fail(f"{what}: not within {seconds:.0f} s")


def test_cut_and_heal(lab: road.Lab, tmp_path: Path) -> None:
    """After `cut au` sg serves au's users within 60 s without a failure after that; after `heal` au again."""
    output = tmp_path / "out.jpg"
    before = pods_of_au()
    assert lab.post("au", output).region == "au"
    lab.run("cut", "au")
    try:
        wait_for(lambda: lab.post("au", output).region == NEXT_OF_AU, DETECTION_SECONDS, "au's users served by sg")
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            reply = lab.post("au", output)
            assert (reply.status, reply.region) == (200, NEXT_OF_AU), reply
    finally:
        lab.run("heal")
    wait_for(lambda: lab.post("au", output).region == "au", 120, "au's users served by au again")
    wait_for(lambda: pods_of_au() == before, 60, "the pods of au as they were")
