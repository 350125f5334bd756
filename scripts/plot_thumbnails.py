"""Draw an embedding with the images themselves, each in the color of its class or in a frame of that color."""

from collections.abc import Sequence

import numpy as np
from skimage.morphology import dilation
from skimage.transform import resize

from common.figures.files import save_image
from common.figures.maps import find_frame
from common.figures.palette import class_colors
from common.figures.style import DPI
from common.inputs import load_classes, load_rows
from common.logs import run_logged

INK = 0.1  # value above which a pixel belongs to the drawing; the pixels around it stay white
SIDE = 28  # pixels, approximate longer side of a thumbnail of smaller images
MAX_SHARE = 1 / 60  # of the canvas, the longer side of a thumbnail of larger images
MIN_TINTS = 6  # of a class color, for images of one channel
OUTLINE = np.ones((1, 3, 3), np.uint8)
BLOCK = 1000  # images prepared at once
FRAME_PARTS = 14  # the frame around a color image is this part of its shorter side


def thumbnail_scale(height: int, width: int, canvas: int) -> float:
    """Return the factor that images are scaled by: small ones up by a whole number, large ones down."""
    longer, limit = max(height, width), max(SIDE, MAX_SHARE * canvas)
    return limit / longer if longer > limit else max(1, SIDE // longer)


def scale_image(image: np.ndarray, scale: float) -> np.ndarray:
    """Return an image (height, width, channels) in [0, 1] at the size that it is drawn, without its frame."""
    if scale >= 1:
        return image.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    sides = [max(1, round(side * scale)) for side in image.shape[:2]]
    return resize(image, (*sides, image.shape[2]), anti_aliasing=True)


def add_frame(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Return a color image (height, width, 3) in [0, 1] in a frame of this color, as uint8."""
    edge = max(1, round(min(image.shape[:2]) / FRAME_PARTS))
    tile = np.empty((image.shape[0] + 2 * edge, image.shape[1] + 2 * edge, 3), np.uint8)
    tile[:] = np.rint(255 * color)
    tile[edge:-edge, edge:-edge] = np.minimum(np.rint(256 * image), 255)  # bytes are k / 256
    return tile


def plot_thumbnails(
    coordinates: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    classes: int,
    palette: str | Sequence[str],
    canvas: int,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the picture (canvas, canvas) uint8, as numbers of colors, and these colors (256, 3) uint8.

    For color images, and for very many classes, return (canvas, canvas, 3) uint8 and None instead. `coordinates` are
    (n, 2), `images` (n, height, width, 1 or 3) in [0, 1], `labels` (n,) less than `classes`, which is 0 without labels.
    Frame and orientation are those of the scatter plot: x right, y up. The images are drawn in random order, so that no
    class hides another. An image of one channel is drawn in tints of its class color, as many as 256 colors allow, with
    a thin white outline that sets it off from those below. A color image keeps its colors, in a frame of its class
    color.
    """
    center, side = find_frame(coordinates)
    # of the images' centers, in pixels from the center of the canvas
    positions = (coordinates - center) / side * canvas * np.array([1, -1], coordinates.dtype)
    scale = thumbnail_scale(*images.shape[1:3], canvas)
    inks = class_colors(palette, classes)
    tints = 255 // len(inks)
    gray = images.shape[3] == 1
    colors = None
    if gray and tints >= MIN_TINTS:
        shades = np.arange(1, tints + 1)[:, None] / tints
        colors = np.full((256, 3), 255, np.uint8)  # number 0 is white
        for label, color in enumerate(inks):
            colors[1 + label * tints : 1 + (label + 1) * tints] = np.rint(255 * (1 - shades * (1 - color)))

    picture = np.full((canvas, canvas, 3), 255, np.uint8) if colors is None else np.zeros((canvas, canvas), np.uint8)
    order = np.random.default_rng(0).permutation(len(labels))
    for rows in np.split(order, range(BLOCK, len(order), BLOCK)):
        block, of_block = np.stack([scale_image(np.asarray(images[row]), scale) for row in rows]), labels[rows]
        if gray:
            ink = block[..., 0]
            drawn = dilation((ink > INK).view(np.uint8), OUTLINE).view(bool)
            if colors is None:
                tiles = np.rint(255 * (1 - block * (1 - inks[of_block][:, None, None]))).astype(np.uint8)
            else:
                tint = np.rint(ink * tints).astype(np.int32)
                tiles = np.where(tint > 0, tint + (of_block * tints)[:, None, None], 0).astype(np.uint8)
        else:
            tiles = [add_frame(image, inks[label]) for image, label in zip(block, of_block, strict=True)]
            drawn = np.ones((len(rows), *tiles[0].shape[:2]), bool)
        height, width = drawn.shape[1:]
        spare = np.array([canvas - width, canvas - height])
        corners = np.rint(positions[rows] + spare.astype(positions.dtype) / 2).astype(int).clip(0, spare)
        for tile, of_tile, (left, top) in zip(tiles, drawn, corners.tolist(), strict=True):
            picture[top : top + height, left : left + width][of_tile] = tile[of_tile]
    return picture, colors


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"plot_thumbnails {snakemake.wildcards.layer}"):
        arrays = load_rows(snakemake.input.map, snakemake.input.images, snakemake.input.labels)
        classes = len(load_classes(snakemake.input.classes))
        picture, colors = plot_thumbnails(*arrays, classes, snakemake.params.palette, snakemake.params.canvas)
        name = snakemake.wildcards.layer
        save_image(picture, colors, snakemake.output.eps, snakemake.output.png, DPI, name)
