# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's road on a machine with open internet, whose part loopback plays.

From the git tag over the list of what nodes download to the lab's file server and registry. Kubespray is a small tree
whose defaults have the shape of the real one's; GEOKUBE_KUBESPRAY_MIRROR names a repository with the real tag.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geokube_lab import sources
from geokube_lab.errors import LabError
from geokube_lab.images import Store, build_image, files_layer
from geokube_lab.images.registry import RegistryFolder
from geokube_lab.releases import Listing, ReleaseFile, ReleaseImage, __main__, listing, mirror
from geokube_lab.releases.listing import read
from source_servers import Internet

ORIGIN = "https://github.com/kubernetes-sigs/kubespray.git"
MIRROR = os.environ.get("GEOKUBE_KUBESPRAY_MIRROR", "")
CONTENT = {
    "kubeadm": b"the installer",
    "kubelet": b"the node's",
    "kubectl": b"#!/bin/sh\necho client\n",
    "cni": b"net",
}
IMAGES = ("registry.k8s.io/pause:3.10.1", "docker.io/flannel/flannel:v0.28.4")
OF_KUBEADM = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")


def defaults() -> str:
    """Give variables in the shape of Kubespray's: lazy URLs, checksums by architecture and version."""
    urls = {name: "{{ dl_k8s_io_url }}/release/v{{ kube_version }}/" + name for name in CONTENT}
    urls["cni"] = "{{ github_url }}/cni/releases/download/v1/cni-{{ image_arch }}.tgz"
    files = {
        name: {"file": True, "enabled": True, "url": url, "checksum": "{{ sums[image_arch]['" + name + "'] }}"}
        for name, url in urls.items()
    }
    images = {
        name: {"container": True, "enabled": enabled, "repo": "{{ " + registry + " }}/" + name, "tag": tag}
        for registry, name, tag, enabled in (
            ("kube_image_repo", "pause", "3.10.1", True),
            ("docker_image_repo", "flannel/flannel", "v0.28.4", "{{ kube_network_plugin == 'flannel' }}"),
            ("quay_image_repo", "cilium/cilium", "v1", "{{ kube_network_plugin == 'cilium' }}"),
        )
    }
    known = {
        "kube_version": "1.35.4",
        "image_arch": "{{ 'amd64' if ansible_architecture == 'x86_64' else undefined_here }}",
        "dl_k8s_io_url": "https://dl.k8s.io",
        "github_url": "https://github.com",
        "kube_image_repo": "registry.k8s.io",
        "docker_image_repo": "docker.io",
        "quay_image_repo": "quay.io",
        "sums": {"amd64": {name: "sha256:" + hashlib.sha256(c).hexdigest() for name, c in CONTENT.items()}},
        "downloads": {**files, **images},
    }
    return json.dumps(known)


