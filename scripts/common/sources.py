"""What data sets are kept in: images and labels read from files of any of the usual kinds, a block at a time."""

import csv
import gzip
import logging
import math
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from skimage.io import imread
from skimage.transform import resize
from sklearn.datasets import load_digits

from common.files import write_blocks
from common.jobs import UserError
from common.mnist_pickle import read_pairs

log = logging.getLogger("workflow")

BLOCK_BYTES = 32 * 2**20  # of a file that are in memory at once
MAX_CLASSES = 1000
MAX_LABELS = 2**31  # bytes of them
SUFFIXES = (".png", ".jpg", ".jpeg")
SPLITS_OF_FOLDERS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
MODES = ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")  # of PIL: bits, grey, palette, with alpha, color, 16 bits
COLORED = ("P", "RGB", "RGBA")


@dataclass(frozen=True)
class Rows:
    """An array on disk of which no more than a block need be in memory."""

    place: str  # what to call it to a user
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[np.ndarray]]  # of consecutive rows


@dataclass(frozen=True)
class Part:
    """One split of a data set as its source has it."""

    labels: np.ndarray | None  # (n,) int64 or strings
    images: Rows  # (n, height, width, channels); its blocks are float32 in [0, 1]


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Raise UserError that names `place` if the block cannot read it; MemoryError as it is."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except FileNotFoundError:
        raise UserError(f"{place}: no such file") from None
    except Exception as error:  # a file from outside can make its reader fail in any way
        raise UserError(f"{place} cannot be read ({type(error).__name__}: {f'{error}'.strip():.200})") from error


def rows_a_block(shape: Sequence[int], itemsize: int) -> int:
    """How many rows of an array make a block."""
    return max(1, BLOCK_BYTES // max(1, itemsize * math.prod(shape[1:])))


# -------------------------------------------------------------------------------------------------------------- arrays


def streamed(place: str, shape: tuple[int, ...], dtype: np.dtype, open_at_rows: Callable[[], BinaryIO]) -> Rows:
    """The rows of an array in C order in a stream, which must end with the last."""

    def blocks() -> Iterator[np.ndarray]:
        size = rows_a_block(shape, dtype.itemsize)
        with reading(place), open_at_rows() as stream:
            for start in range(0, shape[0], size):
                count = min(size, shape[0] - start)
                wanted = count * dtype.itemsize * math.prod(shape[1:])
                content = stream.read(wanted)
                if len(content) < wanted:
                    raise UserError(f"{place} ends before its {shape[0]} rows of {' x '.join(map(str, shape[1:]))} do")
                yield np.frombuffer(content, dtype).reshape(count, *shape[1:])
            if stream.read(1):
                raise UserError(f"{place} goes on after its {shape[0]} rows")

    return Rows(place, shape, blocks)


def npy_rows(path: str) -> Rows:
    """The rows of a .npy file of numbers or strings."""
    with reading(path):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray) or not array.ndim:
            raise UserError(f"{path} is no .npy file of an array with rows")

    def blocks() -> Iterator[np.ndarray]:
        size = rows_a_block(array.shape, array.dtype.itemsize)
        for start in range(0, len(array), size):
            yield np.asarray(array[start : start + size])

    return Rows(path, array.shape, blocks)


def npz_rows(path: str, name: str) -> Rows:
    """The rows of one array of a .npz file, packed or not."""
    place = f"{name} in {path}"

    def open_at_header() -> BinaryIO:
        return zipfile.ZipFile(path).open(f"{name}.npy")

    def header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        return read(stream)

    def open_at_rows() -> BinaryIO:
        stream = open_at_header()
        header(stream)
        return stream

    with reading(place), open_at_header() as stream:
        shape, columns_first, dtype = header(stream)
    if dtype.hasobject or columns_first or not shape:
        raise UserError(f"{place} is no array of numbers or strings in C order; write it with np.savez anew")
    return streamed(place, shape, dtype, open_at_rows)


def idx_rows(path: str) -> Rows:
    """The rows of an IDX file of bytes (http://yann.lecun.com/exdb/mnist), gzipped or not."""

    def open_file() -> BinaryIO:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return gzip.open(path) if packed else open(path, "rb")

    with reading(path), open_file() as stream:
        start = stream.read(4)
        if start[:3] != b"\0\0\x08" or len(start) < 4 or not 1 <= start[3] <= 4:
            raise UserError(f"{path} is no IDX file of bytes")
        shape = struct.unpack(f">{start[3]}I", stream.read(4 * start[3]))

    def open_at_rows() -> BinaryIO:
        stream = open_file()
        stream.read(4 + 4 * len(shape))
        return stream

    return streamed(path, shape, np.dtype(np.uint8), open_at_rows)


def in_memory(place: str, array: np.ndarray) -> Rows:
    """The rows of an array."""
    return Rows(place, array.shape, lambda: iter([array]))


