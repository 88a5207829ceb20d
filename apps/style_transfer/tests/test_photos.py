# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Photos as strangers send them."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from conftest import encoded
from fuzz.containers import Part, join, split
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from style_transfer.photos import MAX_PARTS, decode_photo, sniff
from style_transfer.problems import Problem
from style_transfer.structure import jpeg_structure, png_structure


def png_header(width: int, height: int) -> bytes:
    """A PNG that only claims its size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def refused(content: bytes, size: int = 512) -> Problem:
    with pytest.raises(Problem) as caught:
        decode_photo(content, size)
    return caught.value


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_formats_decode_to_the_wanted_size(kind: str, coffee: Image.Image) -> None:
    photo = decode_photo(encoded(coffee, kind), 300)
    assert photo.pixels.shape == (200, 300, 3)
    assert (photo.original_width, photo.original_height) == coffee.size
    wanted = np.asarray(coffee.resize((300, 200), Image.Resampling.LANCZOS))
    assert np.abs(photo.pixels.astype(int) - wanted).mean() < 6


def test_a_small_photo_is_not_enlarged(coffee: Image.Image) -> None:
    assert decode_photo(encoded(coffee.resize((90, 60)), "PNG"), 1536).pixels.shape == (60, 90, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotation_by_exif_is_applied(orientation: int, coffee: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode_photo(encoded(coffee, "JPEG", exif=exif, quality=95), 300)
    upright = {
        1: coffee,
        2: coffee.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: coffee.transpose(Image.Transpose.ROTATE_180),
        4: coffee.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: coffee.transpose(Image.Transpose.TRANSPOSE),
        6: coffee.transpose(Image.Transpose.ROTATE_270),
        7: coffee.transpose(Image.Transpose.TRANSVERSE),
        8: coffee.transpose(Image.Transpose.ROTATE_90),
    }[orientation]
    wanted = np.asarray(upright.resize(photo.pixels.shape[1::-1], Image.Resampling.LANCZOS))
    assert np.abs(photo.pixels.astype(int) - wanted).mean() < 6


def test_cmyk_sixteen_bit_grey_palette_and_transparency_become_rgb(coffee: Image.Image) -> None:
    small = coffee.resize((90, 60))
    assert decode_photo(encoded(small.convert("CMYK"), "JPEG"), 300).pixels.shape == (60, 90, 3)
    deep = Image.fromarray(np.linspace(0, 65535, 90 * 60).reshape(60, 90).astype(np.uint16))
    levels = decode_photo(encoded(deep, "PNG"), 300).pixels
    assert levels[0, 0, 0] == 0 and levels[-1, -1, 0] == 255 and 120 < levels[30, 0, 0] < 135
    assert decode_photo(encoded(small.convert("L"), "PNG"), 300).pixels.shape == (60, 90, 3)
    assert decode_photo(encoded(small.convert("P"), "PNG"), 300).pixels.shape == (60, 90, 3)
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert (decode_photo(encoded(clear, "PNG"), 300).pixels == 255).all()


def test_a_colour_profile_is_converted() -> None:
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    plain = decode_photo(encoded(red, "PNG"), 300).pixels
    blue = decode_photo(encoded(red, "PNG", icc_profile=swapped), 300).pixels
    assert blue[0, 0, 2] > 200 and blue[0, 0, 0] < 60
    rubbish = encoded(red, "PNG", icc_profile=b"x" * 500)
    assert (decode_photo(rubbish, 300).pixels == plain).all()


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 1000, b"GIF89a" + b"\0" * 50, b"%PDF-1.7", b"<svg/>", b"BM" + b"\0" * 60]
)
def test_other_formats_are_415(content: bytes) -> None:
    assert refused(content).status == 415
    assert sniff(content) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_cut_off_at_any_kilobyte_is_422(kind: str, coffee: Image.Image) -> None:
    # A PNG of the whole photo has 600 kilobytes, and each cut of it decodes all that is left.
    content = encoded(coffee.resize((150, 100)) if kind == "PNG" else coffee, kind)
    for length in range(1024, len(content) - 64, 1024):
        assert refused(content[:length]).status == 422, length


def test_a_progressive_jpeg_that_is_cut_off_is_422(coffee: Image.Image) -> None:
    content = encoded(coffee, "JPEG", progressive=True)
    assert decode_photo(content, 300).pixels.shape == (200, 300, 3)
    for length in range(1024, len(content) - 64, 1024):
        assert refused(content[:length]).status == 422, length


@pytest.mark.parametrize("size", [(30000, 30000), (4000, 4000), (2**31 - 1, 1), (0, 0), (1, 2**31 - 1)])
def test_what_a_header_claims_is_judged_before_decoding(size: tuple[int, int]) -> None:
    assert refused(png_header(*size)).status in (413, 422)


def test_a_bomb_is_refused_by_its_pixels() -> None:
    bomb = encoded(Image.new("RGBA", (6000, 6000)), "PNG", compress_level=9)
    assert len(bomb) < 300_000
    problem = refused(bomb)
    assert problem.status == 413
    assert "6000 x 6000" in problem.detail


def rescanned(content: bytes, times: int) -> bytes:
    """A JPEG with its last scan as many times: a few bytes, and each makes the decoder run over the whole picture."""
    parts = split(content)
    last = max(at for at, part in enumerate(parts) if part.name == b"\xda")
    return join([*parts[:last], *[parts[last]] * times, *parts[last + 1 :]], "JPEG")


@pytest.mark.parametrize("progressive", [True, False])
def test_a_jpeg_of_very_many_scans_is_422(progressive: bool, coffee: Image.Image) -> None:
    content = encoded(coffee, "JPEG", progressive=progressive)
    assert "more than 64 scans" in refused(rescanned(content, 80)).detail


def scans_of(content: bytes) -> tuple[int, bool]:
    structure = jpeg_structure(content, MAX_PARTS)
    return structure.scans, structure.several_scans


def test_scans_are_counted_up_to_the_pictures_end(coffee: Image.Image) -> None:
    baseline, progressive = encoded(coffee, "JPEG"), encoded(coffee, "JPEG", progressive=True)
    assert scans_of(baseline) == (1, False)
    scans, several = scans_of(progressive)
    assert several and scans == sum(part.name == b"\xda" for part in split(progressive)) > 3
    assert scans_of(baseline + progressive) == (1, False)
    comment = Part(b"\xfe", b"\xff\xda" * 100)
    assert scans_of(join([comment, *split(baseline)], "JPEG")) == (1, False)
    assert scans_of(rescanned(baseline, 2)) == (2, True)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("JPEG", Part(b"\xfe", b"")),
        ("JPEG", Part(b"\xe5", b"")),
        ("PNG", Part(b"tEXt", b"a\0b")),
        ("PNG", Part(b"abCd", b"")),
    ],
)
def test_a_file_of_very_many_parts_is_422_before_a_decoder_sees_it(kind: str, part: Part, coffee: Image.Image) -> None:
    first, *rest = split(encoded(coffee, kind))
    begun = time.thread_time()
    problem = refused(join([first, *[part] * 1_000_000, *rest], kind))
    assert (problem.status, "20000 parts" in problem.detail) == (422, True)
    assert time.thread_time() - begun < 20
    decode_photo(join([first, *[part] * 1000, *rest], kind), 256)


def test_stray_bytes_before_the_first_scan_are_422(coffee: Image.Image) -> None:
    first, *rest = split(encoded(coffee, "JPEG"))
    stray = Part(b"", bytes([0, 1, 2, 3]) * 2000)
    assert "stray bytes" in refused(join([first, stray, *rest], "JPEG")).detail


def test_pngs_chunks_are_counted(coffee: Image.Image) -> None:
    content = encoded(coffee, "PNG")
    assert png_structure(content, MAX_PARTS).parts == len(split(content)) >= 3
    assert png_structure(content, 1).parts == 2


def test_a_baseline_jpeg_in_several_scans_may_have_as_few_pixels_as_a_progressive_one(coffee: Image.Image) -> None:
    content = encoded(coffee.resize((5000, 4000)), "JPEG", quality=30)
    assert decode_photo(content, 256).pixels.shape == (205, 256, 3)
    problem = refused(rescanned(content, 2))
    assert (problem.status, "may have 16 million" in problem.detail) == (413, True)


def test_a_jpeg_that_looks_otherwise_to_its_decoder_is_422(monkeypatch: pytest.MonkeyPatch, rocket: bytes) -> None:
    monkeypatch.setattr("simplejpeg.decode_jpeg_header", lambda content: (30000, 30000, "RGB", "420"))
    assert "30000 x 30000" in refused(rocket).detail


def test_animations_are_422(coffee: Image.Image) -> None:
    frames = [coffee.resize((60, 40)), coffee.resize((60, 40)).transpose(Image.Transpose.ROTATE_180)]
    for kind in ("WEBP", "PNG"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert "animation" in refused(content).detail


def test_a_strip_that_would_vanish_is_422() -> None:
    problem = refused(encoded(Image.new("RGB", (3000, 20)), "PNG"))
    assert problem.code == "photo-too-narrow"
    assert "512 x 3" in problem.detail


def test_a_polyglot_is_taken_as_the_picture_that_it_is(rocket: bytes) -> None:
    script = b"<script>alert(1)</script>PK\x03\x04"
    assert (decode_photo(rocket + script, 300).pixels == decode_photo(rocket, 300).pixels).all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_photos_are_decoded_or_refused_and_nothing_else(data: st.DataObject, coffee: Image.Image) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    content = bytearray(encoded(coffee.resize((96, 64)), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        shape = decode_photo(bytes(content[:cut]), 256).pixels.shape
    except Problem as problem:
        assert problem.status in (413, 415, 422)
    else:
        assert shape[2] == 3 and max(shape[:2]) <= 256


def test_nothing_of_the_metadata_is_left(rocket: bytes) -> None:
    from style_transfer.painting import encode

    exif = Image.Exif()
    exif[0x010E] = "secret place"
    photo = decode_photo(encoded(Image.open(io.BytesIO(rocket)), "JPEG", exif=exif), 300)
    for kind in ("jpeg", "png", "webp"):
        assert b"secret place" not in encode(photo.pixels, kind, 90)
