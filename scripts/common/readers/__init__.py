"""Readers of data sets, one module for each kind in the configuration, each with a function `read`.

To add a kind, add its module here and its key to `dataset` in config/schema.yaml. `read` receives the files by the
names that the configuration gives them, and returns the splits of the data set.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from common.errors import UserError, format_shape
from common.readers.streams import Split, Stream


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
    check_images({name: split.images for name, split in splits.items()})
    for name, split in splits.items():
        if (split.labels is None) != (splits["train"].labels is None):
            raise UserError(f"The {name} images and the training images must both have labels, or neither.")
    return splits


def check_images(images: Mapping[str, Stream]) -> None:
    """Raise UserError unless there are training images, and those of all splits have the same shape."""
    train = images["train"]
    if not train.shape[0]:
        raise UserError(f"{train.name} has no images.")
    for name, stream in images.items():
        if stream.shape[1:] != train.shape[1:]:
            shapes = [format_shape(part.shape[1:]) for part in (stream, train)]
            raise UserError(
                f"The {name} images are {shapes[0]}, the training images {shapes[1]}. Give all the same shape."
            )
