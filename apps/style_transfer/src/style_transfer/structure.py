# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of a picture's file, counted before a decoder sees it: they decide what decoding costs.

A JPEG that comes in several scans, progressive or not, is decoded whole before its first pixel is there, and each scan
runs over all of it, however few bytes it has. Every part before the pixels costs the reader some microseconds, and a
body has room for millions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SOS, _EOI = 0xDA, 0xD9
#: Baseline, extended, progressive, lossless and their kin; C4, C8 and CC are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
#: Within coded data FF is followed by 0 or by the number of a restart; FF before FF is padding.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True)
class Structure:
    """What a file consists of.

    :ivar parts: segments or chunks, counted up to the limit.
    :ivar stray_bytes: between the segments of a JPEG, before its first scan.
    :ivar scans: of a JPEG, up to its end: phones put a second picture or a film behind it.
    :ivar several_scans: the JPEG is progressive, or its first scan has not all of its colours.
    """

    parts: int
    stray_bytes: int = 0
    scans: int = 0
    several_scans: bool = False


def jpeg_structure(content: bytes, limit: int) -> Structure:
    """Count a JPEG's segments and scans, and go no further than the limit."""
    parts = stray = components = scans = 0
    several = False
    at = 2
    while parts <= limit and (found := _MARKER.search(content, at)) is not None:
        if not scans:
            stray += found.start() - at
        marker = content[found.start() + 1]
        at = found.end()
        parts += 1
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
    return Structure(parts, stray, scans, several)


def png_structure(content: bytes, limit: int) -> Structure:
    """Count a PNG's chunks, and go no further than the limit."""
    parts, at = 0, 8
    while parts <= limit and at < len(content):
        at += 12 + int.from_bytes(content[at : at + 4], "big")
        parts += 1
    return Structure(parts)
