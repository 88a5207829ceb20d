# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray from git: tags that moved or are not there, networks that fail, clones that were torn or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_git import Repository, bring
from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_source import PassingError, SourceError
from source_servers import Internet

TAG = "v2.31.0"


def wanted(url: str, commit: str = "", **others: Any) -> Repository:
    """Give a wish with little patience."""
    return Repository(
        **{"url": url, "tag": TAG, "commit": commit, "attempts": 3, "pause": 0.01, "seconds": 60, **others}
    )


def left(destination: Path) -> list[str]:
    """Name what is beside a destination but its lock."""
    return sorted(path.name for path in destination.parent.iterdir() if not path.name.endswith(".lock"))


def over_http(internet: Internet, repository: Any) -> str:
    internet.repositories = repository.folder.parent
    return f"{internet.url}/git/kubespray/.git"


def test_the_tag_is_cloned_once_and_then_used_as_it_is(tmp_path: Path, internet: Internet, repository: Any) -> None:
    url, destination = over_http(internet, repository), tmp_path / "state" / "source"
    assert bring(wanted(url, repository.commit), destination) == (True, repository.commit, "2.31.0")
    assert (destination / "cluster.yml").is_file()
    asked = len(internet.asked)
    assert bring(wanted(url, repository.commit), destination) == (False, repository.commit, "2.31.0")
    assert len(internet.asked) == asked
    assert left(destination) == ["source"]


def test_an_annotated_tag_is_its_commit(tmp_path: Path, repository: Any) -> None:
    repository.git("tag", "--force", "--annotate", "--message=release", TAG)
    url = repository.folder.as_uri()
    assert bring(wanted(url, repository.commit), tmp_path / "source")[1] == repository.commit


def test_a_tag_that_moved_is_refused_naming_both_commits(tmp_path: Path, internet: Internet, repository: Any) -> None:
    moved = repository.move_tag()
    with pytest.raises(SourceError) as caught:
        bring(wanted(over_http(internet, repository), repository.commit), tmp_path / "state" / "source")
    assert moved in str(caught.value)
    assert repository.commit in str(caught.value)
    assert left(tmp_path / "state" / "source") == []
    # The one question for the references: nothing was cloned.
    assert len([path for path, _ in internet.asked if path.endswith("git-upload-pack")]) <= 1


