# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scans of a JPEG, counted without decoding it: they decide what decoding costs.

A picture that comes in several scans, progressive or not, is decoded whole before its first pixel is there, and each
scan runs over all of it, however few bytes it has.
"""

from __future__ import annotations

import re

_SOS, _EOI = 0xDA, 0xD9
#: Frames: baseline, extended, progressive, lossless and their kin; C4, C8 and CC are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
#: Within coded data FF is followed by 0 or the number of a restart; FF before FF is padding.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def count_scans(content: bytes) -> tuple[int, bool]:
    """Return the number of scans up to the picture's end, and whether they are more than one or may be.

    What follows the end is not looked at: phones put a second picture or a film there.
    """
    components, scans, several = 0, 0, False
    at = 2
    while (found := _MARKER.search(content, at)) is not None:
        marker = content[found.start() + 1]
        at = found.end()
        if marker == _EOI:
            break
        if marker in _WITHOUT_LENGTH:
            continue
        data = content[at + 2 : at + 8]
        if marker in _FRAMES:
            components = data[5] if len(data) > 5 else 0
            several |= marker not in (0xC0, 0xC1)
        if marker == _SOS:
            scans += 1
            several |= scans > 1 or (data[0] if data else 0) < components
        at += int.from_bytes(content[at : at + 2], "big")
    return scans, several
