# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Release files by checksum, from a server that plays dl.k8s.io and GitHub and has its bad days."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from geokube_lab.errors import LabError
from geokube_lab.releases import ReleaseFile, mirror
from geokube_lab.releases.download import Patience, download
from source_servers import Internet

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/dl.k8s.io/release/v1.35.4/bin/linux/amd64/kubelet"
PATIENCE = Patience(attempts=4, pause=0.01, silence=20)


def silent(_: str) -> None:
    return


@pytest.fixture
def target(tmp_path: Path, internet: Internet) -> Path:
    internet.files[PATH] = CONTENT
    return tmp_path / "files" / "kubelet"


def fetch(internet: Internet, target: Path, sha256: str = SHA256, patience: Patience = PATIENCE) -> bool:
    return download(internet.url + PATH, sha256, target, silent, patience)


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_comes_once_and_whole(internet: Internet, target: Path) -> None:
    said: list[str] = []
    assert download(internet.url + PATH, SHA256, target, said.append, PATIENCE)
    assert target.read_bytes() == CONTENT
    assert said
    assert not fetch(internet, target)
    assert len(internet.asked) == 1
    assert left(target) == ["kubelet"]


def test_github_sends_on_to_another_server(internet: Internet, target: Path) -> None:
    internet.redirects["/github.com/etcd.tar.gz"] = internet.url + PATH
    assert download(internet.url + "/github.com/etcd.tar.gz", SHA256, target, silent, PATIENCE)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("fault", [429, 500, 502, 503, 504, ("cut", 0)])
def test_a_moment_of_trouble_does_not_matter(internet: Internet, target: Path, fault: Any) -> None:
    internet.faults[PATH] = [fault, fault]
    assert fetch(internet, target)
    assert target.read_bytes() == CONTENT


def test_a_broken_transfer_is_gone_on_with(internet: Internet, target: Path) -> None:
    internet.faults[PATH] = [("cut", 300_000), ("cut", 200_000)]
    assert fetch(internet, target)
    assert [asked for _, asked in internet.asked] == ["", "bytes=300000-", "bytes=500000-"]
    assert target.read_bytes() == CONTENT
    assert left(target) == ["kubelet"]


def test_a_server_without_ranges_begins_anew(internet: Internet, target: Path) -> None:
    internet.ranges = False
    internet.faults[PATH] = [("cut", 300_000)]
    assert fetch(internet, target)
    assert target.read_bytes() == CONTENT


def test_the_next_run_goes_on_after_one_that_failed_or_was_killed(internet: Internet, target: Path) -> None:
    internet.faults[PATH] = [("cut", 100_000)] * 4
    with pytest.raises(LabError, match=r"kubelet cannot be had: it broke off .*4 tries.*go on from 400000 bytes"):
        fetch(internet, target)
    assert left(target) == [".kubelet.part"]
    internet.faults.clear()
    assert fetch(internet, target)
    assert internet.asked[-1][1] == "bytes=400000-"
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("rest", [b"of another file", CONTENT[:-1] + b"x", CONTENT + b"more"])
def test_what_is_left_of_something_else_does_not_matter(internet: Internet, target: Path, rest: bytes) -> None:
    target.parent.mkdir()
    target.with_name(".kubelet.part").write_bytes(rest)
    assert fetch(internet, target)
    assert target.read_bytes() == CONTENT
    assert left(target) == ["kubelet"]


def test_a_transfer_that_was_whole_when_killed_is_not_had_again(internet: Internet, target: Path) -> None:
    target.parent.mkdir()
    target.with_name(".kubelet.part").write_bytes(CONTENT)
    assert fetch(internet, target)
    assert [asked for _, asked in internet.asked] == [f"bytes={len(CONTENT)}-"]


def test_a_checksum_that_does_not_match_is_named_and_leaves_nothing(internet: Internet, target: Path) -> None:
    with pytest.raises(LabError) as caught:
        fetch(internet, target, "0" * 64)
    for word in (internet.url + PATH, SHA256, "0" * 64):
        assert word in str(caught.value)
    assert left(target) == []
    assert len(internet.asked) == 1


@pytest.mark.parametrize(("status", "words"), [(404, "there is no such release file"), (401, "401"), (403, "403")])
def test_a_server_that_refuses_is_named_and_asked_once(
    internet: Internet, target: Path, status: int, words: str
) -> None:
    internet.faults[PATH] = [status] * 9
    with pytest.raises(LabError, match=f"{PATH}: the server says {status}.*{words}|the server says {words}"):
        fetch(internet, target)
    assert len(internet.asked) == 1
    assert left(target) == []


def test_a_server_that_falls_silent_ends_in_time(internet: Internet, target: Path) -> None:
    internet.faults[PATH] = [("hang", 1000)] * 9
    with pytest.raises(LabError, match="timed out"):
        fetch(internet, target, patience=Patience(attempts=1, pause=0.01, silence=0.5))


def test_no_server_at_all_is_named(internet: Internet, target: Path) -> None:
    internet.stop()
    with pytest.raises(LabError, match=rf"{internet.url}.* cannot be had: .*refused.*4 tries"):
        fetch(internet, target)
    assert left(target) == []


def release(name: str, content: bytes) -> ReleaseFile:
    return ReleaseFile(name, f"dl.k8s.io/{name}", hashlib.sha256(content).hexdigest())


def test_all_that_cannot_be_had_is_named_and_the_rest_is_kept(internet: Internet) -> None:
    files = [release("kubelet", b"1"), release("kubectl", b"2"), release("kubeadm", b"3")]
    internet.files = {"/dl.k8s.io/kubelet": b"1", "/dl.k8s.io/kubeadm": b"another"}
    with pytest.raises(LabError) as caught:
        mirror.fetch_files(files, silent, internet.url + "/", PATIENCE)
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 of 3 release files cannot be had:"
    assert lines[1].startswith(f"  kubectl: {internet.url}/dl.k8s.io/kubectl: the server says 404")
    assert lines[2].startswith(f"  kubeadm: {internet.url}/dl.k8s.io/kubeadm has the sha256")
    assert mirror.kept(files[0]).read_bytes() == b"1"
    assert not mirror.kept(files[2]).exists()


def test_files_are_published_under_their_own_paths_whole(internet: Internet, tmp_path: Path) -> None:
    files = [release("kubelet", b"1")]
    goal = tmp_path / "served"
    with pytest.raises(LabError, match="kubelet was not downloaded"):
        mirror.publish_files(files, goal)
    internet.files = {"/dl.k8s.io/kubelet": b"1"}
    assert mirror.fetch_files(files, silent, internet.url + "/", PATIENCE) == 1
    assert mirror.fetch_files(files, silent, internet.url + "/", PATIENCE) == 0
    assert mirror.publish_files(files, goal) == [goal / "dl.k8s.io/kubelet"]
    assert mirror.publish_files(files, goal) == []
    (goal / "dl.k8s.io/kubelet").unlink()
    (goal / "dl.k8s.io/kubelet").write_bytes(b"old")
    assert mirror.publish_files(files, goal) == [goal / "dl.k8s.io/kubelet"]
    assert (goal / "dl.k8s.io/kubelet").read_bytes() == b"1"
