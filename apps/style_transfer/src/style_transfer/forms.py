# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A photo in a multipart form, as a browser or ``curl -F`` sends it, read from memory."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from style_transfer.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PHOTO_FIELD = "photo"
MAX_FIELDS = 16
MAX_FIELD_BYTES = 1024


def read_form(content_type: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the photo and the other fields. Raises Problem 422 when the form is broken or has no photo."""
    _, options = parse_options_header(content_type.encode())
    boundary = options.get(b"boundary")
    if not boundary or len(boundary) > 200:
        raise _refuse("its Content-Type names no boundary")
    parts = _PartCollector()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _refuse(f"it cannot be read ({error})") from None
    if not parts.complete:
        raise _refuse("its last part is cut off")
    photos = parts.parts.pop(PHOTO_FIELD, [])
    if len(photos) != 1:
        raise _refuse(f"it must have exactly one part named {PHOTO_FIELD!r} and has {len(photos)}")
    fields: dict[str, str] = {}
    for name, values in parts.parts.items():
        if len(values) > 1 or len(values[0]) > MAX_FIELD_BYTES:
            raise _refuse(f"its part {name[:40]!r} is given twice or is longer than {MAX_FIELD_BYTES} bytes")
        fields[name] = values[0].decode("utf-8", "replace")
    return photos[0], fields


def _refuse(reason: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "form-broken",
        f"The form is refused: {reason}. Send the photo in a part named {PHOTO_FIELD!r}, or its bytes as the body.",
    )


class _PartCollector:
    """Callbacks that put each part's bytes under its name."""

    def __init__(self) -> None:
        self.parts: dict[str, list[bytes]] = {}
        self.complete = False
        self._count = 0
        self._header_name = b""
        self._header_value = b""
        self._name: str | None = None
        self._data: list[bytes] = []

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._value,
            "on_header_end": self._header,
            "on_part_data": self._take,
            "on_part_end": self._finish,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_FIELDS:
            raise _refuse(f"it has more than {MAX_FIELDS} parts")
        self._name, self._data = None, []

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            if b"name" in options:
                self._name = options[b"name"].decode("utf-8", "replace")
        self._header_name, self._header_value = b"", b""

    def _take(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _finish(self) -> None:
        if self._name is None:
            raise _refuse("one of its parts has no name")
        self.parts.setdefault(self._name, []).append(b"".join(self._data))

    def _end(self) -> None:
        self.complete = True
