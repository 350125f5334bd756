"""Read a data set, whatever it is kept in, and write one array of images and one of labels a split."""

import json
import logging
from collections.abc import Mapping

import numpy as np

from common.files import save_array, whole
from common.jobs import job
from common.sampling import held_out, stratified_rows
from common.sources import Part, Rows, number_labels, read_source, write_rows

log = logging.getLogger("workflow")

SPLITS = ("train", "validation", "test")


def split_rows(
    labels: Mapping[str, np.ndarray], sample: int | None, trained: bool
) -> dict[str, tuple[str, np.ndarray]]:
    """Of each split, the split of the source that its rows are from, and their numbers there, ascending.

    `labels` (n,) are by split of the source. Of the training rows `sample` are taken, or all. If a network is
    `trained`, a sixth of them is held out where there is no test split, then a sixth of the rest where there is no
    validation split.
    """
    rows = stratified_rows(labels["train"], sample or len(labels["train"]))
    found = {split: (split, np.arange(len(values))) for split, values in labels.items()}
    for split in ("test", "validation"):
        if split not in found and trained:
            kept, held = held_out(labels["train"][rows])
            found[split], rows = ("train", rows[held]), rows[kept]
            log.info("%d rows are held out: %s", len(held), split)
    none = ("train", np.arange(0))
    return {split: found.get(split, none) for split in SPLITS} | {"train": ("train", rows)}


def prepare_dataset(
    parts: Mapping[str, Part], classes: list[str] | None, sample: int | None, trained: bool
) -> tuple[dict[str, tuple[Rows, np.ndarray, np.ndarray]], list[str]]:
    """Of each split its source, the rows of it that are in the split, and their labels; and the classes' names."""
    if parts["train"].labels is None:
        labels, names = {split: np.zeros(part.images.shape[0], np.int64) for split, part in parts.items()}, []
    else:
        labels, names = number_labels({split: part.labels for split, part in parts.items()}, classes)
    chosen = split_rows(labels, sample, trained)
    return {split: (parts[of].images, rows, labels[of][rows]) for split, (of, rows) in chosen.items()}, names


if __name__ == "__main__":
    with job(snakemake.log[0], f"prepare_dataset {snakemake.wildcards.dataset}"):
        params, output = snakemake.params, snakemake.output
        files = {name: path for name, path in snakemake.input.items() if name != "inside"}
        source = read_source(params.kind, files, params.size)
        splits, names = prepare_dataset(source, params.classes, params.sample, params.trained)
        for split, (images, rows, labels) in splits.items():
            log.info("%s: %d images of %s", split, len(rows), " x ".join(map(str, images.shape[1:])))
            with whole(output[f"{split}_images"]) as part:
                write_rows(images, rows, part)
            save_array(output[f"{split}_labels"], labels)
        with whole(output.classes) as part:
            part.write_text(json.dumps(names, ensure_ascii=False) + "\n")
