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
from common.readers.splits import HELD_OUT, draw_sample, hold_out
from common.readers.streams import Split, Stream, write_rows
from common.row_names import save_names
from common.scoring.parameters import MIN_ROWS

log = logging.getLogger("workflow")


def choose_rows(
    labels: Mapping[str, np.ndarray], names: Sequence[str], sample: int | None, trained: bool, share: float | None
) -> dict[str, tuple[str, np.ndarray]]:
    """Return, for each split, the split of the source that its rows come from and their numbers there, ascending.

    `labels` (n,) are by split of the source, `names` are those of the classes. `sample` training rows are used, or all.
    If a network is `trained`, a `share` of them, by default a sixth, is held out for a missing test split, then the
    same share of the rest for a missing validation split. Otherwise, validation rows are held out only if there is a
    `share`. None are held out if too few training rows would be left for the scores.
    """
    rows = draw_sample(labels["train"], sample or len(labels["train"]), names)
    chosen = {split: (split, np.arange(len(values))) for split, values in labels.items()}
    missing = [split for split in ("test", "validation") if split not in labels and (trained or split != "test")]
    for split in missing if trained or share else []:
        kept, held = hold_out(labels["train"][rows], share or HELD_OUT)
        if len(kept) < MIN_ROWS:
            log.warning("warning: none of the %d training images are held out for %s: too few", len(rows), split)
            continue
        chosen[split], rows = ("train", rows[held]), rows[kept]
        log.info("%s: %d training images are held out", split, len(held))
    none = ("train", np.arange(0))
    return {split: chosen.get(split, none) for split in SPLITS} | {"train": ("train", rows)}


def prepare_dataset(
    source: Mapping[str, Split], classes: list[str] | None, sample: int | None, trained: bool, share: float | None
) -> tuple[dict[str, tuple[Stream, np.ndarray, np.ndarray, list[str]]], list[str]]:
    """Return, for each split, a stream of images, the rows of it that belong to the split, their labels (n,) and files.

    `share` of the training images is held out, as in `choose_rows`. The files are empty unless each image has its own.
    The second value are the class names, empty without labels.
    """
    if source["train"].labels is None:
        labels, names = {split: np.zeros(part.images.shape[0], np.int64) for split, part in source.items()}, []
    else:
        labels, names = number_labels({split: part.labels for split, part in source.items()}, classes)
    chosen = choose_rows(labels, names, sample, trained, share)
    splits = {}
    for split, (of, rows) in chosen.items():
        files = [source[of].files[row] for row in rows] if source[of].files else []
        splits[split] = (source[of].images, rows, labels[of][rows], files)
    return splits, names


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_dataset {snakemake.wildcards.dataset}"):
        params, output = snakemake.params, snakemake.output
        source = read_dataset(params.kind, dict(snakemake.input.items()), params.folder_options, params.columns)
        splits, names = prepare_dataset(source, params.classes, params.sample, params.trained, params.hold_out)
        for split, (images, rows, labels, files) in splits.items():
            log.info("%s: %d images of %s", split, len(rows), format_shape(images.shape[1:]))
            with atomic_write(output[f"{split}_images"]) as part:
                write_rows(images, rows, part)
            save_array(output[f"{split}_labels"], labels)
            save_names(output[f"{split}_files"], "file", files)
        save_json(output.classes, names, indent=None)
