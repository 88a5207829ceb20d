# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's own way from a source to an environment with what Kubespray pins."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
BOTH = ("source.yml", "environment.yml")
RECORD = "tiny-1.0.dist-info/RECORD,,\n"


def wheel(folder: Path) -> Path:
    """Make the wheel of a package with one module that says which release it is."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "RELEASE = '1.0'\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n" + RECORD)
    return path


class Role:
    """Some of the role's tasks in a play of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "ansible.cfg").write_text("[defaults]\nlocalhost_warning = false\n")

    def run(self, *files: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        tasks: list[dict[str, Any]] = [
            {"include_role": {"name": "meridian.geokube.kubespray", "tasks_from": name}} for name in files
        ]
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        (self.folder / "play.yml").write_text(json.dumps([play]))
        told = {"geokube_cluster": "devfest", "geokube_state_dir": str(self.folder / "state"), **variables}
        told["ansible_python_interpreter"] = sys.executable
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return subprocess.run(
            [PLAYBOOK, "-i", "localhost,", "-e", json.dumps(told), "play.yml"],
            cwd=self.folder,
            env={**kept, "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def environments(self) -> list[Path]:
        return list((self.folder / "state" / "kubespray").glob("venv-*"))


@pytest.fixture
def role(tmp_path: Path) -> Role:
    return Role(tmp_path / "role")


def test_from_git_to_an_environment_and_nothing_the_second_time(tmp_path: Path, role: Role, repository: Any) -> None:
    commit = repository.write({"requirements.txt": f"{wheel(tmp_path)}\n"})
    repository.git("tag", "--force", "v2.31.0")
    # A bare path to a repository is git, too.
    told = {"kubespray_source": str(repository.folder / ".git"), "kubespray_commit": commit}
    first = role.run(*BOTH, **told)
    assert first.returncode == 0, first.stdout + first.stderr
    [environment] = role.environments()
    said = subprocess.run(
        [environment / "bin/python", "-c", "import tiny; print(tiny.RELEASE)"], capture_output=True, check=True
    )
    assert said.stdout == b"1.0\n"
    second = role.run(*BOTH, **told)
    assert "changed=0" in second.stdout
    # Killed before it was complete: pip's work is lost and begun anew.
    (environment / "complete").unlink()
    next(environment.rglob("tiny.py")).unlink()
    third = role.run(*BOTH, **told)
    assert third.returncode == 0, third.stdout + third.stderr
    assert next(environment.rglob("tiny.py")).is_file()


def test_the_known_commit_of_the_release_is_asked_for(role: Role, repository: Any) -> None:
    failed = role.run("source.yml", kubespray_source=repository.folder.as_uri())
    assert failed.returncode != 0
    assert repository.commit in failed.stdout
    assert "kubespray_commit says 1c9add48975060f45396b34d8e022c30d7f80dab" in " ".join(failed.stdout.split())


def test_from_a_tarball(tmp_path: Path, role: Role, internet: Any, repository: Any) -> None:
    archive = tmp_path / "kubespray.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name in ("galaxy.yml", "cluster.yml", "requirements.txt"):
            packed.add(repository.folder / name, f"kubespray-2.31.0/{name}")
    internet.files["/v2.31.0.tar.gz"] = archive.read_bytes()
    told = {"kubespray_source": f"{internet.url}/v2.31.0.tar.gz"}
    failed = role.run("source.yml", **told, kubespray_checksum="sha256:" + "0" * 64)
    assert failed.returncode != 0
    assert "kubespray_checksum says" in failed.stdout
    checksum = "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()
    done = role.run("source.yml", **told, kubespray_checksum=checksum)
    assert done.returncode == 0, done.stdout + done.stderr


def test_requirements_that_cannot_be_had_leave_no_complete_environment(role: Role, repository: Any) -> None:
    commit = repository.write({"requirements.txt": "/nonexistent/tiny-1.0-py3-none-any.whl\n"})
    repository.git("tag", "--force", "v2.31.0")
    failed = role.run(*BOTH, kubespray_source=repository.folder.as_uri(), kubespray_commit=commit)
    assert failed.returncode != 0
    assert "/nonexistent/tiny-1.0-py3-none-any.whl" in failed.stdout
    assert not any((environment / "complete").exists() for environment in role.environments())