def write_rows(source: Rows, rows: np.ndarray, path: Path) -> None:
    """Write the chosen rows, ascending, of a source of float32 as a .npy file, block by block."""

    def chosen() -> Iterator[np.ndarray]:
        start = 0
        for block in source.blocks():
            yield block[rows[slice(*np.searchsorted(rows, (start, start + len(block))))] - start]
            start += len(block)

    write_blocks(path, (len(rows), *source.shape[1:]), chosen())


# --------------------------------------------------------------------------------------------------- images and labels


def image_shape(rows: Rows) -> tuple[int, int, int]:
    """Height, width and channels of the images (n, height, width) or (n, height, width, channels) that `rows` are."""
    shape = rows.shape
    said = f"{rows.place} is of shape {' x '.join(map(str, shape))}"
    if len(shape) == 2:
        raise UserError(f"{said}: rows of {shape[1]} values are no images; give them as vectors")
    if len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        raise UserError(f"{said}: the channels must be the last axis, not the second; write it with np.moveaxis anew")
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)) or 0 in shape[1:]:
        raise UserError(f"{said}, and must be (n, height, width), with 1 or 3 channels as the last axis or none")
    return (*shape[1:3], shape[3] if len(shape) == 4 else 1)


def as_images(rows: Rows) -> Rows:
    """Images of bytes, or of numbers from 0 to 1, as float32 (n, height, width, channels): bytes k become k / 256.

    Raises UserError, when its blocks are read, if there are others, with their number.
    """
    shape = image_shape(rows)

    def blocks() -> Iterator[np.ndarray]:
        wrong, allowed = 0, ""
        for block in rows.blocks():
            if block.dtype.kind not in "buif":
                raise UserError(f"{rows.place} holds {block.dtype}, not numbers")
            images = block.reshape(len(block), *shape)
            highest, scale = (255, 256) if block.dtype.kind in "ui" else (1, 1)
            # False where one of them is NaN
            good = ((images >= 0) & (images <= highest)).reshape(len(images), -1).all(axis=1)
            wrong += len(images) - np.count_nonzero(good)
            allowed = f"from 0 to {highest}" + (": divide them by 255, or give bytes" if scale == 1 else "")
            yield images.astype(np.float32) / np.float32(scale)
        if wrong:
            raise UserError(
                f"of the {rows.shape[0]} images in {rows.place}, {wrong} have values that are not {allowed}"
            )

    return Rows(rows.place, (rows.shape[0], *shape), blocks)


def as_labels(rows: Rows, count: int) -> np.ndarray:
    """Labels, (count,) int64 or strings, from an array of integers, of whole numbers or of strings."""
    if math.prod(rows.shape) > MAX_LABELS or len(rows.shape) > 2 or (len(rows.shape) == 2 and rows.shape[1] != 1):
        hint = "; of one-hot labels give the argmax" if len(rows.shape) == 2 else ""
        raise UserError(f"{rows.place} is of shape {' x '.join(map(str, rows.shape))}, not one label a row{hint}")
    blocks = list(rows.blocks())
    labels = np.concatenate(blocks).reshape(-1) if blocks else np.zeros(0, np.int64)
    if len(labels) != count:
        raise UserError(f"{rows.place} has {len(labels)} labels for {count} rows")
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "U":
        return np.char.strip(labels)
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):  # as they are not where one is NaN
        raise UserError(f"{rows.place} has numbers that are not whole, which are no labels of classes")
    if labels.dtype.kind not in "biuf":
        raise UserError(f"{rows.place} holds {labels.dtype}, neither integers nor strings")
    return labels.astype(np.int64)


def text_labels(path: str, count: int) -> np.ndarray:
    """Labels from a text file, one a line, or a .csv file of one column, with a header or without."""
    with reading(path), open(path, newline="", encoding="utf-8") as file:
        if Path(path).suffix == ".csv":
            lines = list(csv.reader(file))
            if any(len(line) > 1 for line in lines):
                raise UserError(f"{path} has several columns; give a file of the labels only")
            words = [line[0].strip() if line else "" for line in lines]
        else:
            words = [line.strip() for line in file.read().splitlines()]
    if len(words) == count + 1:
        words = words[1:]  # of a header
    if len(words) != count:
        raise UserError(f"{path} has {len(words)} labels for {count} rows")
    return np.array(words)


def read_labels(path: str, count: int) -> np.ndarray:
    """Labels (count,), int64 or strings, from a .npy or a text file; those of text are strings."""
    return as_labels(npy_rows(path), count) if Path(path).suffix == ".npy" else text_labels(path, count)


