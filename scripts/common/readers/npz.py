"""A .npz file with the names of Keras (x_train, y_train, ...) or of MedMNIST (train_images, train_labels, ...)."""

import logging
import zipfile
from collections.abc import Sequence

from common.errors import UserError, report_unreadable_file
from common.readers.contents import refuse_content
from common.readers.images import as_images
from common.readers.labels import as_labels
from common.readers.streams import Split, stream_npz

log = logging.getLogger("workflow")

STYLES = (("x_{}", "y_{}"), ("{}_images", "{}_labels"))  # of names of images and labels, Keras' first
SPLIT_NAMES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}


def read(path: str) -> dict[str, Split]:
    """Return the training split and, if the file has them, validation and test split."""
    with report_unreadable_file(path):
        if not zipfile.is_zipfile(path):
            refuse_content(path, ".npz file", "Write one: numpy.savez(file, x_train=images, y_train=labels)")
        with zipfile.ZipFile(path) as file:
            names = [name.removesuffix(".npy") for name in file.namelist()]
    pairs = find_pairs(names)
    if "train" not in pairs:
        raise UserError(
            f"{path} has neither x_train with y_train nor train_images with train_labels. It has {', '.join(names)}. "
            "Give these names: numpy.savez(file, x_train=images, y_train=labels)"
        )
    unused = [name for name in names if not any(name in pair for pair in pairs.values())]
    if unused:
        log.info("%s: not used: %s", path, ", ".join(unused))
    splits = {}
    for split, (images_name, labels_name) in pairs.items():
        images = as_images(stream_npz(path, images_name))
        splits[split] = Split(as_labels(stream_npz(path, labels_name), images.shape[0], "image"), images)
    return splits


def find_pairs(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the names of images and labels by split, whatever their case, of the first style that has "train"."""
    by_lower = {name.lower(): name for name in names}
    for style in STYLES:
        pairs = {}
        for split, words in SPLIT_NAMES.items():
            for word in words:
                images, labels = (by_lower.get(pattern.format(word)) for pattern in style)
                if images and labels:
                    pairs.setdefault(split, (images, labels))
        if "train" in pairs:
            return pairs
    return {}
