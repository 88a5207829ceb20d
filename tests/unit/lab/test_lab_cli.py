"""The command line: what is the lab's and what is the guest command's; refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from geokube_lab import cli, client, commands, paths
from geokube_lab.rootfs import modules_builtin


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests, the command thinks that it is root."""
    monkeypatch.setattr("os.geteuid", lambda: 0)


def test_the_command_after_the_dashes_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(client, "run", lambda region, argv: calls.append((region, argv)))
    assert cli.main(["client", "au", "--", "curl", "-sf", "-D-", "--", "x", "--help"]) == 0
    assert calls == [("au", ["curl", "-sf", "-D-", "--", "x", "--help"])]


def test_ssh_takes_a_command_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(commands, "ssh", lambda node, argv: calls.append((node.name, argv)))
    cli.main(["ssh", "devfest-ru-01"])
    cli.main(["ssh", "devfest-ru-01", "--", "uptime", "-p"])
    assert calls == [("devfest-ru-01", []), ("devfest-ru-01", ["uptime", "-p"])]


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["client", "mars", "--", "true"], 1, "there is no region 'mars'; the regions are ru, sg, au, br"),
        (["client", "au"], 2, "say what to run"),
        (["ssh", "ru-1"], 1, "there is no node 'ru-1'"),
        (["crash", "ru"], 1, "there is no node 'ru'"),
        (["rtt", "ru", "au", "-5"], 1, "-5 ms is not between"),
        (["loss", "ru", "au", "101"], 1, "101 is not between 0 and 100"),
        (["loss", "ru", "au", "nan"], 1, "nan is not between"),
    ],
)
def test_a_wrong_call_is_refused(capsys: pytest.CaptureFixture[str], argv: list[str], code: int, message: str) -> None:
    assert cli.main(argv) == code
    assert message in capsys.readouterr().err


def test_an_option_after_the_dashes_of_a_verb_without_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["status", "--", "x"])
    assert caught.value.code == 2
    assert "takes nothing after --" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["cut", "au"], ["heal"], ["rtt", "ru", "au", "5"], ["client", "au", "--", "true"]])
def test_a_lab_that_is_down_says_so(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "RUN", tmp_path)
    monkeypatch.setattr(paths, "NETNS", tmp_path)
    monkeypatch.setattr(paths, "WAN_STATE", tmp_path / "wan.json")
    assert cli.main(argv) == 1
    assert "the lab is down; `lab/lab up` brings it up" in capsys.readouterr().err


def test_only_root_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert cli.main(["status"]) == 1
    assert "run it as root" in capsys.readouterr().err


def test_modprobe_is_told_what_the_kernel_has_built_in() -> None:
    config = "CONFIG_OVERLAY_FS=y\nCONFIG_VXLAN=m\n# CONFIG_WIREGUARD is not set\nCONFIG_NF_NAT=y\nCONFIG_OTHER=y\n"
    assert modules_builtin(config) == "kernel/net/netfilter/nf_nat.ko\nkernel/fs/overlayfs/overlay.ko\n"
