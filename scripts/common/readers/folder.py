"""A folder of image files by class."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.io import imread
from skimage.transform import resize

from common.errors import UserError, format_shape, report_unreadable_file
from common.readers.streams import Split, Stream, block_length

log = logging.getLogger("workflow")

SUFFIXES = (".png", ".jpg", ".jpeg")
SPLITS_OF_FOLDERS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
MODES = ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")  # of PIL: bits, gray, palette, with alpha, color, 16 bits
COLOR_MODES = ("P", "RGB", "RGBA")
WHITE = np.float32(255 / 256)


def read(folder: str, size: Sequence[int] | None) -> dict[str, Split]:
    """Return the splits of folder/class/*.png, or of folder/train/class/*.png and folder/test/class/*.png.

    `size` is the height and width that the images are resized to. If any image has colors, all get three channels. A
    folder of images without classes has no labels.
    """
    subfolders = list_folders(Path(folder))
    if any(path.name == "train" for path in subfolders) and all(path.name in SPLITS_OF_FOLDERS for path in subfolders):
        found = {SPLITS_OF_FOLDERS[path.name]: list_files(path) for path in subfolders}
    else:
        found = {"train": list_files(Path(folder))}
    headers = {split: [read_header(path) for _, path in files] for split, files in found.items()}
    channels = 3 if any(mode in COLOR_MODES for heads in headers.values() for mode, _ in heads) else 1
    if not size:
        size = headers["train"][0][1]
        for split, files in found.items():
            check_sizes([path for _, path in files], [shape for _, shape in headers[split]], size)
    splits = {}
    for split, files in found.items():
        labels = None if files[0][0] is None else np.array([label for label, _ in files])
        splits[split] = Split(labels, stream_images(folder, [path for _, path in files], (*size, channels)))
    return splits


def check_sizes(paths: Sequence[Path], sizes: Sequence[tuple[int, int]], expected: tuple[int, int]) -> None:
    """Raise UserError unless all images have the same height and width."""
    for path, size in zip(paths, sizes, strict=True):
        if size != expected:
            raise UserError(
                f"{path} is {format_shape(size)} pixels high and wide, the first image {format_shape(expected)}. "
                "Set size to [height, width] to resize all images."
            )


def list_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones."""
    with report_unreadable_file(folder):
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def list_images(folder: Path) -> list[Path]:
    """Return the image files in a folder, sorted."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")


def list_files(folder: Path) -> list[tuple[str | None, Path]]:
    """Return the images in the class folders of a folder, each with its class; or those in the folder itself."""
    classes, unlabeled = list_folders(folder), list_images(folder)
    found = [(path.name, file) for path in classes for file in list_images(path)]
    if found and unlabeled:
        raise UserError(f"{folder} has images ({unlabeled[0].name}) beside its class folders. Move them into these.")
    found = found or [(None, file) for file in unlabeled]
    if not found:
        raise UserError(f"{folder} has no images (.png, .jpg), neither in class folders nor in itself. Add some.")
    return found


def read_header(path: Path) -> tuple[str, tuple[int, int]]:
    """Return an image file's mode, as PIL names it, and its height and width."""
    with report_unreadable_file(path), Image.open(path) as image:
        if image.mode not in MODES:
            raise UserError(f"{path} has pixels of mode {image.mode}. Save it as grayscale or RGB.")
        return image.mode, (image.height, image.width)


def stream_images(name: str, paths: Sequence[Path], shape: tuple[int, int, int]) -> Stream:
    """Return the images of files, each brought to a shape (height, width, channels)."""
    size = block_length((len(paths), *shape), 4)

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, len(paths), size):
            yield np.stack([read_image(path, shape) for path in paths[start : start + size]])
            log.info("%d of %d images", min(start + size, len(paths)), len(paths))

    return Stream(name, (len(paths), *shape), blocks)


def read_image(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Return an image file as float32 (height, width, channels) in [0, 1], on white where it is transparent."""
    with report_unreadable_file(path):
        stored = imread(path)
    values = stored / np.float32({"b": 1, "u": 256**stored.dtype.itemsize}[stored.dtype.kind])
    image = values.astype(np.float32).reshape(*values.shape[:2], -1)
    if image.shape[2] in (2, 4):
        alpha = image[:, :, -1:] / WHITE
        image = image[:, :, :-1] * alpha + WHITE * (1 - alpha)
    if image.shape[2] == 1 and shape[2] == 3:
        image = np.repeat(image, 3, axis=2)
    if image.shape[:2] != shape[:2]:
        image = resize(image, shape[:2], anti_aliasing=True).clip(0, 1).astype(np.float32)
    return image
