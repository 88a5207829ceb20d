# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray from a tarball: checksums, servers that fail, files that are something else."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_source import PassingError, SourceError
from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_tarball import Tarball, bring
from source_servers import Internet

TREE = {"galaxy.yml": "version: 2.31.0\n", "cluster.yml": "- hosts: all\n", "requirements.txt": "#" * 50_000}
PATH = "/archive/v2.31.0.tar.gz"


def packed(files: dict[str, str], folder: str = "kubespray-2.31.0/") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(folder + name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return stream.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wanted(source: str, checksum: str = "", **others: Any) -> Tarball:
    """Give a wish with little patience."""
    patience = {"attempts": 3, "pause": 0.01, "seconds": 20}
    return Tarball(**{"source": source, "version": "v2.31.0", "sha256": checksum, **patience, **others})


def beside(destination: Path) -> list[str]:
    return sorted(path.name for path in destination.parent.iterdir() if not path.name.endswith(".lock"))


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "state" / "source"


def test_it_is_had_once(destination: Path, internet: Internet) -> None:
    internet.files[PATH] = packed(TREE)
    wish = wanted(internet.url + PATH, sha256(internet.files[PATH]))
    assert bring(wish, destination) == (True, wish.sha256, "2.31.0")
    assert (destination / "cluster.yml").read_text() == TREE["cluster.yml"]
    assert bring(wish, destination) == (False, wish.sha256, "2.31.0")
    assert len(internet.asked) == 1
    assert beside(destination) == ["source"]


def test_a_wrong_checksum_is_refused_naming_both(destination: Path, internet: Internet) -> None:
    internet.files[PATH] = packed(TREE)
    with pytest.raises(SourceError) as caught:
        bring(wanted(internet.url + PATH, "0" * 64), destination)
    assert sha256(internet.files[PATH]) in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert internet.url + PATH in str(caught.value)
    assert beside(destination) == []


def test_from_a_network_it_needs_a_checksum(destination: Path, internet: Internet) -> None:
    with pytest.raises(SourceError, match="set kubespray_checksum to sha256:"):
        bring(wanted(internet.url + PATH), destination)
    assert internet.asked == []


@pytest.mark.parametrize("fault", [429, 500, 503, ("cut", 0), ("cut", 200)])
def test_a_moment_of_trouble_does_not_matter(destination: Path, internet: Internet, fault: Any) -> None:
    internet.files[PATH] = packed(TREE)
    internet.faults[PATH] = [fault]
    assert bring(wanted(internet.url + PATH, sha256(internet.files[PATH])), destination)[0]
    assert len(internet.asked) == 2


def test_a_file_that_always_breaks_off_is_an_error(destination: Path, internet: Internet) -> None:
    internet.files[PATH] = packed(TREE)
    internet.faults[PATH] = [("cut", 100)] * 9
    with pytest.raises(PassingError, match=r"v2\.31\.0\.tar\.gz"):
        bring(wanted(internet.url + PATH, sha256(internet.files[PATH])), destination)
    assert beside(destination) == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_refuses_is_asked_once(destination: Path, internet: Internet, status: int) -> None:
    internet.files[PATH] = packed(TREE)
    internet.faults[PATH] = [status] * 9
    with pytest.raises(SourceError, match=f"the server says {status}"):
        bring(wanted(internet.url + PATH, "0" * 64), destination)
    assert len(internet.asked) == 1


def test_a_server_that_hangs_ends_in_time(destination: Path, internet: Internet) -> None:
    internet.files[PATH] = packed(TREE)
    internet.faults[PATH] = [("hang", 10)] * 9
    with pytest.raises(PassingError, match="timed out"):
        bring(wanted(internet.url + PATH, "0" * 64, attempts=1, seconds=1), destination)


def test_a_file_of_this_machine_is_followed_when_it_changes(tmp_path: Path, destination: Path) -> None:
    archive = tmp_path / "kubespray.tar.gz"
    archive.write_bytes(packed(TREE))
    assert bring(wanted(str(archive)), destination)[0]
    assert not bring(wanted(str(archive)), destination)[0]
    archive.write_bytes(packed({**TREE, "cluster.yml": "- hosts: none\n"}))
    assert bring(wanted(str(archive)), destination, look_only=True)[0]
    assert (destination / "cluster.yml").read_text() == TREE["cluster.yml"]
    assert bring(wanted(str(archive)), destination)[0]
    assert (destination / "cluster.yml").read_text() == "- hosts: none\n"


def test_a_file_with_another_checksum_or_none_at_all(tmp_path: Path, destination: Path) -> None:
    archive = tmp_path / "kubespray.tar.gz"
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        bring(wanted(str(archive)), destination)
    archive.write_bytes(packed(TREE))
    with pytest.raises(SourceError, match="kubespray_checksum says"):
        bring(wanted(str(archive), "1" * 64), destination)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no archive", "cannot be unpacked"),
        (packed(TREE)[:-200], "cannot be unpacked"),
        (packed({"README": "x"}), r"it has no galaxy\.yml, cluster\.yml, requirements\.txt"),
        (packed({**TREE, "galaxy.yml": "version: 2.30.0"}), r"is Kubespray 2\.30\.0, kubespray_version says v2\.31\.0"),
        (packed({**TREE, "a/../../../../outside": "x"}), "cannot be unpacked"),
    ],
    ids=["not-an-archive", "torn", "something-else", "another-release", "reaching-outside"],
)
def test_what_is_no_kubespray_is_refused(tmp_path: Path, destination: Path, content: bytes, words: str) -> None:
    archive = tmp_path / "kubespray.tar.gz"
    archive.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        bring(wanted(str(archive)), destination)
    assert beside(destination) == []
    assert not list(tmp_path.rglob("outside"))


def test_other_protocols_and_passwords_are_refused(destination: Path) -> None:
    with pytest.raises(SourceError, match="https or http"):
        bring(wanted("ftp://files.example.org/kubespray.tar.gz", "0" * 64), destination)
    with pytest.raises(SourceError, match="holds a password") as caught:
        bring(wanted("https://user:hunter2@files.example.org/kubespray.tar.gz", "0" * 64), destination)
    assert "hunter2" not in str(caught.value)