def number_labels(
    labels: Mapping[str, np.ndarray], names: Sequence[str] | None
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Labels by split as numbers of classes, int64, and the classes' names: the values, sorted, or the `names` given.

    Names that are all integers, as folders can be called, are sorted by value.

    Raises UserError if there are more than MAX_CLASSES, or `names` are given and the labels are not their numbers.
    """
    words = np.unique(np.concatenate([values.astype(str) for values in labels.values()]))
    if all(re.fullmatch("0|-?[1-9][0-9]{0,17}", word) for word in words):
        labels = {split: values.astype(np.int64) for split, values in labels.items()}
    kinds = {values.dtype.kind for values in labels.values()}
    if len(kinds) > 1:
        raise UserError("the labels of one split are integers, those of another are names")
    if names is not None:
        if kinds != {"i"}:
            raise UserError(f"classes gives {len(names)} names, but the labels are names already; leave it out")
        for split, values in labels.items():
            wrong = np.count_nonzero((values < 0) | (values >= len(names)))
            if wrong:
                raise UserError(
                    f"classes gives {len(names)} names, and {wrong} of the {split} labels are not from 0 to "
                    f"{len(names) - 1}: give a name for each"
                )
        return dict(labels), list(names)
    values = np.unique(np.concatenate(list(labels.values())))
    if len(values) > MAX_CLASSES:
        raise UserError(f"the labels have {len(values)} values, more than {MAX_CLASSES}: are they classes?")
    numbered = {split: np.searchsorted(values, its).astype(np.int64) for split, its in labels.items()}
    return numbered, [str(value) for value in values]


# ------------------------------------------------------------------------------------------------------------- sources


def read_pickle(path: str) -> dict[str, Part]:
    """The three splits of a mnist.pkl.gz of square images of one channel; it is read whole."""
    parts = {}
    for split, (rows, labels) in zip(("train", "validation", "test"), read_pairs(path), strict=True):
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise UserError(f"{path}: rows of {rows.shape[1]} pixels are no square images")
        parts[split] = Part(labels.astype(np.int64), as_images(in_memory(path, rows.reshape(-1, side, side))))
    return parts


def read_idx(
    train_images: str, train_labels: str, test_images: str, test_labels: str, mapping: str | None = None
) -> dict[str, Part]:
    """The two splits of the four IDX files of MNIST, Fashion-MNIST, KMNIST and EMNIST.

    EMNIST, whose files are named so, holds its images transposed, and its classes' code points in a file of their own.
    """
    parts = {}
    for split, images, labels in ("train", train_images, train_labels), ("test", test_images, test_labels):
        rows = as_images(idx_rows(images))
        numbers = as_labels(idx_rows(labels), rows.shape[0])
        if Path(images).name.startswith("emnist-"):
            log.info("%s: EMNIST holds its images transposed; turned upright", images)
            rows = transposed(rows)
        if mapping:
            with reading(mapping):
                names = dict(
                    map(int, line.split()[:2]) for line in Path(mapping).read_text().splitlines() if line.strip()
                )
                numbers = np.array([chr(names[number]) for number in numbers])
        parts[split] = Part(numbers, rows)
    return parts


def transposed(rows: Rows) -> Rows:
    """Images with their height and width exchanged."""
    n, height, width, channels = rows.shape

    def blocks() -> Iterator[np.ndarray]:
        for block in rows.blocks():
            yield block.swapaxes(1, 2)

    return replace(rows, shape=(n, width, height, channels), blocks=blocks)


def read_npz(path: str) -> dict[str, Part]:
    """The splits of a .npz file with x_train, y_train and, if there are some, x_test, y_test, as Keras writes them."""
    with reading(path), zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
    missing = [name for name in ("x_train", "y_train") if name not in names]
    if missing:
        raise UserError(f"{path} has no {' and no '.join(missing)}; there is {', '.join(names)}")
    parts = {}
    for split in ("train", "test"):
        if f"x_{split}" in names and f"y_{split}" in names:
            images = as_images(npz_rows(path, f"x_{split}"))
            parts[split] = Part(as_labels(npz_rows(path, f"y_{split}"), images.shape[0]), images)
    return parts


def read_npy(
    images: str, labels: str | None = None, test_images: str | None = None, test_labels: str | None = None
) -> dict[str, Part]:
    """The splits of .npy files of images, with labels in .npy or text files, or without."""
    parts = {}
    for split, its_images, its_labels in ("train", images, labels), ("test", test_images, test_labels):
        if its_images:
            rows = as_images(npy_rows(its_images))
            parts[split] = Part(read_labels(its_labels, rows.shape[0]) if its_labels else None, rows)
    return parts


def read_digits() -> dict[str, Part]:
    """scikit-learn's 1,797 digits, 8 x 8."""
    digits = load_digits()
    return {"train": Part(digits.target.astype(np.int64), as_images(in_memory("digits", digits.images / 16)))}


def read_folder(folder: str, size: Sequence[int] | None) -> dict[str, Part]:
    """The splits of a folder of images by class, folder/class/*.png, or folder/train/class/*.png and folder/test/...

    `size` is the height and width that they are resized to. Where any image has colors, all have three channels. A
    folder of images without classes has no labels.
    """
    inside = folders_in(Path(folder))
    if any(path.name == "train" for path in inside) and all(path.name in SPLITS_OF_FOLDERS for path in inside):
        found = {SPLITS_OF_FOLDERS[path.name]: files_by_class(path) for path in inside}
    else:
        found = {"train": files_by_class(Path(folder))}
    headers = {split: [image_header(path) for _, path in files] for split, files in found.items()}
    channels = 3 if any(mode in COLORED for heads in headers.values() for mode, _ in heads) else 1
    first = found["train"][0][1]
    shape = tuple(size) if size else image_header(first)[1]
    if not size:
        for split, files in found.items():
            for (_, path), (_, its_size) in zip(files, headers[split], strict=True):
                if its_size != shape:
                    raise UserError(
                        f"{path} is {its_size[0]} x {its_size[1]} pixels high and wide, {first} is "
                        f"{shape[0]} x {shape[1]}: set size to [height, width] to resize them all"
                    )
    parts = {}
    for split, files in found.items():
        labels = None if files[0][0] is None else np.array([label for label, _ in files])
        parts[split] = Part(labels, image_rows(folder, [path for _, path in files], (*shape, channels)))
    return parts


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, hidden ones left out."""
    with reading(str(folder)):
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def images_in(folder: Path) -> list[Path]:
    """The image files in a folder, sorted."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")