@pytest.fixture
def kubespray(repository: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a small Kubespray where its repository is; give the commit of its tag."""
    role = repository.folder / "roles" / "kubespray_defaults" / "defaults" / "main"
    role.mkdir(parents=True)
    commit: str = repository.write({"roles/kubespray_defaults/defaults/main/download.yml": defaults()})
    repository.git("tag", "--force", "v2.31.0")
    stand_for(repository.folder.as_uri(), monkeypatch)
    return commit


def stand_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git have Kubespray's repository from another URL."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{url}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", ORIGIN)


def test_what_nodes_download_is_what_kubespray_says(kubespray: str) -> None:
    wanted = listing({"kubespray_commit": kubespray})
    assert {(file.name, file.path) for file in wanted.files} == {
        ("kubeadm", "dl.k8s.io/release/v1.35.4/kubeadm"),
        ("kubelet", "dl.k8s.io/release/v1.35.4/kubelet"),
        ("kubectl", "dl.k8s.io/release/v1.35.4/kubectl"),
        ("cni", "github.com/cni/releases/download/v1/cni-amd64.tgz"),
    }
    assert {file.name: file.sha256 for file in wanted.files} == {
        name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()
    }
    named = {f"{image.registry}/{image.name}:{image.tag}" for image in wanted.images}
    assert named == {*IMAGES, *(f"registry.k8s.io/{name}:v1.35.4" for name in OF_KUBEADM)}


def test_the_list_is_remembered_until_something_changes(kubespray: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = listing({"kubespray_commit": kubespray})
    stand_for("file:///nonexistent", monkeypatch)
    assert listing({"kubespray_commit": kubespray}) == wanted
    with pytest.raises(LabError, match=r"cannot be listed: kubespray_source .*nonexistent"):
        listing({"kubespray_commit": "0" * 40})


def test_a_tag_that_moved_ends_it(kubespray: str) -> None:
    with pytest.raises(LabError, match=rf"is commit {kubespray}, kubespray_commit says 1c9add48"):
        listing()


ANSWER: dict[str, Any] = {
    "files_repo": "http://203.0.113.30",
    "files": {"kubelet": ["http://203.0.113.30/dl.k8s.io/kubelet", "sha256:" + "a" * 64]},
    "images": [["registry.k8s.io/pause", "3.10.1"]],
    "mirrored": ["registry.k8s.io"],
}


def test_an_answer_is_read() -> None:
    files = (ReleaseFile("kubelet", "dl.k8s.io/kubelet", "a" * 64),)
    assert read(ANSWER) == Listing(files, (ReleaseImage("registry.k8s.io", "pause", "3.10.1"),))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"files": {"helm": ["https://get.helm.sh/helm", "sha256:" + "a" * 64]}}, r"helm from https://get\.helm\.sh"),
        ({"files": {"helm": ["http://203.0.113.30/helm", "sha512:" + "a" * 128]}}, "Kubespray's checksum of helm"),
        ({"files": {"helm": ["http://203.0.113.30/helm", None]}}, "Kubespray's checksum of helm"),
        ({"images": [["quay.io/cilium/cilium", "v1"]]}, r"quay\.io/cilium/cilium:v1.*no quay\.io"),
    ],
)
def test_what_nodes_would_not_reach_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(LabError, match=words):
        read({**ANSWER, **changed})


@pytest.fixture
def registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryFolder]:
    """A registry on loopback that plays registry.k8s.io and docker.io for skopeo; the folder that it serves."""
    if shutil.which("docker-registry") is None or shutil.which("skopeo") is None:
        pytest.skip("needs Debian's docker-registry and skopeo")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "upstream")}}
    (tmp_path / "registry.yml").write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}}))
    lines = ""
    for name in ("registry.k8s.io", "docker.io"):
        lines += f'[[registry]]\nprefix = "{name}"\nlocation = "{address}"\ninsecure = true\n'
    settings = tmp_path / "home" / ".config" / "containers"
    settings.mkdir(parents=True)
    (settings / "registries.conf").write_text(lines)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    command = ["docker-registry", "serve", str(tmp_path / "registry.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://{address}/v2/", timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        yield RegistryFolder(tmp_path / "upstream")
        process.terminate()


def test_the_whole_road(
    kubespray: str,
    internet: Internet,
    registries: RegistryFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    makers = Store(tmp_path / "makers")
    layer = files_layer({"/x": b"x"}, makers)
    for reference in (*IMAGES, *(f"registry.k8s.io/{name}:v1.35.4" for name in OF_KUBEADM)):
        name, tag = reference.partition("/")[2].rsplit(":", 1)
        registries.push(build_image(name, tag, layers=[layer], store=makers), makers)
    wanted = listing({"kubespray_commit": kubespray})
    monkeypatch.setattr(__main__, "listing", lambda: wanted)
    monkeypatch.setattr(sources, "real", lambda name: name == sources.KUBESPRAY)
    monkeypatch.setenv("GEOKUBE_RELEASES_URL", internet.url)
    served, lab_registry = tmp_path / "served", tmp_path / "lab-registry"

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["releases", *arguments])
        return __main__.main()

    # A first day on which one file is missing and another is not what Kubespray knows.
    content = dict(CONTENT)
    for file in wanted.files:
        internet.files["/" + file.path] = content[file.name]
    internet.files["/dl.k8s.io/release/v1.35.4/kubelet"] = b"not the node's"
    del internet.files["/github.com/cni/releases/download/v1/cni-amd64.tgz"]
    assert run("fetch") == 1
    said = capsys.readouterr().err
    assert "2 of 4 release files cannot be had" in said
    assert "cni-amd64.tgz: the server says 404" in said
    assert "kubelet has the sha256" in said

    internet.files["/dl.k8s.io/release/v1.35.4/kubelet"] = content["kubelet"]
    internet.files["/github.com/cni/releases/download/v1/cni-amd64.tgz"] = content["cni"]
    assert run("fetch") == 0
    assert "4 release files (2 new) and 6 images are here" in capsys.readouterr().out
    asked = len(internet.asked)
    assert run("fetch") == 0
    assert "4 release files (0 new) and 6 images" in capsys.readouterr().out
    assert len(internet.asked) == asked

    publish = ("publish", str(served), "--registry", str(lab_registry))
    assert run(*publish) == 0
    assert "4 release files and 6 images were not in the lab before" in capsys.readouterr().out
    for file in wanted.files:
        assert (served / file.path).read_bytes() == content[file.name]
    held = RegistryFolder(lab_registry)
    assert all(held.holds(image) for image in mirror.fetch_images(wanted.images, Store()))
    assert run(*publish) == 0
    assert "0 release files and 0 images" in capsys.readouterr().out

    assert run("path", "kubectl") == 0
    program = capsys.readouterr().out.strip()
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"client\n"


def test_under_the_stand_in_nothing_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sources, "real", lambda name: False)
    monkeypatch.setattr(__main__, "listing", lambda: pytest.fail("asked"))
    for arguments in (["fetch"], ["publish", "/nonexistent"]):
        monkeypatch.setattr(sys, "argv", ["releases", *arguments])
        assert __main__.main() == 0
    assert "stand-in" in capsys.readouterr().out


def test_another_server_of_releases_has_to_be_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOKUBE_RELEASES_URL", "mirror")
    with pytest.raises(LabError, match="GEOKUBE_RELEASES_URL is 'mirror'"):
        __main__.origin()


@pytest.mark.skipif(not MIRROR, reason="GEOKUBE_KUBESPRAY_MIRROR names no repository with Kubespray's v2.31.0")
def test_the_real_kubespray_says_what_nodes_download(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_for(MIRROR, monkeypatch)
    wanted = listing()
    names = {"cni", "containerd", "crictl", "etcd", "kubeadm", "kubectl", "kubelet", "nerdctl", "runc"}
    assert {file.name for file in wanted.files} == names
    assert {file.path.partition("/")[0] for file in wanted.files} == {"dl.k8s.io", "github.com"}
    images = {f"{image.registry}/{image.name}:{image.tag}" for image in wanted.images}
    assert {*IMAGES, *(f"registry.k8s.io/{name}:v1.35.4" for name in OF_KUBEADM)} <= images


def test_a_program_that_was_not_downloaded_is_named() -> None:
    with pytest.raises(LabError, match="kubectl is not among the files that were downloaded"):
        __main__.program(Listing((ReleaseFile("kubectl", "kubectl", "a" * 64),), ()), "kubectl")