def test_a_tag_that_moves_between_question_and_clone_is_refused(
    tmp_path: Path, repository: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = wanted(repository.folder.as_uri(), repository.commit)
    monkeypatch.setattr(Repository, "tagged", lambda self: repository.move_tag())
    with pytest.raises(SourceError, match="has moved"):
        bring(wish, tmp_path / "state" / "source")
    assert left(tmp_path / "state" / "source") == []


def test_a_missing_tag_is_named(tmp_path: Path, internet: Internet, repository: Any) -> None:
    url = over_http(internet, repository)
    with pytest.raises(SourceError, match=rf"{url} has no tag v9\.9\.9: .*git ls-remote --tags"):
        bring(wanted(url, tag="v9.9.9"), tmp_path / "state" / "source")
    assert left(tmp_path / "state" / "source") == []


def test_a_tag_that_lies_about_its_version_is_refused(tmp_path: Path, repository: Any) -> None:
    repository.git("tag", "v2.30.0")
    with pytest.raises(SourceError, match=r"is Kubespray 2\.31\.0, kubespray_version says v2\.30\.0"):
        bring(wanted(repository.folder.as_uri(), tag="v2.30.0"), tmp_path / "state" / "source")
    assert left(tmp_path / "state" / "source") == []


def test_a_repository_of_something_else_is_refused(tmp_path: Path, repository: Any) -> None:
    repository.git("rm", "--quiet", "cluster.yml")
    repository.git("commit", "--quiet", "--message=gone")
    repository.git("tag", "--force", TAG)
    with pytest.raises(SourceError, match=r"is no tree of Kubespray: it has no cluster\.yml"):
        bring(wanted(repository.folder.as_uri()), tmp_path / "state" / "source")


def test_no_network_is_tried_again_and_then_named(tmp_path: Path, internet: Internet) -> None:
    internet.stop()
    with pytest.raises(PassingError, match=r"cannot be read: .*Failed to connect.*set kubespray_source to a folder"):
        bring(wanted(f"{internet.url}/git/kubespray/.git"), tmp_path / "state" / "source")
    assert left(tmp_path / "state" / "source") == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_is_busy_for_a_moment_does_not_matter(
    tmp_path: Path, internet: Internet, repository: Any, status: int
) -> None:
    url = over_http(internet, repository)
    internet.faults["/git/*"] = [status]
    assert bring(wanted(url, repository.commit), tmp_path / "state" / "source")[0]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_refuses_is_asked_once(tmp_path: Path, internet: Internet, repository: Any, status: int) -> None:
    url = over_http(internet, repository)
    internet.faults["/git/*"] = [status] * 9
    with pytest.raises(SourceError, match="cannot be read") as caught:
        bring(wanted(url, repository.commit), tmp_path / "state" / "source")
    assert not isinstance(caught.value, PassingError)
    # git itself asks once more with the credentials that it has not got.
    assert len(internet.asked) == (2 if status == 401 else 1)


def test_a_torn_clone_is_made_anew(tmp_path: Path, internet: Internet, repository: Any) -> None:
    url, destination = over_http(internet, repository), tmp_path / "state" / "source"
    # The first upload-pack request lists the references, the second gives the objects.
    internet.faults["/git/kubespray/.git/git-upload-pack"] = [("cut", 40), ("cut", 60)]
    assert bring(wanted(url, repository.commit, attempts=4), destination)[0]
    assert not internet.faults["/git/kubespray/.git/git-upload-pack"]
    assert left(destination) == ["source"]


def test_a_git_that_hangs_ends_in_time(tmp_path: Path, internet: Internet, repository: Any) -> None:
    url = over_http(internet, repository)
    internet.faults["/git/*"] = [("hang",)] * 9
    with pytest.raises(PassingError, match="git ls-remote did not end in 1 s"):
        bring(wanted(url, repository.commit, attempts=1, seconds=1), tmp_path / "state" / "source")


def test_killed_in_the_middle_it_converges(tmp_path: Path, internet: Internet, repository: Any) -> None:
    url, destination = over_http(internet, repository), tmp_path / "state" / "source"
    internet.faults["/git/kubespray/.git/git-upload-pack"] = [("hang", 10_000), ("hang", 10)]
    program = (
        "import sys, pathlib\n"
        "from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_git import *\n"
        f"Repository.tagged = lambda self: ''\n"
        f"bring(Repository({url!r}, {TAG!r}, '', 1, 0, 60), pathlib.Path({str(destination)!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while not any(destination.parent.glob(".source.new-*/tree/.git/HEAD")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not destination.exists()
    assert len(left(destination)) == 1
    internet.faults.clear()
    assert bring(wanted(url, repository.commit), destination)[0]
    assert left(destination) == ["source"]


def test_a_changed_clone_is_made_anew(tmp_path: Path, repository: Any) -> None:
    wish, destination = wanted(repository.folder.as_uri(), repository.commit), tmp_path / "state" / "source"
    bring(wish, destination)
    (destination / "cluster.yml").write_text("torn")
    assert bring(wish, destination, look_only=True)[0]
    assert (destination / "cluster.yml").read_text() == "torn"
    assert bring(wish, destination)[0]
    assert (destination / "cluster.yml").read_text().startswith("- hosts")
    (destination / ".git" / "HEAD").unlink()
    assert bring(wish, destination)[0]


def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds a password") as caught:
        bring(wanted("https://user:hunter2@git.example.org/kubespray.git"), tmp_path / "source")
    assert "hunter2" not in str(caught.value)
