# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""This copy's part of the region's store of results: the newest ones in memory, by their content's name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from style_transfer.painting import Painting


class ResultStore:
    """Keeps paintings up to a number of bytes, the least recently used ones leave first."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._paintings: OrderedDict[str, Painting] = OrderedDict()
        self.stored_bytes = 0

    def get(self, result_id: str) -> Painting | None:
        painting = self._paintings.get(result_id)
        if painting is not None:
            self._paintings.move_to_end(result_id)
        return painting

    def put(self, result_id: str, painting: Painting) -> None:
        size = len(painting.content)
        if size > self._capacity or result_id in self._paintings:
            return
        self._paintings[result_id] = painting
        self.stored_bytes += size
        while self.stored_bytes > self._capacity:
            _, oldest = self._paintings.popitem(last=False)
            self.stored_bytes -= len(oldest.content)

    def newest(self) -> Iterator[tuple[str, Painting]]:
        """What is here now, the most recently used ones first."""
        yield from reversed(list(self._paintings.items()))
