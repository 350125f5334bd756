"""Draw a map with the images themselves, each at its place, in its class's color on white, or framed in it."""

from collections.abc import Sequence

import numpy as np
from skimage.morphology import dilation
from skimage.transform import resize

from common.arrays import load_classes, load_rows
from common.figures import class_colors, frame, save_image
from common.jobs import job

DPI = 300
INK = 0.1  # from here on a pixel is part of the digit; the pixels around it are kept white
SIDE = 28  # pixels: the longer side of a thumbnail, about, if images are smaller
SHARE = 1 / 60  # of the canvas: the longer side of a thumbnail, at most, if images are larger
FEWEST = 6  # tints of a color that an image in ink can do with
OUTLINE = np.ones((1, 3, 3), np.uint8)  # of each image
BLOCK = 1000  # images made ready at a time
EDGE = 14  # the frame around a color image takes one part of so many of its shorter side


def thumbnail_scale(height: int, width: int, canvas: int) -> float:
    """By how much images are scaled: small ones up, by a whole number, large ones down."""
    longer, limit = max(height, width), max(SIDE, SHARE * canvas)
    return limit / longer if longer > limit else max(1, SIDE // longer)


def thumbnail(image: np.ndarray, scale: float) -> np.ndarray:
    """An image (height, width, channels) in [0, 1] as large as it is drawn, but for its frame."""
    if scale >= 1:
        return image.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    sides = [max(1, round(side * scale)) for side in image.shape[:2]]
    return resize(image, (*sides, image.shape[2]), anti_aliasing=True)


def framed(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    """A color image (height, width, 3) in [0, 1] in a frame of a color, as uint8."""
    edge = max(1, round(min(image.shape[:2]) / EDGE))
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
    """The picture, (canvas, canvas) uint8, as numbers of the colors that come with it, (256, 3) uint8.

    Or, of color images and of very many classes, as red, green and blue, (canvas, canvas, 3) uint8, and None.
    `coordinates` (n, 2), `images` (n, height, width, 1 or 3) in [0, 1], `labels` (n,) integers below `classes`, their
    number, which is 0 without labels. Frame and orientation are those of the scatter plot: x right, y up. The images
    come in random order, so that no class hides another. One channel is ink in the class's color, with a thin white
    outline, so that it can be read on those below; each color comes in as many tints as 256 colors allow. Three keep
    their colors, in a frame of the class's.
    """
    center, side = frame(coordinates)
    places = (
        (coordinates - center) / side * canvas * np.array([1, -1], coordinates.dtype)
    )  # of middles, from the middle
    scale = thumbnail_scale(*images.shape[1:3], canvas)
    inks = class_colors(palette, classes)
    tints = 255 // len(inks)
    grey = images.shape[3] == 1
    colors = None
    if grey and tints >= FEWEST:
        shades = np.arange(1, tints + 1)[:, None] / tints
        colors = np.full((256, 3), 255, np.uint8)  # number 0 is white
        for label, color in enumerate(inks):
            colors[1 + label * tints : 1 + (label + 1) * tints] = np.rint(255 * (1 - shades * (1 - color)))

    picture = np.full((canvas, canvas, 3), 255, np.uint8) if colors is None else np.zeros((canvas, canvas), np.uint8)
    order = np.random.default_rng(0).permutation(len(labels))
    for rows in np.split(order, range(BLOCK, len(order), BLOCK)):
        block, of_block = np.stack([thumbnail(np.asarray(images[row]), scale) for row in rows]), labels[rows]
        if grey:
            ink = block[..., 0]
            drawn = dilation((ink > INK).view(np.uint8), OUTLINE).view(bool)
            if colors is None:
                tiles = np.rint(255 * (1 - block * (1 - inks[of_block][:, None, None]))).astype(np.uint8)
            else:
                tint = np.rint(ink * tints).astype(np.int32)
                tiles = np.where(tint > 0, tint + (of_block * tints)[:, None, None], 0).astype(np.uint8)
        else:
            tiles = [framed(image, inks[label]) for image, label in zip(block, of_block, strict=True)]
            drawn = np.ones((len(rows), *tiles[0].shape[:2]), bool)
        height, width = drawn.shape[1:]
        spare = np.array([canvas - width, canvas - height])
        corners = np.rint(places[rows] + spare.astype(places.dtype) / 2).astype(int).clip(0, spare)
        for tile, of_tile, (left, top) in zip(tiles, drawn, corners.tolist(), strict=True):
            picture[top : top + height, left : left + width][of_tile] = tile[of_tile]
    return picture, colors


if __name__ == "__main__":
    with job(snakemake.log[0], f"plot_thumbnails {snakemake.wildcards.layer}"):
        arrays = load_rows(snakemake.input.map, snakemake.input.images, snakemake.input.labels)
        classes = len(load_classes(snakemake.input.classes))
        picture, colors = plot_thumbnails(*arrays, classes, snakemake.params.palette, snakemake.params.canvas)
        save_image(picture, colors, snakemake.output.eps, snakemake.output.png, DPI)
