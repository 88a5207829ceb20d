"""A cloud that is incomplete, refuses or hangs: one clear error, and nothing changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import road


def state() -> dict[str, bytes]:
    """Read every file of the cluster's state that a run could change."""
    names = ("survey.json", "plan.json", "mesh.json", "kubeconfig", "traffic.json", "report.html")
    return {name: (road.STATE / name).read_bytes() for name in names if (road.STATE / name).exists()}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Give a copy of the lab's inventory to break; it names the same state folder."""
    folder = tmp_path / "inventory"
    shutil.copytree(road.ROOT / "inventories" / "lab", folder, ignore=shutil.ignore_patterns(".geokube"))
    (folder / "group_vars" / "all" / "state.yml").write_text(f"geokube_state_dir: {road.STATE}\n")
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    """Replace a text of the inventory's source, which must be there."""
    source = folder / "geokube.yml"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))


def assert_refused(playbook: road.Playbook, folder: Path, *words: str) -> None:
    """The run ends with an error that says every word, no host is touched and the state is as it was."""
    before = state()
    done = playbook.run(inventory=folder, timeout=180)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert all(word in output for word in words), output
    assert "TASK [" not in done.stdout
    assert state() == before


def test_wrong_token(lab: road.Lab, playbook: road.Playbook, broken: Path) -> None:
    """A wrong token of one cloud ends the run and names the cloud and the status; the token is not shown."""
    edit(broken, "geokube-lab-digitalocean-token", "wrong-token-5f1c")
    assert_refused(playbook, broken, "digitalocean", "401")
    assert "wrong-token-5f1c" not in playbook.run(inventory=broken, timeout=180).stderr


def test_cloud_that_hangs(lab: road.Lab, playbook: road.Playbook, broken: Path, hanging_server: str) -> None:
    """A cloud that takes the connection and never answers ends the run within the deadline."""
    edit(broken, "http://127.0.0.1:5602", hanging_server)
    edit(broken, "cluster: devfest", "cluster: devfest\ndeadline: 8")
    assert_refused(playbook, broken, "digitalocean", "deadline")


def test_machine_missing(lab: road.Lab, playbook: road.Playbook, broken: Path) -> None:
    """A region whose cloud lists no machine of the cluster ends the run and names the region."""
    edit(broken, "ap-southeast-2", "ap-southeast-1")
    assert_refused(playbook, broken, "au", "ap-southeast-1")
