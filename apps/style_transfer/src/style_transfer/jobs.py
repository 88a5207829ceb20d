# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of a job, and what keeps such records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class JobRecord:
    """One finished job. Nothing in it says who sent the photo.

    :ivar id: made by the service, so that writing a record twice is writing it once.
    :ivar origin: ``painted``, or ``stored`` when the result was at hand.
    :ivar width: pixels of the result, as ``height``.
    """

    id: UUID
    result_id: str
    region: str
    created_at: datetime
    origin: str
    styles: str
    size: int
    strength: float
    preserve_color: bool
    media_type: str
    width: int
    height: int
    input_bytes: int
    output_bytes: int
    duration_ms: float

    def document(self) -> dict[str, object]:
        """Return the record as /v1/jobs/{id} shows it."""
        content: dict[str, object] = asdict(self)
        content["id"] = str(self.id)
        content["created_at"] = self.created_at.isoformat()
        content["result"] = f"/results/{self.result_id}"
        return content


class StoreUnavailable(Exception):
    """The database did not take or give a record; trying again later may work."""


class JobStore(Protocol):
    """A database of records. Every method raises StoreUnavailable when the database cannot be had."""

    name: str

    async def open(self) -> None: ...

    async def write(self, records: Sequence[JobRecord]) -> None:
        """Write the records; those already there are left as they are."""

    async def read(self, job_id: UUID) -> JobRecord | None: ...

    async def close(self) -> None: ...
