"""Machines: their own sysctls and cgroups, power loss, reboot, the door that checks who knocks."""

from __future__ import annotations

import time

import pytest
from conftest import SmallLab


@pytest.fixture(autouse=True, scope="module")
def calm_sea(small: SmallLab) -> None:
    """These tests are about machines: an ssh over an ocean takes 13 round trips."""
    for pair in (("ru", "sg"), ("ru", "au"), ("sg", "au")):
        small.lab("rtt", *pair, "2")


def wait_for_ssh(small: SmallLab, node: str, script: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        code, output = small.sandbox.run(*small.command("ssh", node, "--", f"sudo sh -c '{script}'"))
        if code == 0:
            return output
        assert time.monotonic() < deadline, output
        time.sleep(0.5)


def test_a_machine_runs_without_failed_units(small: SmallLab) -> None:
    for node in ("devfest-ru-01", "devfest-sg-01", "devfest-au-01"):
        assert small.on(node, "systemctl is-system-running --wait").strip() == "running"
        assert small.on(node, "hostname").strip() == node


def test_what_a_machine_writes_to_host_wide_sysctls_stays_in_it(small: SmallLab) -> None:
    keys = ("vm/overcommit_memory", "kernel/panic", "fs/inotify/max_user_instances", "net/netfilter/nf_conntrack_max")
    before = [small.sandbox.run("cat", f"/proc/sys/{key}")[1] for key in keys]
    for key in keys:
        value = small.on("devfest-ru-01", f"echo 4321 > /proc/sys/{key}; cat /proc/sys/{key}")
        assert value.strip() == "4321"
        assert "4321" not in small.on("devfest-sg-01", f"cat /proc/sys/{key}")
    assert [small.sandbox.run("cat", f"/proc/sys/{key}")[1] for key in keys] == before
    refused = small.on("devfest-ru-01", "echo 1 > /proc/sys/kernel/sysrq || echo refused")
    assert "refused" in refused


def test_sysctls_of_the_network_are_the_machines_own_and_come_back_at_boot(small: SmallLab) -> None:
    small.on("devfest-sg-01", "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/99-forward.conf")
    assert small.on("devfest-sg-01", "cat /proc/sys/net/ipv4/ip_forward").strip() == "0"
    small.lab("crash", "devfest-sg-01")
    small.lab("start", "devfest-sg-01")
    assert small.on("devfest-sg-01", "cat /proc/sys/net/ipv4/ip_forward").strip() == "1"


def test_a_kubelet_could_make_its_cgroups(small: SmallLab) -> None:
    for controller in ("memory", "cpu", "pids", "cpuset"):
        small.on("devfest-au-01", f"mkdir /sys/fs/cgroup/{controller}/trial && rmdir /sys/fs/cgroup/{controller}/trial")
    # What runc does for a container with a limit.
    output = small.on(
        "devfest-au-01",
        "cd /sys/fs/cgroup/memory && mkdir trial && echo 32M > trial/memory.limit_in_bytes && "
        'sh -c "echo \\$\\$ > trial/cgroup.procs; exec python3 -c \\"len(chr(120) * (96 << 20))\\""; echo ended $?; '
        "rmdir trial",
    )
    assert "ended 137" in output


def test_overlays_work_where_containerd_needs_them(small: SmallLab) -> None:
    output = small.on(
        "devfest-au-01",
        "cd /var/lib/containerd && mkdir -p t/lower t/upper t/work t/merged && echo low > t/lower/file && "
        "mount -t overlay o -o lowerdir=t/lower,upperdir=t/upper,workdir=t/work t/merged && cat t/merged/file && "
        "umount t/merged && rm -r t",
    )
    assert output.strip() == "low"


def test_a_crash_is_a_power_loss_and_disks_survive_it(small: SmallLab) -> None:
    small.on("devfest-au-01", "echo kept > /etc/kept; echo kept > /var/lib/etcd/kept; echo lost > /run/lost; sync")
    small.lab("crash", "devfest-au-01")
    assert "OFF" in small.lab("status", code=1)
    assert small.round_trips("geokube-node-devfest-ru-01", "198.51.100.10", 1) == []
    assert "devfest-au-01 up to ssh" in small.lab("start", "devfest-au-01")
    output = small.on("devfest-au-01", "cat /etc/kept /var/lib/etcd/kept; test -e /run/lost || echo gone")
    assert output.split() == ["kept", "kept", "gone"]
    small.lab("start", "devfest-au-01")


def test_a_reboot_comes_back_with_a_network_and_cgroups_made_anew(small: SmallLab) -> None:
    small.on(
        "devfest-au-01",
        "ip link add cni0 type bridge; iptables -A INPUT -p udp --dport 9 -j DROP; touch /run/before; "
        "mkdir /sys/fs/cgroup/memory/kubepods",
    )
    # ssh ends with 0 or 255 when its machine goes away.
    small.sandbox.run(*small.command("ssh", "devfest-au-01", "--", "sudo systemctl reboot"))
    time.sleep(1)
    output = wait_for_ssh(small, "devfest-au-01", "test ! -e /run/before && ip -brief link && iptables-save")
    assert "eth0" in output
    assert "cni0" not in output
    assert "dport 9" not in output
    assert "absent" in small.on("devfest-au-01", "test -d /sys/fs/cgroup/memory/kubepods || echo absent")


def test_a_machine_that_switches_itself_off_stays_off_until_it_is_started(small: SmallLab) -> None:
    small.sandbox.run(*small.command("ssh", "devfest-sg-01", "--", "sudo systemctl poweroff"))
    deadline = time.monotonic() + 30
    while "devfest-sg-01    OFF" not in small.sandbox.run(*small.command("status"))[1]:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert "geokube-node-devfest-sg-01" not in small.sandbox.run("ls", "/run/netns")[1]
    assert "1 machines up to ssh" in small.lab("up")


def test_a_machine_with_another_key_is_refused(small: SmallLab) -> None:
    new_key = 'rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key'
    small.on("devfest-sg-01", f"cp -r /etc/ssh /root/ssh; {new_key}; systemctl restart ssh")
    try:
        output = small.lab("ssh", "devfest-sg-01", "--", "true", code=255)
        assert "Host key verification failed" in output
    finally:
        # The way in is closed, the machine's disk is not.
        small.sandbox.run(
            "sh",
            "-c",
            "cd /var/lib/geokube-lab/machines/devfest-sg-01/upper && cp -a root/ssh/ssh_host_ed25519_key* etc/ssh/",
        )
        small.lab("crash", "devfest-sg-01")
        small.lab("start", "devfest-sg-01")


@pytest.mark.parametrize("arguments", [("-l", "root"), ("-o", "PubkeyAuthentication=no")])
def test_nobody_else_gets_in(small: SmallLab, arguments: tuple[str, ...]) -> None:
    code, _ = small.sandbox.run(
        "ip", "netns", "exec", "geokube-controller", "ssh", "-F", "none", "-o", "BatchMode=yes", *arguments,
        "-o", "UserKnownHostsFile=/var/lib/geokube-lab/ssh/known_hosts", "-i", "/var/lib/geokube-lab/ssh/id_ed25519",
        "192.0.2.10", "true",
    )  # fmt: skip
    assert code == 255
