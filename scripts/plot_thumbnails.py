"""Draw a map with the images themselves, each at its place, in its class's color on white."""

from collections.abc import Sequence

import numpy as np
from skimage.morphology import dilation

from common.arrays import load_rows
from common.figures import class_colors, frame, save_image
from common.jobs import job

DPI = 300
INK = 0.1  # from here on a pixel is part of the digit; the pixels around it are kept white


def plot_thumbnails(
    coordinates: np.ndarray, images: np.ndarray, labels: np.ndarray, palette: str | Sequence[str], canvas: int
) -> tuple[np.ndarray, np.ndarray]:
    """The picture, (canvas, canvas) uint8, as numbers of the colors that come with it, (256, 3) uint8.

    `coordinates` (n, 2), `images` (n, height, width, 1) in [0, 1], `labels` (n,) integers. Frame and orientation are
    those of the scatter plot: x right, y up. The images come in random order, so that no class hides another; each
    has a thin white outline, so that it can be read on those below. Each class's color comes in as many tints as 256
    colors allow.
    """
    height, width = images.shape[1:3]
    center, side = frame(coordinates)
    left = np.rint((coordinates[:, 0] - center[0]) / side * canvas + (canvas - width) / 2).astype(int)
    top = np.rint((center[1] - coordinates[:, 1]) / side * canvas + (canvas - height) / 2).astype(int)
    left, top = left.clip(0, canvas - width), top.clip(0, canvas - height)

    classes = labels.max() + 1
    tints = 255 // classes
    inks = np.arange(1, tints + 1)[:, None] / tints
    colors = np.full((256, 3), 255, np.uint8)  # number 0 is white
    for label, color in enumerate(class_colors(palette, classes)):
        colors[1 + label * tints : 1 + (label + 1) * tints] = np.rint(255 * (1 - inks * (1 - color)))

    picture = np.zeros((canvas, canvas), np.uint8)
    outline = np.ones((3, 3), np.uint8)
    for row in np.random.default_rng(0).permutation(len(labels)):
        ink = np.asarray(images[row, :, :, 0])
        tint = np.rint(ink * tints).astype(np.uint8)
        number = np.where(tint > 0, tint + labels[row] * tints, 0)
        digit = dilation((ink > INK).view(np.uint8), outline).view(bool)
        place = picture[top[row] : top[row] + height, left[row] : left[row] + width]
        place[digit] = number[digit]
    return picture, colors


if __name__ == "__main__":
    with job(snakemake.log[0], f"plot_thumbnails {snakemake.wildcards.layer}"):
        arrays = load_rows(snakemake.input.map, snakemake.input.images, snakemake.input.labels)
        picture, colors = plot_thumbnails(*arrays, snakemake.params.palette, snakemake.params.canvas)
        save_image(picture, colors, snakemake.output.eps, snakemake.output.png, DPI)
