# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the bytes of a photo to the bytes of a painting: what a worker thread does for one request."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import numpy as np
import simplejpeg
from PIL import Image

from style_transfer import MODEL_VERSION
from style_transfer.engine import Engine
from style_transfer.photos import Picture, decode_photo
from style_transfer.styles import format_styles, style_vector

MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True)
class Wish:
    """What a request asks for.

    ``size``: pixels of the longer side; ``strength`` 0 (the photo) to 1 (the painting); ``quality`` 1 to 100, for
    JPEG and WebP.
    """

    styles: Mapping[int, float] = field(default_factory=lambda: {5: 1.0})
    size: int = 768
    strength: float = 1.0
    preserve_color: bool = False
    format: str = "jpeg"
    quality: int = 90

    def result_id(self, photo: bytes) -> str:
        """Name the result by what determines it: 64 hexadecimal digits."""
        quality = "" if self.format == "png" else str(self.quality)
        recipe = "|".join(
            (
                MODEL_VERSION,
                format_styles(self.styles),
                str(self.size),
                f"{self.strength:.3f}",
                str(int(self.preserve_color)),
                self.format,
                quality,
            )
        )
        digest = hashlib.sha256(recipe.encode())
        digest.update(b"\0")
        digest.update(photo)
        return digest.hexdigest()


@dataclass(frozen=True)
class Painting:
    """The encoded result, its size in pixels, and the milliseconds each step took."""

    content: bytes
    media_type: str
    width: int
    height: int
    milliseconds: Mapping[str, float]


def paint(engine: Engine, photo: bytes, wish: Wish) -> Painting:
    """Decode, stylise, mix and encode. Raises Problem when the photo cannot be used."""
    marks = [("", time.perf_counter())]
    original = decode_photo(photo, wish.size).pixels
    marks.append(("decode", time.perf_counter()))
    result = original
    if wish.strength > 0:
        result = engine.stylize(original, style_vector(wish.styles))
    marks.append(("infer", time.perf_counter()))
    if wish.preserve_color:
        result = _keep_colors(result, original)
    if 0 < wish.strength < 1:
        result = np.asarray(Image.blend(Image.fromarray(original), Image.fromarray(result), wish.strength))
    content = encode(result, wish.format, wish.quality)
    marks.append(("encode", time.perf_counter()))
    steps = {name: (end - begin) * 1000 for (_, begin), (name, end) in pairwise(marks)}
    return Painting(content, MEDIA_TYPES[wish.format], result.shape[1], result.shape[0], steps)


def _keep_colors(painted: Picture, original: Picture) -> Picture:
    """Take the brightness of the painting and the colours of the photo."""
    luma = Image.fromarray(painted).convert("YCbCr").getchannel("Y")
    _, blue, red = Image.fromarray(original).convert("YCbCr").split()
    return np.asarray(Image.merge("YCbCr", (luma, blue, red)).convert("RGB"))


def encode(picture: Picture, format: str, quality: int) -> bytes:
    """Encode as jpeg, png or webp without metadata."""
    if format == "jpeg":
        pixels = np.ascontiguousarray(picture)
        return cast(bytes, simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="RGB"))
    buffer = io.BytesIO()
    if format == "png":
        Image.fromarray(picture).save(buffer, "PNG", compress_level=4)
    else:
        Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()
