"""Who a node is: kept in its store, so that it comes back as the same node."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cockroach_standin import StandInError


@dataclass(frozen=True)
class Identity:
    """The cluster a node belongs to and the node that keeps the data.

    :ivar primary: host and SQL port of the node with PostgreSQL.
    :ivar is_primary: whether this node is it.
    """

    cluster_id: str
    primary: str
    is_primary: bool


def load(store: Path) -> Identity | None:
    """Read a store's identity; None when it never joined a cluster."""
    path = store / "identity.json"
    if not path.exists():
        return None
    try:
        return Identity(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise StandInError(f"{path} is damaged ({error}): remove the store of this node to let it join anew") from error


def save(store: Path, identity: Identity) -> None:
    """Write the identity so that a crash leaves the old one or the new one."""
    temporary = store / ".identity.json"
    with temporary.open("w") as file:
        json.dump(asdict(identity), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(store / "identity.json")
