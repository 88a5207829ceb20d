# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Damage to picture files: below their checksums, in their structure, and anywhere."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from random import Random

from fuzz.containers import Part, join, split

_NUMBERS = (0, 1, 2, 7, 8, 15, 16, 63, 127, 128, 255, 256, 4000, 16383, 16384, 30000, 32767, 32768, 65535, 2**31 - 1)
_INFLATED = (b"IDAT", b"fdAT")
_LONGEST = 1 << 20


def kind_of(content: bytes) -> str | None:
    """JPEG, PNG or WEBP by the first bytes."""
    signatures = {b"\xff\xd8": "JPEG", b"\x89P": "PNG", b"RI": "WEBP"}
    return signatures.get(content[:2])


def mutate(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Damage a file in one to four ways; the same random numbers make the same file."""
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        kind = kind_of(content)
        if kind is None or random.random() < 0.25:
            content = random.choice(_ANYWHERE)(content, random)
        else:
            parts = split(content) or [Part(b"", b"")]
            other = random.choice(others) if others else content
            parts = random.choice(_STRUCTURE)(parts, split(other), random)
            content = join(parts, kind)
    return content[:_LONGEST]


def _damage(data: bytes, random: Random) -> bytes:
    """Change bytes, or a whole number, at one or some places."""
    if not data:
        return bytes(random.randrange(256) for _ in range(random.randrange(9)))
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        if not changed:
            break
        at = random.randrange(len(changed))
        match random.randrange(4):
            case 0:
                changed[at] ^= 1 << random.randrange(8)
            case 1:
                changed[at] = random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, random.randrange(256)))
            case 2:
                width = random.choice((2, 4))
                number = random.choice(_NUMBERS).to_bytes(4, random.choice(("big", "little")))
                changed[at : at + width] = number[-width:] if random.random() < 0.5 else number[:width]
            case _:
                length = random.randrange(1, 1 + min(64, len(changed)))
                changed[at : at + length] = b"" if random.random() < 0.5 else changed[at : at + length] * 2
    return bytes(changed)


def _damage_part(parts: list[Part], _: list[Part], random: Random) -> list[Part]:
    at = random.randrange(len(parts))
    part = parts[at]
    if part.tail and random.random() < 0.5:
        parts[at] = Part(part.name, part.data, _damage(part.tail, random))
    else:
        parts[at] = Part(part.name, _damage(part.data, random), part.tail)
    return parts


def _damage_header(parts: list[Part], _: list[Part], random: Random) -> list[Part]:
    """The part that names the picture's size, depth and colours."""
    headers = [
        at
        for at, part in enumerate(parts)
        if part.name in (b"IHDR", b"VP8X", b"VP8 ", b"VP8L") or part.name[:1] in b"\xc0\xc1\xc2\xc9\xca\xda"
    ]
    at = random.choice(headers or [0])
    part = parts[at]
    parts[at] = Part(part.name, _damage(part.data[:32], random) + part.data[32:], part.tail)
    return parts


def _damage_inflated(parts: list[Part], _: list[Part], random: Random) -> list[Part]:
    """What a PNG's pixels, texts or profile are before compression."""
    places = [at for at, part in enumerate(parts) if part.name in (*_INFLATED, b"iCCP", b"zTXt")]
    if not places:
        return _damage_part(parts, [], random)
    at = random.choice(places)
    part = parts[at]
    start = 0 if part.name in _INFLATED else part.data.find(b"\0") + 2
    try:
        data = zlib.decompress(part.data[start:])
    except zlib.error:
        return _damage_part(parts, [], random)
    data = data * random.choice((2, 50)) if random.random() < 0.1 else _damage(data, random)
    parts[at] = Part(part.name, part.data[:start] + zlib.compress(data[: 8 * _LONGEST], 1))
    return parts


def _reorder(parts: list[Part], others: list[Part], random: Random) -> list[Part]:
    at, to = random.randrange(len(parts)), random.randrange(len(parts))
    match random.randrange(5):
        case 0:
            del parts[at]
        case 1:
            parts[to:to] = [parts[at]] * random.choice((1, 1, 2, 100))
        case 2:
            parts[at], parts[to] = parts[to], parts[at]
        case 3 if others:
            parts.insert(to, random.choice(others))
        case _:
            name = random.choice(others).name if others else b""
            parts[at] = Part(
                name if len(name) == len(parts[at].name) else parts[at].name, parts[at].data, parts[at].tail
            )
    return parts or [Part(b"", b"")]


def _anywhere(content: bytes, random: Random) -> bytes:
    return _damage(content, random)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _append(content: bytes, random: Random) -> bytes:
    return content + random.choice((content, b"<script>", b"PK\x03\x04", b"\xff\xd9", b"\0" * 5000))


_ANYWHERE: tuple[Callable[[bytes, Random], bytes], ...] = (_anywhere, _anywhere, _cut, _append)
_STRUCTURE: tuple[Callable[[list[Part], list[Part], Random], list[Part]], ...] = (
    _damage_part,
    _damage_part,
    _damage_header,
    _damage_header,
    _damage_inflated,
    _reorder,
)
