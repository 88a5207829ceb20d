"""Compiling with a go command that the test supplies: caching, progress, failures, kills."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from pathlib import Path

import pytest
from geokube_lab.binaries import TARGETS, Target, artifact_directory, build, program, publish, target
from geokube_lab.binaries.targets import KUBERNETES_PROGRAMS, SOURCES
from geokube_lab.errors import LabError

GO = """#!/bin/sh
echo "$@" >> {calls}
case "$1" in
env) echo {version};;
list) printf 'a\\nb\\n';;
build)
    echo one/package >&2
    {behaviour}
    while [ "$1" != -o ]; do shift; done
    echo program > "$2";;
esac
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: str = ":", version: str = "go1.26.1") -> None:
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "go").write_text(GO.format(calls=tmp_path / "calls", behaviour=behaviour, version=version))
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture
def sample(tmp_path: Path) -> Target:
    module = tmp_path / "module"
    (module / "tool").mkdir(parents=True)
    (module / "go.mod").write_text("module example.com/m\n")
    (module / "go.sum").write_text("")
    (module / "tool" / "main.go").write_text("package main\n")
    return Target("tool", "v1.0.0", module, "./tool", {"main.version": "v1.0.0"})


def test_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Target, calls: Path) -> None:
    fake_go(tmp_path, monkeypatch)
    said: list[str] = []
    directory = build(sample, said.append)
    assert (directory / "tool").read_text() == "program\n"
    assert "0:00, 1 of 2 packages (one/package)" in "\n".join(said)
    checks = subprocess.run(["sha256sum", "--check", "sha256sums"], cwd=directory, check=False, capture_output=True)
    assert checks.returncode == 0
    before = calls.read_text()
    assert build(sample, said.append) == directory
    assert calls.read_text() == before
    assert said[-1] == "tool v1.0.0: compiled before"


@pytest.mark.parametrize("changed", ["go.mod", "go.sum", "tool/main.go"])
def test_a_changed_source_is_another_program(sample: Target, changed: str) -> None:
    before = sample.digest()
    (sample.module / changed).write_text("changed")
    assert sample.digest() != before


def test_other_flags_are_another_program(sample: Target) -> None:
    assert dataclasses.replace(sample, variables={"main.version": "v2"}).digest() != sample.digest()


def test_failure_shows_the_compiler_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Target, own_cache: Path
) -> None:
    fake_go(tmp_path, monkeypatch, behaviour="echo 'tool/main.go:3:1: undefined: x' >&2; exit 1")
    with pytest.raises(LabError, match=r"tool v1.0.0 does not compile.*\n.*undefined: x"):
        build(sample, lambda _: None)
    assert [path.name for path in (own_cache / "binaries").iterdir()] == [".tool.lock"]
    with pytest.raises(LabError, match="not compiled"):
        program(sample)


def test_what_a_killed_run_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Target, own_cache: Path
) -> None:
    fake_go(tmp_path, monkeypatch)
    left = own_cache / "binaries" / ".build-tool-killed" / "result"
    left.mkdir(parents=True)
    (left / "tool").write_text("half")
    directory = build(sample, lambda _: None)
    assert not left.exists()
    assert (directory / "tool").read_text() == "program\n"


@pytest.mark.parametrize("version", ["go1.19.8", "devel"])
def test_old_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Target, version: str) -> None:
    fake_go(tmp_path, monkeypatch, version=version)
    with pytest.raises(LabError, match=r"needs Go 1\.25 or newer"):
        build(sample, lambda _: None)


def test_no_compiler_is_named(monkeypatch: pytest.MonkeyPatch, sample: Target, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="install Go"):
        build(sample, lambda _: None)


def test_every_target_is_pinned() -> None:
    for one in TARGETS:
        module = (one.module / "go.mod").read_text()
        assert (one.module / "go.sum").stat().st_size > 0
        if one.name != "pause":
            assert one.version in module, f"{one.name} {one.version} is not what go.mod names"
    main = (SOURCES / "kubernetes" / "main.go").read_text()
    assert all(f'"{name}":' in main for name in KUBERNETES_PROGRAMS)


def test_unknown_target_is_refused() -> None:
    with pytest.raises(KeyError, match="kubernetes, pause, flannel, traefik"):
        target("docker")


def test_published_files_carry_their_checksums(tmp_path: Path) -> None:
    for name in ("kubernetes", "flannel"):
        directory = artifact_directory(target(name))
        directory.mkdir(parents=True)
        lines = ""
        for file in (name, f"{name}.gz"):
            (directory / file).write_text(file)
            lines += f"{hashlib.sha256(file.encode()).hexdigest()}  {file}\n"
        (directory / "sha256sums").write_text(lines)
    files = tmp_path / "files"
    written = publish(files)
    assert [str(path.relative_to(files)) for path in written] == [
        "kubernetes/v1.35.4/kubernetes.gz",
        "kubernetes/v1.35.4/sha256sums",
        "cni-plugin-flannel/v0.9.1/flannel",
        "cni-plugin-flannel/v0.9.1/sha256sums",
    ]
    assert publish(files) == []
    old = files / "kubernetes/v1.35.4/sha256sums"
    old.unlink()
    old.write_text("of another release\n")
    assert publish(files) == [old]
