"""A .npz file as Keras writes it: x_train, y_train and, optionally, x_test, y_test."""

import zipfile

from common.errors import UserError, report_unreadable_file
from common.readers.images import as_images
from common.readers.labels import as_labels
from common.readers.streams import Split, stream_npz


def read(path: str) -> dict[str, Split]:
    """Return the training split and, if the file has one, the test split."""
    with report_unreadable_file(path), zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
    missing = [name for name in ("x_train", "y_train") if name not in names]
    if missing:
        raise UserError(f"{path} has no {' and no '.join(missing)}. It has {', '.join(names)}.")
    splits = {}
    for split in ("train", "test"):
        if f"x_{split}" in names and f"y_{split}" in names:
            images = as_images(stream_npz(path, f"x_{split}"))
            splits[split] = Split(as_labels(stream_npz(path, f"y_{split}"), images.shape[0]), images)
    return splits
