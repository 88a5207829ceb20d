# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Photos from strangers: told apart by content, measured before they are decoded, decoded within limits."""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageCms, ImageOps

from style_transfer.engine import MIN_SIDE
from style_transfer.problems import Problem
from style_transfer.structure import Structure, jpeg_structure, png_structure

Picture = npt.NDArray[np.uint8]

_alone = threading.Lock()

# Load the decoders now: Image.open would look for them in every installed plugin.
Image.preinit()
Image.init()

# Our own limits below are checked on the header, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

MEGAPIXEL = 1_000_000
#: A JPEG is decoded at a fraction of its size; one in several scans needs all its coefficients, 6 bytes a pixel.
MAX_PIXELS_JPEG = 40 * MEGAPIXEL
MAX_PIXELS_PROGRESSIVE = 16 * MEGAPIXEL
#: PNG and WebP must be decoded whole, 4 bytes a pixel.
MAX_PIXELS_WHOLE = 12 * MEGAPIXEL
#: Each scan of a JPEG runs over the whole picture: some thousand in a few kilobytes would run for minutes.
MAX_SCANS = 64
#: Segments or chunks of a file: cameras and programs write some dozen, and one for every 8 KiB of a PNG's pixels.
MAX_PARTS = 20_000
MAX_STRAY_BYTES = 4096
#: Of larger pictures that must be decoded whole only one at a time is: up to 300 MiB.
ALONE_PIXELS = 3 * MEGAPIXEL
MAX_PROFILE_BYTES = 4 << 20


@dataclass(frozen=True)
class Photo:
    """A decoded photo: upright, sRGB, (height, width, 3) uint8; and what it was before."""

    pixels: Picture
    format: str
    original_width: int
    original_height: int


