"""Result sets as `cockroach sql --format` prints them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

FORMATS = ("csv", "tsv", "table", "records")


@dataclass(frozen=True)
class ResultSet:
    """Rows with their columns, or only the tag of a statement that returns none."""

    tag: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = field(default_factory=list)


def text(value: object) -> str:
    """Write a value as CockroachDB does."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "t" if value else "f"
        case list() | tuple():
            return "{" + ",".join(text(item) for item in value) + "}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
    return str(value)


def render(result: ResultSet, style: str) -> str:
    """Return the set as text."""
    if not result.columns:
        return f"{result.tag}\n"
    rows = [[text(value) for value in row] for row in result.rows]
    if style in ("csv", "tsv"):
        buffer = io.StringIO()
        csv.writer(buffer, delimiter="," if style == "csv" else "\t", lineterminator="\n").writerows(
            [list(result.columns), *rows]
        )
        return buffer.getvalue()
    if style == "records":
        width = max(map(len, result.columns))
        return "".join(
            f"-[ RECORD {number} ]\n"
            + "".join(f"{name:<{width}} | {value}\n" for name, value in zip(result.columns, row, strict=True))
            for number, row in enumerate(rows, 1)
        )
    return _table(result.columns, rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    lines = [
        "  " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in (columns, *rows)
    ]
    lines.insert(1, "-" + "-+-".join("-" * (width + 1) for width in widths))
    return "\n".join([*lines, f"({len(rows)} row{'' if len(rows) == 1 else 's'})", ""])
