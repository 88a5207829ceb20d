# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of sources: an internet on loopback, and caches in the test's own folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).parents[3] / "lab"))

from source_servers import Internet

TREE = {
    "galaxy.yml": "namespace: kubernetes_sigs\nname: kubespray\nversion: 2.31.0\n",
    "cluster.yml": "- hosts: all\n  gather_facts: false\n",
    "requirements.txt": "",
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that starts empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "geokube"


@pytest.fixture
def internet() -> Iterator[Internet]:
    """A server of files and repositories on loopback."""
    world = Internet()
    world.start()
    yield world
    world.stop()


class Repository:
    """A git repository with the tag v2.31.0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=master")
        self.commit = self.write(TREE)
        self.git("tag", "v2.31.0")

    def git(self, *arguments: str) -> str:
        """Run git there, whatever the user's own configuration says."""
        argv = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", *arguments]
        done = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, files: dict[str, str]) -> str:
        """Commit these files; give the commit."""
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=next")
        return self.git("rev-parse", "HEAD")

    def move_tag(self) -> str:
        """Let the tag be another commit; give it."""
        commit = self.write({"cluster.yml": TREE["cluster.yml"] + "  tasks: []\n"})
        self.git("tag", "--force", "v2.31.0")
        return commit


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A small repository that looks like Kubespray's, below tmp_path/repositories."""
    return Repository(tmp_path / "repositories" / "kubespray")
