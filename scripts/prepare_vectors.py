"""Read vectors as the features of a layer."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from common.errors import UserError, format_shape
from common.files import atomic_write, save_array
from common.inputs import MAX_NORM, has_finite_distances, load_array
from common.logs import run_logged
from common.readers.streams import Stream, stream_npy, write_rows


def as_features(vectors: Stream) -> Stream:
    """Return vectors (n, d) of real numbers as float32; raises UserError if they have another shape.

    When the blocks are read, raises UserError with the number of vectors that are not finite or too long.
    """
    if len(vectors.shape) != 2 or 0 in vectors.shape:
        raise UserError(f"{vectors.name} has the shape {format_shape(vectors.shape)}. Give (n, d), one vector a row.")

    def blocks() -> Iterator[np.ndarray]:
        wrong = 0
        for block in vectors.blocks():
            if block.dtype.kind not in "buif":
                raise UserError(f"{vectors.name} holds {block.dtype}. Vectors must be real numbers.")
            with np.errstate(over="ignore"):  # values too large for float32 are counted below
                features = block.astype(np.float32)
            wrong += np.count_nonzero(~has_finite_distances(features))
            yield features
        if wrong:
            raise UserError(
                f"{wrong} of the {vectors.shape[0]} rows of {vectors.name} have values that are not finite, or are "
                f"longer than {MAX_NORM:.0e}. Remove them, or divide all rows by one number."
            )

    return replace(vectors, blocks=blocks)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_vectors {snakemake.wildcards.layer}"):
        features, rows = as_features(stream_npy(snakemake.input.vectors)), load_array(snakemake.input.rows)
        train, *held_out = snakemake.output.features
        with atomic_write(train) as part:
            write_rows(features, rows, part)
        for path in held_out:  # vectors have one split
            save_array(path, np.zeros((0, features.shape[1]), np.float32))
