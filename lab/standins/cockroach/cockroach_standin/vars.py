"""`/_status/vars`: the metrics that an operator of CockroachDB watches, as far as the stand-in can know them."""

from __future__ import annotations

from collections.abc import Sequence

from cockroach_standin.heartbeat import NodeRow


def expose(nodes: Sequence[NodeRow], reachable: bool) -> str:
    """Return the Prometheus text. All data counts as one range, which is unavailable when it cannot be reached."""
    live = sum(node.live and not node.decommissioned for node in nodes)
    values = (
        ("ranges", "gauge", 1),
        ("ranges_unavailable", "gauge", int(not reachable)),
        ("ranges_underreplicated", "gauge", 0),
        ("liveness_livenodes", "gauge", live),
    )
    return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, kind, value in values)