def files_by_class(folder: Path) -> list[tuple[str | None, Path]]:
    """The image files in the folders in a folder, with these folders' names; or those in itself, with None."""
    classes, alone = folders_in(folder), images_in(folder)
    found = [(path.name, file) for path in classes for file in images_in(path)]
    if found and alone:
        raise UserError(f"{folder} has images ({alone[0].name}) beside its folders of classes; move them")
    found = found or [(None, file) for file in alone]
    if not found:
        raise UserError(f"{folder} has no images (.png, .jpg), neither in folders of classes nor itself")
    return found


def image_header(path: Path) -> tuple[str, tuple[int, int]]:
    """An image file's mode, as PIL has it, and its height and width."""
    with reading(str(path)), Image.open(path) as image:
        if image.mode not in MODES:
            raise UserError(f"{path} has pixels of kind {image.mode}; save it as grey or RGB")
        return image.mode, (image.height, image.width)


def image_rows(place: str, paths: Sequence[Path], shape: tuple[int, int, int]) -> Rows:
    """The images of files, each resized and colored to a shape (height, width, channels)."""
    size = rows_a_block((len(paths), *shape), 4)

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, len(paths), size):
            yield np.stack([read_image(path, shape) for path in paths[start : start + size]])
            log.info("%d of %d images", min(start + size, len(paths)), len(paths))

    return Rows(place, (len(paths), *shape), blocks)


def read_image(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """An image file as float32 (height, width, channels) in [0, 1], on white where it is transparent."""
    with reading(str(path)):
        stored = imread(path)
    values = stored / np.float32({"b": 1, "u": 256**stored.dtype.itemsize}[stored.dtype.kind])
    image = values.astype(np.float32).reshape(*values.shape[:2], -1)
    if image.shape[2] in (2, 4):
        alpha = image[:, :, -1:] / np.float32(255 / 256)
        image = image[:, :, :-1] * alpha + np.float32(255 / 256) * (1 - alpha)
    if image.shape[2] == 1 and shape[2] == 3:
        image = np.repeat(image, 3, axis=2)
    if image.shape[:2] != shape[:2]:
        image = resize(image, shape[:2], anti_aliasing=True).clip(0, 1).astype(np.float32)
    return image


def read_source(kind: str, files: Mapping[str, str], size: Sequence[int] | None) -> dict[str, Part]:
    """The splits of a data set of a kind that the configuration has, from its files, as its reader calls them.

    Raises UserError if it is none; of images, when their blocks are read.
    """
    readers = {
        "pickle": read_pickle,
        "idx": read_idx,
        "npz": read_npz,
        "npy": read_npy,
        "folder": partial(read_folder, size=size),
        "digits": read_digits,
    }
    found = readers[kind](**files)
    first = found["train"].images
    for split, part in found.items():
        if not part.images.shape[0] and split == "train":
            raise UserError(f"{part.images.place} has no images")
        if part.images.shape[1:] != first.shape[1:]:
            sizes = (" x ".join(map(str, rows.shape[1:])) for rows in (part.images, first))
            raise UserError("the {} images are {}, the train images {}".format(split, *sizes))
        if (part.labels is None) != (found["train"].labels is None):
            raise UserError(f"the {split} images and the train images must both have labels, or neither")
    return found
