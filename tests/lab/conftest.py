"""The lab that stands, for the end-to-end tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from road import PHOTO, Lab, Playbook


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the second run right after the first; skip the lab's tests without root, but not in CI, with the reason."""
    items.sort(key=lambda item: item.name != "test_second_run_changes_nothing")
    if os.geteuid() == 0 or os.environ.get("CI"):
        return
    skip = pytest.mark.skip(reason="the lab needs root (network namespaces, cgroups, mounts)")
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Give the lab that stands; every cut that a test made is healed at the end."""
    handle = Lab()
    status = handle.run("status", check=False)
    if status.returncode != 0:
        pytest.fail(f"the lab does not stand; `make demo` brings it up: {status.stdout}{status.stderr}")
    if not PHOTO.exists():
        pytest.fail("there is no photo to send; `make demo` makes it")
    yield handle
    handle.run("heal", check=False)


@pytest.fixture
def playbook() -> Playbook:
    """Give the command that runs a playbook on the lab's inventory."""
    return Playbook()


@pytest.fixture
def hanging_server() -> Iterator[str]:
    """Give the URL of a server on loopback that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
