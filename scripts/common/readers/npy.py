"""Images in .npy files, with labels in .npy or text files, or without labels."""

from common.readers.images import as_images
from common.readers.labels import read_labels
from common.readers.streams import Split, stream_npy


def read(
    images: str, labels: str | None = None, test_images: str | None = None, test_labels: str | None = None
) -> dict[str, Split]:
    """Return the training split and, if it is given, the test split."""
    splits = {}
    for split, images_path, labels_path in ("train", images, labels), ("test", test_images, test_labels):
        if images_path:
            stream = as_images(stream_npy(images_path))
            splits[split] = Split(read_labels(labels_path, stream.shape[0]) if labels_path else None, stream)
    return splits
