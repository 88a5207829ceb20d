# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Paint one small drawn landscape in every style, so that a person can pick a style by its picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from model_build.exact import ExactNetwork
from model_build.graph import STYLE_COUNT, FloatArray

#: Painted at twice the shown size: strokes are as wide as in a large picture.
PAINTED = (384, 288)
SHOWN = (192, 144)


def landscape() -> npt.NDArray[np.uint8]:
    """Draw a lake between hills under a low sun: large shapes, fine texture, dark and light. uint8 (288, 384, 3)."""
    width, height = PAINTED
    rows = np.linspace(0, 1, height)[:, None, None]
    sky = (1 - rows) * np.array([70, 120, 190.0]) + rows * np.array([250, 200, 140.0])
    picture = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((250, 60, 306, 116), fill=(255, 240, 190))
    draw.polygon(
        [(0, 170), (70, 90), (130, 150), (210, 70), (300, 160), (384, 120), (384, 190), (0, 190)], (90, 100, 130)
    )
    draw.polygon([(0, 190), (90, 150), (180, 186), (290, 156), (384, 184), (384, 200), (0, 200)], (60, 110, 70))
    draw.rectangle((0, 196, width, height), fill=(70, 120, 150))
    for row in range(200, height, 6):
        reach = 12 + (row - 200) // 2
        draw.line((278 - reach, row, 278 + reach, row), fill=(250, 220, 160), width=2)
    draw.polygon([(0, 236), (120, 250), (180, height), (0, height)], (60, 80, 40))
    draw.rectangle((52, 130, 64, 250), fill=(70, 48, 36))
    for x, y, radius in ((58, 108, 40), (32, 132, 28), (86, 128, 30)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(50, 110, 50))
    draw.polygon([(190, 236), (250, 236), (238, 250), (202, 250)], (150, 50, 40))
    draw.polygon([(220, 176), (220, 230), (254, 230)], (245, 240, 230))
    noise = np.random.Generator(np.random.PCG64(7)).normal(0, 9, (height, width, 1))
    softened = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7)), np.float64)
    return np.clip(softened + noise, 0, 255).astype(np.uint8)


def write_thumbnails(weights: Mapping[str, FloatArray], folder: Path) -> None:
    """Write ``00.webp`` to ``25.webp`` and ``original.webp`` into ``folder``; the same bytes on every processor."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = landscape()
    _save(picture, folder / "original.webp")
    network = ExactNetwork(weights, picture)
    for number in range(STYLE_COUNT):
        _save(network.paint(number), folder / f"{number:02d}.webp")


def _save(picture: npt.NDArray[np.uint8], path: Path) -> None:
    small = Image.fromarray(picture).resize(SHOWN, Image.Resampling.LANCZOS)
    small.save(path, "WEBP", quality=78, method=6)
