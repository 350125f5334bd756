"""Readers of data sets, one module for each kind in the configuration, each with a function `read`.

To add a kind, add its module here and its key to `dataset` in config/schema.yaml. `read` receives the files by the
names that the configuration gives them, and returns the splits of the data set.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from common.errors import UserError, format_shape
from common.readers.streams import Split


def read_dataset(
    kind: str,
    files: Mapping[str, str],
    folder_options: Mapping[str, Any] | None = None,
    columns: Mapping[str, str] | None = None,
) -> dict[str, Split]:
    """Return the splits of a data set of this kind, from its files.

    `folder_options` are those of common.readers.folder.read, for a folder of images; `columns`
    (common.settings.resolve) are those of labels in tables. Raises UserError if the files do not hold such a data set;
    damaged images raise it when their blocks are read, if not before.
    """
    options = {"folder": folder_options or {}, "npy": {"columns": columns or {}}}.get(kind, {})
    splits = importlib.import_module(f"common.readers.{kind}").read(**files, **options)
    train = splits["train"]
    for name, split in splits.items():
        if not split.images.shape[0] and name == "train":
            raise UserError(f"{split.images.name} has no images.")
        if split.images.shape[1:] != train.images.shape[1:]:
            shapes = [format_shape(part.images.shape[1:]) for part in (split, train)]
            raise UserError(
                f"The {name} images are {shapes[0]}, the training images {shapes[1]}. Give all the same shape."
            )
        if (split.labels is None) != (train.labels is None):
            raise UserError(f"The {name} images and the training images must both have labels, or neither.")
    return splits
