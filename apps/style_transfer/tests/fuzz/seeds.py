# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small files made of real photos, in every shape that the decoders of the three formats know."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import skimage
from fuzz.containers import Part, join, split
from PIL import Image, ImageCms, PngImagePlugin

PHOTOS = Path(skimage.__file__).parent / "data"
SIDES = (96, 64)
#: First column, first row, and the steps between them, of each pass over an interlaced PNG.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def make_seeds() -> dict[str, bytes]:
    """The corpus by name, the same on every call."""
    photo = Image.open(PHOTOS / "coffee.png").convert("RGB").resize(SIDES, Image.Resampling.LANCZOS)
    seeds = {**_jpegs(photo), **_pngs(photo), **_webps(photo), **_others(photo)}
    return seeds | {"form": _form(seeds["jpeg-baseline"])}


def _form(photo: bytes) -> bytes:
    """A form as browsers send it, with the boundary that the target expects."""
    head = b'--fuzz\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
    file = head % (b"photo", b'; filename="a.jpg"\r\nContent-Type: image/jpeg')
    return head % (b"styles", b"") + b"5:1\r\n" + file + photo + b"\r\n--fuzz--\r\n"


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    return exif


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB", 5000)).tobytes()


def _wide_profile() -> bytes:
    """A profile of another RGB space: sRGB's with its name taken out and two of its colours swapped."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"sRGB", b"wide")
    return plain.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


def _jpegs(photo: Image.Image) -> dict[str, bytes]:
    baseline = _save(photo, "JPEG", quality=80)
    frames = {
        "baseline": baseline,
        "fine": _save(photo, "JPEG", quality=95, subsampling=0),
        "progressive": _save(photo, "JPEG", progressive=True),
        "grey": _save(photo.convert("L"), "JPEG"),
        "cmyk": _save(photo.convert("CMYK"), "JPEG"),
        "restarts": _save(photo, "JPEG", restart_marker_blocks=2),
        "exif": _save(photo, "JPEG", exif=_exif(), comment="a comment"),
        "profile": _save(photo, "JPEG", icc_profile=_wide_profile()),
        "strange-profile": _save(photo, "JPEG", icc_profile=_profile()),
        "multi-picture": _save(photo, "MPO", save_all=True, append_images=[photo.rotate(90)]),
    }
    frames["twice"] = baseline + baseline
    frames["scan-repeated"] = join(
        [part for part in split(baseline) for _ in range(2 if part.name == b"\xda" else 1)], "JPEG"
    )
    return {f"jpeg-{name}": content for name, content in frames.items()}


def _pngs(photo: Image.Image) -> dict[str, bytes]:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "words " * 50, zip=True)
    text.add_itxt("Title", "words", "en", "Titel", zip=True)
    deep = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    faded = photo.copy()
    faded.putalpha(photo.convert("L"))
    frames = {
        "colour": _save(photo, "PNG"),
        "alpha": _save(faded, "PNG"),
        "grey-alpha": _save(faded.convert("LA"), "PNG"),
        "palette": _save(photo.quantize(16), "PNG", bits=4),
        "palette-transparent": _save(photo.quantize(200), "PNG", transparency=bytes(range(200))),
        "colour-transparent": _save(photo, "PNG", transparency=(1, 2, 3)),
        "one-bit": _save(photo.convert("1"), "PNG"),
        "sixteen-bit": _save(deep, "PNG"),
        "profile": _save(photo, "PNG", icc_profile=_wide_profile()),
        "text": _save(photo, "PNG", pnginfo=text, exif=_exif()),
        "animated": _save(photo, "PNG", save_all=True, append_images=[photo.rotate(180)], duration=40),
    }
    for depth, colour, interlaced in ((16, 2, 0), (16, 6, 0), (16, 4, 0), (2, 0, 0), (4, 0, 0), (8, 2, 1), (16, 6, 1)):
        frames[f"depth-{depth}-colour-{colour}-interlaced-{interlaced}"] = _raw_png(photo, depth, colour, interlaced)
    return {f"png-{name}": content for name, content in frames.items()}


def _raw_png(photo: Image.Image, depth: int, colour: int, interlaced: int) -> bytes:
    """A PNG of a kind that Pillow does not write; its samples are the photo's bytes in the order in which they come."""
    width, height = photo.size
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    samples = itertools.cycle(photo.tobytes())
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = bytearray()
    for left, top, across, down in passes:
        length = (-(-(width - left) // across) * channels * depth + 7) // 8
        for _ in range(top, height, down):
            rows += bytes([0, *itertools.islice(samples, length)])
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return join([Part(b"IHDR", header), Part(b"IDAT", zlib.compress(bytes(rows))), Part(b"IEND", b"")], "PNG")


def _webps(photo: Image.Image) -> dict[str, bytes]:
    faded = photo.copy()
    faded.putalpha(photo.convert("L"))
    frames = {
        "lossy": _save(photo, "WEBP", quality=60),
        "lossless": _save(photo, "WEBP", lossless=True),
        "alpha": _save(faded, "WEBP", quality=60),
        "alpha-lossless": _save(faded, "WEBP", lossless=True),
        "extended": _save(photo, "WEBP", exif=_exif(), icc_profile=_wide_profile(), xmp=b"<x/>"),
        "animated": _save(photo, "WEBP", save_all=True, append_images=[photo.rotate(180)], duration=40),
    }
    return {f"webp-{name}": content for name, content in frames.items()}


def _others(photo: Image.Image) -> dict[str, bytes]:
    kinds = ("GIF", "BMP", "TIFF", "PPM", "ICO")
    return {f"other-{kind.lower()}": _save(photo, kind) for kind in kinds} | {"other-empty": b""}
