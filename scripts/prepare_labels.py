"""Read the labels of vectors, and choose the training rows to map: all, since no network is trained, or a sample."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from common.files import save_array, save_json
from common.logs import run_logged
from common.names import SPLITS
from common.readers.ids import read_ids
from common.readers.label_files import read_labels
from common.readers.labels import number_labels
from common.readers.predictions import find_values
from common.readers.splits import draw_sample
from common.readers.vectors import check_columns, count_rows, find_column, find_files, stream_vectors
from common.row_names import save_names

log = logging.getLogger("workflow")


def count_vectors(
    files: Mapping[str, Sequence[str]],
    checkpoints: Mapping[str, Sequence[str]],
    layers: Sequence[str],
    control_layers: Sequence[str],
) -> dict[str, int]:
    """Return the number of rows of each split, from the files of its `layers` and those before training, if any.

    Raises UserError unless all files of a split have as many rows, and all files of a layer as many columns.
    """
    counts, train = {}, []
    for split, paths in files.items():
        after, before = (list(map(stream_vectors, found)) for found in (paths, checkpoints.get(split, [])))
        train = train or after
        counts[split] = count_rows([*after, *before])
        check_columns(train, after, "Give the same features in all splits.")
        with_control = [vectors for vectors, layer in zip(after, layers, strict=True) if layer in control_layers]
        check_columns(with_control, before, "Give the same layer before and after training.")
    return counts


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_labels {snakemake.wildcards.dataset}"):
        paths, params, output = snakemake.input, snakemake.params, snakemake.output
        files, checkpoints = (find_files(paths, name) for name in ("vectors", "checkpoints"))
        counts, names, values = count_vectors(files, checkpoints, params.layers, params.control_layers), [], []
        labels = {split: np.zeros(counts.get(split, 0), np.int64) for split in SPLITS}
        given = find_files(paths, "labels")
        if given:
            read = {
                split: read_labels(path, counts[split], "vector", find_column(params.columns, split, "labels"))
                for split, path in given.items()
            }
            numbered, names = number_labels(read, params.classes)
            labels |= numbered
            values = find_values(read, numbered, names, params.classes is not None)
        rows = draw_sample(labels["train"], params.sample or counts["train"], names)
        labels["train"] = labels["train"][rows]
        save_array(output.rows, rows)
        ids = {split: read_ids(path, counts[split]) for split, path in find_files(paths, "ids").items()}
        if ids:
            ids["train"] = ids["train"][rows]
        for split, numbers in labels.items():
            log.info("%s: %d rows", split, len(numbers))
            save_array(output[f"{split}_labels"], numbers)
            save_names(output[f"{split}_files"], "name", ids.get(split, []))
        save_json(output.classes, names, indent=None)
        save_json(output.class_labels, values, indent=None)
