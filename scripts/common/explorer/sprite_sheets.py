"""Sprite sheets, each a picture that holds many small images, as data URLs for the explorer."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from itertools import islice

import numpy as np
from PIL import Image
from skimage.transform import resize

SHEET = 1024  # pixels: the largest side of a sheet; the browser decodes only the sheets that it shows
LEVELS = 16  # of a gray image
TILE = (16, 64)  # pixels: the longest side that an image may keep in a sheet, if there are many images, and if few
PIXELS = 64e6  # the approximate number of pixels of all images together, within the limits of TILE
QUALITY = 85  # of color images, as JPEG


def choose_tile_size(height: int, width: int, count: int) -> tuple[int, int]:
    """Return the height and width of each of `count` images in a sheet: their own, or smaller in proportion."""
    side = np.clip(np.sqrt(PIXELS / max(count, 1)), *TILE)
    scale = min(1, side / max(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def encode_sheet(sheet: np.ndarray) -> str:
    """Return a sheet (height, width, 1 or 3) with values in [0, 1] as a data URL.

    One channel becomes a lossless WebP of 16 levels of gray. It takes half the space of 256 levels, and in an image
    this small no one sees the difference. Three channels become a JPEG.
    """
    stored = BytesIO()
    if sheet.shape[2] == 1:
        levels = np.rint(sheet[:, :, 0] * (LEVELS - 1)).astype(np.uint8)
        kind = "webp"
        Image.fromarray(levels * (255 // (LEVELS - 1))).convert("RGB").save(stored, kind, lossless=True)
    else:
        # The data set holds k / 256 for the byte k.
        picture = Image.fromarray(np.minimum(np.rint(sheet * 256), 255).astype(np.uint8))
        kind = "jpeg"
        picture.save(stored, kind, optimize=True, quality=QUALITY, subsampling=0)
    return f"data:image/{kind};base64,{b64encode(stored.getvalue()).decode()}"


def make_sprite_sheets(images: Sequence[np.ndarray]) -> tuple[int, tuple[int, int], list[str]]:
    """Pack images into square sheets, and return the images per row, their height and width, and the sheets.

    `images` are arrays (n, height, width, 1 or 3) with values in [0, 1], packed one array after the other.
    """
    count, (*shape, channels) = sum(map(len, images)), images[0].shape[1:]
    height, width = choose_tile_size(*shape, count)
    side = max(1, SHEET // max(height, width))
    rows = (row for part in images for row in part)
    sheets = []
    for start in range(0, count, side**2):
        tiles = np.zeros((side**2, height, width, channels), np.float32)
        for tile, row in zip(tiles, islice(rows, min(side**2, count - start)), strict=False):
            tile[:] = row if [height, width] == shape else resize(row, (height, width), anti_aliasing=True)
        sheet = tiles.reshape(side, side, height, width, channels).swapaxes(1, 2)
        sheets.append(encode_sheet(sheet.reshape(side * height, side * width, channels)))
    return side, (height, width), sheets
