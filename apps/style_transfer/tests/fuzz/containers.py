# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""JPEG, PNG and WebP files as lists of named parts, to take them apart and put them together again.

Putting together computes lengths and checksums, so that damage inside a part reaches the decoder behind them.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA


@dataclass(frozen=True)
class Part:
    """A chunk or segment: its name, its content, and for a JPEG's scan the coded data that follow it."""

    name: bytes
    data: bytes
    tail: bytes = b""


def split(content: bytes) -> list[Part]:
    """Take a file apart; what cannot be understood is one part without a name."""
    if content.startswith(b"\xff\xd8"):
        return _split_jpeg(content)
    if content.startswith(PNG_SIGNATURE):
        return _split_chunks(content[8:], ">", name_first=False, trailer=4, pad=1)
    if content[:4] == b"RIFF":
        return _split_chunks(content[12:], "<", name_first=True, trailer=0, pad=2)
    return [Part(b"", content)]


def join(parts: list[Part], kind: str) -> bytes:
    """Put a file of kind JPEG, PNG or WEBP together."""
    if kind == "JPEG":
        return b"\xff\xd8" + b"".join(map(_segment, parts))
    if kind == "PNG":
        return PNG_SIGNATURE + b"".join(map(_png_chunk, parts))
    body = b"WEBP" + b"".join(map(_riff_chunk, parts))
    return b"RIFF" + struct.pack("<I", len(body) & 0xFFFFFFFF) + body


def _segment(part: Part) -> bytes:
    if not part.name:
        return part.data
    if part.name[0] == EOI:
        return b"\xff\xd9" + part.tail
    return b"\xff" + part.name + struct.pack(">H", (len(part.data) + 2) & 0xFFFF) + part.data + part.tail


def _png_chunk(part: Part) -> bytes:
    if len(part.name) != 4:
        return part.data
    return (
        struct.pack(">I", len(part.data)) + part.name + part.data + struct.pack(">I", zlib.crc32(part.name + part.data))
    )


def _riff_chunk(part: Part) -> bytes:
    if len(part.name) != 4:
        return part.data
    return part.name + struct.pack("<I", len(part.data)) + part.data + b"\0" * (len(part.data) % 2)


def _split_jpeg(content: bytes) -> list[Part]:
    parts: list[Part] = []
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == EOI:
            parts.append(Part(b"\xd9", b"", content[at + 2 :]))
            return parts
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        following = end
        if marker == SOS:
            while following < len(content) - 1 and not (
                content[following] == 0xFF and content[following + 1] not in (0, *range(0xD0, 0xD8))
            ):
                following += 1
        parts.append(Part(bytes([marker]), content[at + 4 : end], content[end:following]))
        at = max(following, at + 2)
    if content[at : at + 2] == b"\xff\xd9":
        return [*parts, Part(b"\xd9", b"")]
    return [*parts, Part(b"", content[at:])]


def _split_chunks(content: bytes, order: str, *, name_first: bool, trailer: int, pad: int) -> list[Part]:
    parts: list[Part] = []
    at = 0
    while at + 8 <= len(content):
        head = content[at : at + 8]
        name, length = (head[:4], head[4:]) if name_first else (head[4:], head[:4])
        size = struct.unpack(f"{order}I", length)[0]
        parts.append(Part(name, content[at + 8 : at + 8 + size]))
        at += 8 + size + trailer + size % pad
    if at < len(content):
        parts.append(Part(b"", content[at:]))
    return parts
