"""Images in .npy files, with labels in .npy or text files, or without labels."""

from collections.abc import Mapping

from common.readers.images import as_images
from common.readers.label_files import read_labels
from common.readers.streams import Split, stream_npy

PREFIXES = {"train": "", "validation": "validation_", "test": "test_"}  # of the keys of each split


def read(columns: Mapping[str, str], **files: str) -> dict[str, Split]:
    """Return the training split and, if they are given, validation and test split.

    `files` are by the keys of the configuration, such as images and test_labels; `columns` has the column of labels in
    a table, by keys such as "npy.test_labels".
    """
    splits = {}
    for split, prefix in PREFIXES.items():
        if f"{prefix}images" in files:
            images, labels, key = as_images(stream_npy(files[f"{prefix}images"])), None, f"{prefix}labels"
            if key in files:
                labels = read_labels(files[key], images.shape[0], "image", columns.get(f"npy.{key}"))
            splits[split] = Split(labels, images)
    return splits
