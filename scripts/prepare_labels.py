"""Read the labels of vectors, and choose the rows to map: all, since no network is trained, or a sample."""

from collections.abc import Mapping

import numpy as np

from common.errors import UserError
from common.files import save_array, save_json
from common.logs import run_logged
from common.names import SPLITS
from common.readers.ids import read_ids
from common.readers.label_files import read_labels
from common.readers.labels import number_labels
from common.readers.splits import draw_sample
from common.readers.streams import stream_npy
from common.row_names import save_names


def common_length(lengths: Mapping[str, int]) -> int:
    """Return the number of rows that all files have, by their names; raises UserError if the numbers differ."""
    first, *others = lengths
    for other in others:
        if lengths[other] != lengths[first]:
            raise UserError(
                f"{first} has {lengths[first]} rows, {other} has {lengths[other]}. Give the same rows in all files."
            )
    return lengths[first]


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_labels {snakemake.wildcards.dataset}"):
        params = snakemake.params
        count, names = common_length({path: stream_npy(path).shape[0] for path in snakemake.input.vectors}), []
        labels = np.zeros(count, np.int64)
        if snakemake.input.get("labels"):
            given = {"train": read_labels(snakemake.input.labels, count, "vector", params.columns.get("labels"))}
            numbered, names = number_labels(given, params.classes)
            labels = numbered["train"]
        rows = draw_sample(labels, params.sample or count, names)
        save_array(snakemake.output.rows, rows)
        ids = read_ids(snakemake.input.ids, count)[rows].tolist() if snakemake.input.get("ids") else []
        for split in SPLITS:
            save_names(snakemake.output[f"{split}_files"], "name", ids if split == "train" else [])
            save_array(snakemake.output[f"{split}_labels"], labels[rows] if split == "train" else labels[:0])
        save_json(snakemake.output.classes, names, indent=None)
