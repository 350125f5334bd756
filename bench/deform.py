"""Make as many images as are wanted, of a data set's own, by seeded deformations: python bench/deform.py 1000000

Writes resources/deformed/images.npy and labels.npy, which a data set of the configuration can name (`npy`).
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numba
import numpy as np
from measuring import need
from scipy.ndimage import gaussian_filter1d

from common.errors import UserError
from common.files import atomic_write
from common.inputs import load_array

FOLDER = Path("resources/deformed")
SEED = 1004
BLOCK = 1000  # images that are deformed at once
# Of the displacement fields, in pixels; Simard, Steinkraus and Platt (2003) have 4 and 34, which closes some loops
SMOOTHNESS, STRENGTH = 4, 24
TURN, SCALE = np.deg2rad(10), 0.1  # at the most


def read_dataset(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """All images of a data set that the workflow has prepared, (m, h, w) uint8, and their labels (m,) int64.

    In one seeded random order, so that the first of them are a fair sample. Raises UserError if they are not there, or
    have colors.
    """
    found = {}
    for kind in ("images", "labels"):
        paths = [Path("results", dataset, f"data/{split}_{kind}.npy") for split in ("train", "validation", "test")]
        found[kind] = [load_array(need(path, f"snakemake --cores all {path}")) for path in paths]
    channels = found["images"][0].shape[3]
    if channels != 1:
        raise UserError(f"the images of {dataset} have {channels} channels; only those of one are deformed")
    images = np.concatenate([np.rint(256 * split[..., 0]).astype(np.uint8) for split in found["images"]])
    order = np.random.default_rng(SEED).permutation(len(images))
    return images[order], np.concatenate(found["labels"])[order]


@numba.njit(cache=True)
def _warp(images, turns, fields, warped):  # noqa: ANN001, ANN202
    """Write to `warped` (count, h, w) what is, in each image, where each pixel is turned and displaced to."""
    high, wide = images.shape[1:]
    middle, center = np.float32((high - 1) / 2), np.float32((wide - 1) / 2)
    for i in range(len(images)):
        for row in range(high):
            for column in range(wide):
                y, x = row - middle, column - center
                down = middle + turns[i, 0, 0] * y + turns[i, 0, 1] * x + fields[0, i, row, column]
                across = center + turns[i, 1, 0] * y + turns[i, 1, 1] * x + fields[1, i, row, column]
                down = min(max(down, np.float32(0)), np.float32(high - 1))
                across = min(max(across, np.float32(0)), np.float32(wide - 1))
                top, left = min(int(down), high - 2), min(int(across), wide - 2)
                t, s = down - top, across - left
                upper = (1 - s) * images[i, top, left] + s * images[i, top, left + 1]
                lower = (1 - s) * images[i, top + 1, left] + s * images[i, top + 1, left + 1]
                warped[i, row, column] = np.uint8((1 - t) * upper + t * lower + np.float32(0.5))


def deform(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each image (count, h, w) uint8 turned, scaled and deformed elastically, as an image, each in its own way.

    The elastic deformation displaces each pixel by smoothed noise (Simard, Steinkraus and Platt 2003, section 2).
    """
    count, *shape = images.shape
    angles = generator.uniform(-TURN, TURN, count)
    scales = generator.uniform(1 - SCALE, 1 + SCALE, count)
    cosines, sines = np.cos(angles) * scales, np.sin(angles) * scales
    turns = np.array([[cosines, -sines], [sines, cosines]]).transpose(2, 0, 1).astype(np.float32)
    noise = 2 * generator.random((2, *images.shape), np.float32) - 1
    down, across = (gaussian_filter1d(np.eye(side, dtype=np.float32), SMOOTHNESS, mode="constant") for side in shape)
    warped = np.empty_like(images)
    _warp(images, np.ascontiguousarray(turns), STRENGTH * (down @ noise @ across), warped)
    return warped


def blocks(images: np.ndarray, count: int, seed: int = SEED) -> Iterator[np.ndarray]:
    """`count` images, a block after the other: `images` (m, h, w) themselves, then their deformations.

    These go through the images in their order, again and again. A block of them is the same whatever comes after.
    """
    yield images[:count]
    for block, start in enumerate(range(len(images), count, BLOCK)):
        sources = np.arange(start, start + BLOCK) % len(images)
        yield deform(images[sources], np.random.default_rng([seed, block]))[: count - start]


def write(images: np.ndarray, labels: np.ndarray, count: int, folder: Path) -> None:
    """Write `count` images, made of `images` (m, h, w) uint8, and their labels, as images.npy and labels.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "labels.npy") as part:
        np.save(part, np.resize(labels, count))
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *images.shape[1:])}
    with atomic_write(folder / "images.npy") as part, open(part, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks(images, count):
            file.write(block.data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=f"Deform a data set's images; writes {FOLDER}/images.npy, labels.npy")
    parser.add_argument("count", type=int, help="how many images, the data set's own among them")
    parser.add_argument("--dataset", default="MNIST", help="whose images, in results/")
    arguments = parser.parse_args()
    try:
        write(*read_dataset(arguments.dataset), arguments.count, FOLDER)
    except UserError as error:
        sys.exit(f"error: {error}")