def sniff(content: bytes) -> str | None:
    """Return JPEG, PNG or WEBP by the first bytes, or None."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return None


def decode_photo(content: bytes, size: int) -> Photo:
    """Decode a photo so that its longer side has at most ``size`` pixels (it is never enlarged).

    EXIF rotation is applied, colour profiles are converted to sRGB, transparency is laid over white, all metadata is
    dropped. Raises Problem 415 for another format, 413 for too many pixels, 422 for a broken or unsuitable file.
    """
    kind = sniff(content)
    if kind is None:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "format-unsupported",
            "The body is not a JPEG, PNG or WebP picture. Convert the photo to one of them and send it again."
            if content
            else "The body is empty. Send the bytes of a JPEG, PNG or WebP picture.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(content, kind, size)
    except Problem:
        raise
    except MemoryError:
        raise _broken(kind, "it needs too much memory to be decoded") from None
    except Exception as error:
        # Decoders of hostile bytes raise whatever they stumble over; each of it means the same to the sender.
        raise _broken(kind, f"it cannot be decoded ({type(error).__name__})") from error


def _decode(content: bytes, kind: str, size: int) -> Photo:
    structure = _check_structure(content, kind)
    with Image.open(io.BytesIO(content), formats=[kind]) as image, ExitStack() as turn:
        width, height = image.size
        if _check_header(image, kind, structure) and width * height > ALONE_PIXELS:
            turn.enter_context(_alone)
        orientation = image.getexif().get(0x0112, 1)
        profile = image.info.get("icc_profile")
        scale = min(1.0, size / max(width, height))
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        if min(target) < MIN_SIDE:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "photo-too-narrow",
                f"The photo has {width} x {height} pixels, which makes {target[0]} x {target[1]} at size={size}; both "
                f"sides need at least {MIN_SIDE}. Crop it, or ask for a larger size.",
            )
        if kind == "JPEG" and image.mode in ("RGB", "L"):
            _check_claim(content, width, height)
            decoded = Image.fromarray(_decode_jpeg(content, target))
        else:
            image.draft(None, target)
            image.load()
            decoded = image
        small = _resize(_eight_bit(decoded), target)
    small = _to_srgb(small, profile)
    upright = ImageOps.exif_transpose(_with_orientation(small, orientation))
    return Photo(np.asarray(upright), kind.lower(), width, height)


def _check_structure(content: bytes, kind: str) -> Structure:
    if kind == "WEBP":
        return Structure(0)
    structure = (jpeg_structure if kind == "JPEG" else png_structure)(content, MAX_PARTS)
    if structure.scans > MAX_SCANS:
        raise _broken(kind, f"it has more than {MAX_SCANS} scans; save it as a baseline JPEG")
    if structure.parts > MAX_PARTS or structure.stray_bytes > MAX_STRAY_BYTES:
        raise _broken(kind, f"it has more than {MAX_PARTS} parts, or stray bytes between them; save it anew")
    return structure


def _check_header(image: Image.Image, kind: str, structure: Structure) -> bool:
    """Refuse what should not be decoded; return whether the rest must be decoded whole."""
    width, height = image.size
    progressive = structure.several_scans
    limit = MAX_PIXELS_PROGRESSIVE if progressive else MAX_PIXELS_JPEG if kind == "JPEG" else MAX_PIXELS_WHOLE
    if width * height > limit:
        what = "a progressive JPEG" if progressive else f"a {kind} picture"
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "photo-too-many-pixels",
            f"The photo has {width} x {height} pixels; {what} may have {limit // MEGAPIXEL} million. Make it smaller: "
            "the painting has at most 1536 pixels a side anyway.",
        )
    if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise _broken(kind, "it is an animation; send a still picture")
    return kind != "JPEG" or progressive


def _check_claim(content: bytes, width: int, height: int) -> None:
    """The decoder reads the header on its own: a file made to look small to us alone is refused."""
    rows, columns, *_ = simplejpeg.decode_jpeg_header(content)
    if (columns, rows) != (width, height):
        raise _broken("JPEG", f"it claims {width} x {height} and {columns} x {rows} pixels")


def _decode_jpeg(content: bytes, target: tuple[int, int]) -> Picture:
    """Decode at the smallest eighth that still has at least the target's pixels."""
    # The decoder fills what is missing with grey, and not always with a warning.
    if content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda"):
        raise _broken("JPEG", "it ends too early: the file was cut off")
    sides = {"min_width": target[0], "min_height": target[1], "colorspace": "RGB"}
    try:
        return cast(Picture, simplejpeg.decode_jpeg(content, strict=True, **sides))
    except ValueError as error:
        reason = str(error).lower()
        if "premature end" in reason or "empty" in reason:
            raise _broken("JPEG", "it ends too early: the file was cut off") from None
        # Cameras leave stray bytes that the decoder only warns about.
        return cast(Picture, simplejpeg.decode_jpeg(content, strict=False, **sides))


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring every mode to RGB, L or CMYK of 8 bit; transparent parts become white."""
    if image.mode.startswith("I") or image.mode == "F":
        levels = np.asarray(image, np.float32)
        if image.mode == "I" and levels.max(initial=0) <= 255:
            return Image.fromarray(levels.astype(np.uint8))
        return Image.fromarray(np.clip(levels / 257 + 0.5, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image)
        return paper
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def _resize(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    if image.size == target:
        return image
    return image.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Convert from the embedded colour profile; a profile that does not fit the picture is ignored, as browsers do."""
    if isinstance(profile, bytes) and 128 <= len(profile) <= MAX_PROFILE_BYTES and b"sRGB" not in profile[:512]:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image.convert("RGB")


def _with_orientation(image: Image.Image, orientation: object) -> Image.Image:
    """Give the resized picture its camera's orientation back, for exif_transpose to undo."""
    exif = Image.Exif()
    if isinstance(orientation, int) and 1 <= orientation <= 8:
        exif[0x0112] = orientation
    image.info = {"exif": exif.tobytes()}
    return image


def _broken(kind: str, reason: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "photo-broken", f"The body starts like a {kind} picture, but {reason}."
    )
