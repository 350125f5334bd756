"""Read a data set in any supported format, and write one array of images and one of labels for each split."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from common.errors import format_shape
from common.files import atomic_write, save_array, save_json
from common.logs import run_logged
from common.names import SPLITS
from common.readers import read_dataset
from common.readers.labels import number_labels
from common.readers.splits import draw_sample, hold_out
from common.readers.streams import Split, Stream, write_rows
from common.row_names import save_names

log = logging.getLogger("workflow")


def choose_rows(
    labels: Mapping[str, np.ndarray], names: Sequence[str], sample: int | None, trained: bool
) -> dict[str, tuple[str, np.ndarray]]:
    """Return, for each split, the split of the source that its rows come from and their numbers there, ascending.

    `labels` (n,) are by split of the source, `names` are those of the classes. `sample` training rows are used, or all.
    If a network is `trained`, a sixth of them is held out for a missing test split, then a sixth of the rest for a
    missing validation split.
    """
    rows = draw_sample(labels["train"], sample or len(labels["train"]), names)
    chosen = {split: (split, np.arange(len(values))) for split, values in labels.items()}
    for split in ("test", "validation"):
        if split not in chosen and trained:
            kept, held = hold_out(labels["train"][rows])
            chosen[split], rows = ("train", rows[held]), rows[kept]
            log.info("%s: %d training images are held out", split, len(held))
    none = ("train", np.arange(0))
    return {split: chosen.get(split, none) for split in SPLITS} | {"train": ("train", rows)}


def prepare_dataset(
    source: Mapping[str, Split], classes: list[str] | None, sample: int | None, trained: bool
) -> tuple[dict[str, tuple[Stream, np.ndarray, np.ndarray, list[str]]], list[str]]:
    """Return, for each split, a stream of images, the rows of it that belong to the split, their labels (n,) and files.

    The files are empty unless each image has its own. The second value are the class names, empty without labels.
    """
    if source["train"].labels is None:
        labels, names = {split: np.zeros(part.images.shape[0], np.int64) for split, part in source.items()}, []
    else:
        labels, names = number_labels({split: part.labels for split, part in source.items()}, classes)
    chosen = choose_rows(labels, names, sample, trained)
    splits = {}
    for split, (of, rows) in chosen.items():
        files = [source[of].files[row] for row in rows] if source[of].files else []
        splits[split] = (source[of].images, rows, labels[of][rows], files)
    return splits, names


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_dataset {snakemake.wildcards.dataset}"):
        params, output = snakemake.params, snakemake.output
        source = read_dataset(params.kind, dict(snakemake.input.items()), params.folder_options, params.columns)
        splits, names = prepare_dataset(source, params.classes, params.sample, params.trained)
        for split, (images, rows, labels, files) in splits.items():
            log.info("%s: %d images of %s", split, len(rows), format_shape(images.shape[1:]))
            with atomic_write(output[f"{split}_images"]) as part:
                write_rows(images, rows, part)
            save_array(output[f"{split}_labels"], labels)
            save_names(output[f"{split}_files"], "file", files)
        save_json(output.classes, names, indent=None)
