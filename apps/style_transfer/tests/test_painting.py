# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the options of a painting mean, and what the service runs it on."""

from __future__ import annotations

import io
import os
from importlib import resources

import numpy as np
import psutil
import pytest
from conftest import encoded, pixels
from PIL import Image
from style_transfer.engine import Engine
from style_transfer.painting import Wish, paint
from style_transfer.photos import decode_photo
from style_transfer.settings import read_settings
from style_transfer.styles import STYLE_COUNT, STYLES, parse_styles, style_vector


@pytest.fixture(scope="module")
def photo(coffee: Image.Image) -> bytes:
    return encoded(coffee.resize((240, 160)), "PNG")


def painted(engine: Engine, photo: bytes, **wish: object) -> np.ndarray:
    return pixels(paint(engine, photo, Wish(size=256, format="png", **wish)).content)  # type: ignore[arg-type]


def planes(picture: np.ndarray) -> np.ndarray:
    """Brightness and the two differences of colour."""
    return np.asarray(Image.fromarray(picture).convert("YCbCr")).astype(int)


def test_a_blend_is_the_network_at_the_weighted_mean_of_the_styles(engine: Engine, photo: bytes) -> None:
    weights = parse_styles("5:1.4,11:0.6")
    assert weights == {5: 0.7, 11: 0.3}
    vector = np.zeros(STYLE_COUNT, np.float32)
    vector[[5, 11]] = 0.7, 0.3
    assert np.allclose(style_vector(weights), vector)
    blend = painted(engine, photo, styles=weights)
    assert (blend == engine.stylize(decode_photo(photo, 256).pixels, vector)).all()
    alone = [painted(engine, photo, styles={number: 1.0}) for number in (5, 11)]
    near, far = (np.abs(blend.astype(int) - other).mean() for other in alone)
    # Between the two, and nearer to the one with more weight.
    assert 1 < near < far < np.abs(alone[0].astype(int) - alone[1]).mean()


@pytest.mark.parametrize("strength", [0.25, 0.6])
def test_strength_mixes_with_the_photo_pixel_by_pixel(strength: float, engine: Engine, photo: bytes) -> None:
    full = painted(engine, photo, strength=1.0)
    mixed = (1 - strength) * pixels(photo) + strength * full.astype(float)
    assert np.abs(painted(engine, photo, strength=strength) - mixed).max() <= 1
    assert (painted(engine, photo, strength=0.0) == pixels(photo)).all()


def test_preserve_color_takes_brightness_from_the_painting_and_colour_from_the_photo(
    engine: Engine, photo: bytes
) -> None:
    kept, full, original = painted(engine, photo, preserve_color=True), painted(engine, photo), pixels(photo)
    # Where the photo's colour does not exist at the painting's brightness, it is cut to what does.
    inside = ((kept > 0) & (kept < 255)).all(axis=2)
    assert inside.mean() > 0.5
    apart = np.abs(planes(kept) - np.stack([planes(full)[..., 0], *planes(original)[..., 1:].transpose(2, 0, 1)], 2))
    assert apart[inside].max() <= 2
    assert np.abs(planes(full) - planes(original))[..., 1:].mean() > 5


def test_an_inference_runs_on_the_thread_that_asks_for_it(coffee: Image.Image) -> None:
    before = psutil.Process().num_threads()
    Engine().stylize(np.asarray(coffee.resize((64, 64))), style_vector({5: 1.0}))
    assert psutil.Process().num_threads() == before


def test_there_is_a_worker_for_each_core_that_the_process_may_use() -> None:
    assert read_settings({}).worker_count == len(os.sched_getaffinity(0))
    assert read_settings({"STYLE_TRANSFER_WORKERS": "3"}).worker_count == 3


def test_styles_have_names_of_our_own_and_a_thumbnail_each() -> None:
    assert [style.number for style in STYLES] == list(range(STYLE_COUNT))
    names = {style.name.lower() for style in STYLES}
    assert len(names) == STYLE_COUNT
    painters = ("gogh", "monet", "munch", "picasso", "hokusai", "kandinsky", "klimt", "matisse", "mondrian", "picabia")
    said = " ".join(f"{style.name} {style.description}".lower() for style in STYLES)
    assert not [painter for painter in painters if painter in said]
    folder = resources.files("style_transfer") / "assets" / "styles"
    contents = [(folder / f"{style.number:02d}.webp").read_bytes() for style in STYLES]
    contents.append((folder / "original.webp").read_bytes())
    assert len(set(contents)) == STYLE_COUNT + 1
    assert {Image.open(io.BytesIO(content)).size for content in contents} == {(192, 144)}
