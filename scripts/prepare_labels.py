"""Read the labels of vectors, and choose the rows to map: all, since nothing is trained, or a sample."""

import json
from collections.abc import Mapping

import numpy as np

from common.files import save_array, whole
from common.jobs import UserError, job
from common.sampling import stratified_rows
from common.sources import npy_rows, number_labels, read_labels


def common_count(counts: Mapping[str, int]) -> int:
    """How many rows all files have, by their names; raises UserError if they differ."""
    first, *others = counts
    for other in others:
        if counts[other] != counts[first]:
            raise UserError(
                f"{first} has {counts[first]} rows, {other} has {counts[other]}: give the same things in all"
            )
    return counts[first]


if __name__ == "__main__":
    with job(snakemake.log[0], f"prepare_labels {snakemake.wildcards.dataset}"):
        count, names = common_count({path: npy_rows(path).shape[0] for path in snakemake.input.vectors}), []
        labels = np.zeros(count, np.int64)
        if snakemake.input.get("labels"):
            read = {"train": read_labels(snakemake.input.labels, count)}
            numbered, names = number_labels(read, snakemake.params.classes)
            labels = numbered["train"]
        rows = stratified_rows(labels, snakemake.params.sample or count)
        save_array(snakemake.output.rows, rows)
        for split in ("train", "validation", "test"):
            save_array(snakemake.output[f"{split}_labels"], labels[rows] if split == "train" else labels[:0])
        with whole(snakemake.output.classes) as part:
            part.write_text(json.dumps(names, ensure_ascii=False) + "\n")
