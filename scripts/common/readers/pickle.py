"""The notebook's file mnist.pkl.gz, with images of one channel."""

import numpy as np

from common.errors import UserError
from common.names import SPLITS
from common.readers.images import as_images
from common.readers.mnist_pickle import read_pairs
from common.readers.streams import Split, stream_array


def read(path: str) -> dict[str, Split]:
    """Return the three splits; the file is read at once."""
    splits = {}
    for split, (rows, labels) in zip(SPLITS, read_pairs(path), strict=True):
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise UserError(f"{path}: rows of {rows.shape[1]} pixels are not square images. Save them as .npy.")
        splits[split] = Split(labels.astype(np.int64), as_images(stream_array(path, rows.reshape(-1, side, side))))
    return splits
