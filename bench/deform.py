"""Write any number of images by seeded deformations of those of a data set: python bench/deform.py 1000000

The files resources/deformed/images.npy and labels.npy can be named by a data set of the configuration (`npy`).
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numba
import numpy as np
from measuring import require_file
from scipy.ndimage import gaussian_filter1d

from common.errors import UserError
from common.files import atomic_write
from common.inputs import load_array

FOLDER = Path("resources/deformed")
SEED = 1004
BLOCK = 1000  # images that are deformed at once
# Standard deviation of the smoothing and strength of the displacements, in pixels. Simard, Steinkraus and Platt (2003)
# use 4 and 34, which closes some loops.
SMOOTHNESS, STRENGTH = 4, 24
MAX_ROTATION, MAX_SCALING = np.deg2rad(10), 0.1


def read_dataset(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return all images (m, h, w) uint8 of a data set that the workflow has prepared, and their labels (m,) int64.

    They are in random order, so that the first of them are a representative sample. Raises UserError if they do not
    exist, or if they have colors.
    """
    arrays = {}
    for kind in ("images", "labels"):
        paths = [Path("results", dataset, f"data/{split}_{kind}.npy") for split in ("train", "validation", "test")]
        arrays[kind] = [load_array(require_file(path, f"snakemake --cores all {path}")) for path in paths]
    channels = arrays["images"][0].shape[3]
    if channels != 1:
        raise UserError(f"The images of {dataset} have {channels} channels. Choose a data set of gray images.")
    images = np.concatenate([np.rint(256 * split[..., 0]).astype(np.uint8) for split in arrays["images"]])
    order = np.random.default_rng(SEED).permutation(len(images))
    return images[order], np.concatenate(arrays["labels"])[order]


@numba.njit(cache=True)
def _warp(images, matrices, fields, warped):  # noqa: ANN001, ANN202
    """Write to `warped` (count, h, w) the bilinear interpolation of each image at the transformed pixels.

    A pixel is transformed by its image's matrix (count, 2, 2) about the center, and displaced by the fields
    (2, count, h, w).
    """
    height, width = images.shape[1:]
    middle, center = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    for i in range(len(images)):
        for row in range(height):
            for column in range(width):
                y, x = row - middle, column - center
                down = middle + matrices[i, 0, 0] * y + matrices[i, 0, 1] * x + fields[0, i, row, column]
                across = center + matrices[i, 1, 0] * y + matrices[i, 1, 1] * x + fields[1, i, row, column]
                down = min(max(down, np.float32(0)), np.float32(height - 1))
                across = min(max(across, np.float32(0)), np.float32(width - 1))
                top, left = min(int(down), height - 2), min(int(across), width - 2)
                t, s = down - top, across - left
                upper = (1 - s) * images[i, top, left] + s * images[i, top, left + 1]
                lower = (1 - s) * images[i, top + 1, left] + s * images[i, top + 1, left + 1]
                warped[i, row, column] = np.uint8((1 - t) * upper + t * lower + np.float32(0.5))


def deform(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the images (count, h, w) uint8, each rotated, scaled and deformed elastically at random.

    The elastic deformation displaces each pixel by smoothed noise (Simard, Steinkraus and Platt 2003, section 2).
    """
    count, *shape = images.shape
    angles = generator.uniform(-MAX_ROTATION, MAX_ROTATION, count)
    scales = generator.uniform(1 - MAX_SCALING, 1 + MAX_SCALING, count)
    cosines, sines = np.cos(angles) * scales, np.sin(angles) * scales
    matrices = np.array([[cosines, -sines], [sines, cosines]]).transpose(2, 0, 1).astype(np.float32)
    noise = 2 * generator.random((2, *images.shape), np.float32) - 1
    down, across = (gaussian_filter1d(np.eye(side, dtype=np.float32), SMOOTHNESS, mode="constant") for side in shape)
    warped = np.empty_like(images)
    _warp(images, np.ascontiguousarray(matrices), STRENGTH * (down @ noise @ across), warped)
    return warped


def deformed_blocks(images: np.ndarray, count: int, seed: int = SEED) -> Iterator[np.ndarray]:
    """Yield `count` images block by block: `images` (m, h, w) themselves, then their deformations.

    The deformations cycle through the images. The first ones do not depend on their number.
    """
    yield images[:count]
    for block, start in enumerate(range(len(images), count, BLOCK)):
        sources = np.arange(start, start + BLOCK) % len(images)
        yield deform(images[sources], np.random.default_rng([seed, block]))[: count - start]


def write_dataset(images: np.ndarray, labels: np.ndarray, count: int, folder: Path) -> None:
    """Write `count` images, from `images` (m, h, w) uint8, and their labels as images.npy and labels.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "labels.npy") as part:
        np.save(part, np.resize(labels, count))
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *images.shape[1:])}
    with atomic_write(folder / "images.npy") as part, open(part, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in deformed_blocks(images, count):
            file.write(block.data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=f"Deform the images of a data set. Writes {FOLDER}/images.npy and labels.npy"
    )
    parser.add_argument("count", type=int, help="number of images, with those of the data set")
    parser.add_argument("--dataset", default="MNIST", help="name of the data set in results/")
    arguments = parser.parse_args()
    try:
        write_dataset(*read_dataset(arguments.dataset), arguments.count, FOLDER)
    except UserError as error:
        sys.exit(f"error: {error}")
