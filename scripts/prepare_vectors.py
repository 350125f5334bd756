"""Read vectors as the features of a layer."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from common.arrays import LONGEST, load, measurable
from common.files import save_array, whole
from common.jobs import UserError, job
from common.sources import Rows, npy_rows, write_rows


def as_features(rows: Rows) -> Rows:
    """Vectors (n, d) of any real numbers as float32; raises UserError if they are none.

    That some are not finite, or too long, is said when the blocks are read, with their number.
    """
    if len(rows.shape) != 2 or 0 in rows.shape:
        raise UserError(
            f"{rows.place} is of shape {' x '.join(map(str, rows.shape))}, and must have a row a vector, (n, d)"
        )

    def blocks() -> Iterator[np.ndarray]:
        wrong = 0
        for block in rows.blocks():
            if block.dtype.kind not in "buif":
                raise UserError(f"{rows.place} holds {block.dtype}, not real numbers")
            with np.errstate(over="ignore"):  # of float64 too large: they are counted
                vectors = block.astype(np.float32)
            wrong += np.count_nonzero(~measurable(vectors))
            yield vectors
        if wrong:
            raise UserError(
                f"of the {rows.shape[0]} rows of {rows.place}, {wrong} have values that are not finite, or are longer "
                f"than {LONGEST:.0e} (divide all rows by one number)"
            )

    return replace(rows, blocks=blocks)


if __name__ == "__main__":
    with job(snakemake.log[0], f"prepare_vectors {snakemake.wildcards.layer}"):
        features, rows = as_features(npy_rows(snakemake.input.vectors)), load(snakemake.input.rows)
        with whole(snakemake.output.features) as part:
            write_rows(features, rows, part)
        save_array(snakemake.output.test_features, np.zeros((0, features.shape[1]), np.float32))
