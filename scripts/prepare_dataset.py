"""Split mnist.pkl.gz into one array of images and one of labels a split, with fewer training rows if asked for."""

import logging

import numpy as np
from sklearn.model_selection import train_test_split

from common.files import whole
from common.jobs import UserError, job
from common.mnist_pickle import SPLITS, read_pairs

log = logging.getLogger("workflow")


def as_images(rows: np.ndarray) -> np.ndarray:
    """Rows of square images, (n, side * side) float32, as (n, side, side, 1) float32."""
    side = round(rows.shape[1] ** 0.5)
    if side * side != rows.shape[1]:
        raise UserError(f"rows of {rows.shape[1]} pixels are no square images")
    return rows.reshape(len(rows), side, side, 1)


def stratified_rows(labels: np.ndarray, size: int) -> np.ndarray:
    """`size` row numbers, ascending, drawn so that every class keeps its share of `labels` (n,).

    Raises UserError if `size` is too small, or too near to n, for that.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    values, counts = np.unique(labels, return_counts=True)
    classes = len(values)
    if not classes <= size <= len(labels) - classes:
        raise UserError(
            f"dataset.train_size: {size} of {len(labels)} images cannot be drawn evenly from {classes} classes: "
            f"give {classes} to {len(labels) - classes}, or null for all"
        )
    if 1 in counts:
        raise UserError(
            f"dataset.train_size: class {values[counts.argmin()]} has a single image of the {len(labels)}, "
            "which cannot be drawn evenly: give null, for all"
        )
    rows, _ = train_test_split(np.arange(len(labels)), train_size=size, stratify=labels, random_state=0)
    return np.sort(rows)


if __name__ == "__main__":
    with job(snakemake.log[0], "prepare_dataset"):
        for split, (rows, labels) in zip(SPLITS, read_pairs(snakemake.input.dataset), strict=True):
            if split == "train" and snakemake.params.train_size:
                chosen = stratified_rows(labels, snakemake.params.train_size)
                rows, labels = rows[chosen], labels[chosen]
            images = as_images(rows)
            log.info("%s: %d images of %s", split, len(images), " x ".join(map(str, images.shape[1:])))
            for array, output in (images, f"{split}_images"), (labels, f"{split}_labels"):
                with whole(snakemake.output[output]) as part:
                    np.save(part, array)
