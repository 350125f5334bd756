"""Every kind of data set gives the same images and labels, and an error that names a damaged file."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from common.errors import UserError
from common.readers import read_dataset
from common.readers.idx import write_idx
from common.readers.mnist_pickle import write_pairs

FASHION = Path("/usr/share/datasets/fashion-mnist")
TEST, TRAIN = slice(60), slice(60, None)
SPLITS = {"train": TRAIN, "test": TEST}


def write_npz(folder, images, labels):
    path = folder / "a.npz"
    np.savez(path, x_train=images[TRAIN], y_train=labels[TRAIN], x_test=images[TEST], y_test=labels[TEST])
    return "npz", {"path": path}


def write_compressed_npz(folder, images, labels):
    columns = {f"x_{split}": images[rows, ..., None] for split, rows in SPLITS.items()}
    columns |= {"y_train": labels[TRAIN, None].astype(np.uint8), "y_test": labels[TEST, None].astype(np.uint8)}
    np.savez_compressed(folder / "a.npz", **columns)
    return "npz", {"path": folder / "a.npz"}


def write_idx_files(folder, images, labels):
    files = {}
    for split, rows in SPLITS.items():
        for content, array in (("images", images), ("labels", labels.astype(np.uint8))):
            files[f"{split}_{content}"] = folder / f"{split}-{content}"
            files[f"{split}_{content}"].write_bytes(write_idx(array[rows]))
    return "idx", files


def write_gzipped_emnist(folder, images, labels):
    files = {}
    for name, path in write_idx_files(folder, images.swapaxes(1, 2), labels)[1].items():
        files[name] = path.with_name(f"emnist-digits-{path.name}.gz")
        files[name].write_bytes(gzip.compress(path.read_bytes()))
    files["mapping"] = folder / "mapping.txt"
    files["mapping"].write_text("".join(f"{number} {48 + number}\n" for number in range(10)))
    return "idx", files


def write_npy(folder, images, labels):
    files = {}
    for prefix, rows in (("", TRAIN), ("test_", TEST)):
        for content, array in (("images", images), ("labels", labels)):
            files[f"{prefix}{content}"] = folder / f"{prefix}{content}.npy"
            np.save(files[f"{prefix}{content}"], np.asfortranarray(array[rows]))
    return "npy", files


def write_floats_and_text(folder, images, labels):
    names = {"images": "a.npy", "labels": "a.csv", "test_images": "b.npy", "test_labels": "b.txt"}
    files = {name: folder / file for name, file in names.items()}
    np.save(files["images"], images[TRAIN] / 256)
    np.save(files["test_images"], (images[TEST] / 256).astype(np.float32))
    files["labels"].write_text("digit\n" + "".join(f"{label}\n" for label in labels[TRAIN]))
    files["test_labels"].write_text("".join(f"{label}\n" for label in labels[TEST]))
    return "npy", files


def write_folder(folder, images, labels):
    for split, rows in SPLITS.items():
        for number, (image, label) in enumerate(zip(images[rows], labels[rows], strict=True)):
            path = folder / "images" / split / str(label) / f"{number:05}.PNG"
            path.parent.mkdir(parents=True, exist_ok=True)
            imsave(path, image, check_contrast=False)
    return "folder", {"folder": folder / "images"}


ARRAYS = (write_npz, write_compressed_npz, write_idx_files, write_gzipped_emnist, write_npy, write_floats_and_text)


@pytest.mark.parametrize("write", [*ARRAYS, write_folder])
def test_every_format_gives_the_same_images_and_labels(write, digits, prepare, tmp_path, monkeypatch):
    monkeypatch.setattr("common.readers.streams.BLOCK_BYTES", 10_000)  # many blocks
    kind, files = write(tmp_path, *digits)
    images, labels, names = prepare(kind, files)
    assert names == [str(digit) for digit in range(10)]
    expected, truth = digits[0][..., None] / np.float32(256), digits[1]
    for split, rows in (("train", np.arange(60, 360)), ("test", np.arange(60))):
        if kind == "folder":
            rows = rows[np.argsort(truth[rows], kind="stable")]
        assert np.array_equal(images[split], expected[rows]) and np.array_equal(labels[split], truth[rows])
        assert images[split].dtype == np.float32
    assert images["validation"].shape == (0, 8, 8, 1) and labels["validation"].shape == (0,)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def overwrite(path: Path) -> None:
    path.write_bytes(b"something else")


@pytest.mark.parametrize("write", ARRAYS)
@pytest.mark.parametrize("damage", [truncate, overwrite, Path.unlink])
def test_damaged_file_is_named(write, damage, digits, prepare, tmp_path):
    kind, files = write(tmp_path, *digits)
    path = next(iter(files.values()))
    damage(path)
    with pytest.raises(UserError) as raised:
        prepare(kind, files)
    assert str(path) in f"{raised.value}" and "\n" not in f"{raised.value}"


def test_digits_are_those_of_scikit_learn(prepare):
    images, labels, names = prepare("digits", {})
    assert images["train"].shape == (1797, 8, 8, 1) and names == [str(digit) for digit in range(10)]
    assert images["train"].min() == 0 and images["train"].max() == 1
    assert labels["train"][:10].tolist() == list(range(10))


def test_pickle_gives_three_splits_of_square_images(prepare, pairs, tmp_path):
    write_pairs(tmp_path / "a.pkl.gz", pairs)
    images, labels, _ = prepare("pickle", {"path": tmp_path / "a.pkl.gz"})
    for split, (rows, numbers) in zip(("train", "validation", "test"), pairs, strict=True):
        assert images[split].shape == (len(rows), 28, 28, 1)
        assert np.array_equal(images[split].reshape(rows.shape), rows) and np.array_equal(labels[split], numbers)


@pytest.mark.parametrize("pixels", [783, 785, 2])
def test_pickle_of_images_that_are_not_square_is_refused(tmp_path, pixels):
    path = tmp_path / "a.pkl.gz"
    write_pairs(path, [(np.zeros((2, pixels), np.float32), np.arange(2))] * 3)
    with pytest.raises(UserError, match=rf"a\.pkl\.gz: rows of {pixels} pixels are not square images"):
        read_dataset("pickle", {"path": path}, None)


@pytest.mark.slow
def test_fashion_mnist_as_it_is_distributed(prepare):
    if not FASHION.exists():
        message = "Fashion-MNIST is missing: apt-get install dataset-fashion-mnist"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    names = {"train_images": "train-images-idx3", "train_labels": "train-labels-idx1"}
    names |= {"test_images": "t10k-images-idx3", "test_labels": "t10k-labels-idx1"}
    files = {name: FASHION / f"{file}-ubyte.gz" for name, file in names.items()}
    images, labels, names = prepare("idx", files, sample=2000, trained=True, classes=list("abcdefghij"))
    assert images["train"].shape == (1670, 28, 28, 1) and images["validation"].shape == (330, 28, 28, 1)
    assert images["test"].shape == (10_000, 28, 28, 1) and names == list("abcdefghij")
    assert (np.bincount(labels["train"]) == 167).all() and (np.bincount(labels["validation"]) == 33).all()
    stored = np.frombuffer(gzip.decompress(files["test_images"].read_bytes())[16:], np.uint8).reshape(-1, 28, 28, 1)
    assert np.array_equal(images["test"] * 256, stored)


IMAGES = np.zeros((40, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"x_train": IMAGES[:0], "y_train": np.zeros(0, int)}, "x_train in {path} has no images."),
        (
            {"x_test": IMAGES[:, :3], "y_test": np.zeros(40, int)},
            "The test images are 3 x 4 x 1, the training images 4 x 4 x 1. Give all the same shape.",
        ),
        (
            {"x_test": IMAGES, "y_test": np.full(40, "a")},
            "The labels of one split are numbers, those of another are names. Give both in the same form.",
        ),
        ({"y_train": np.zeros(39, int)}, "y_train in {path} has 39 labels for 40 images. Add the 1 missing label."),
        ({"x_train": IMAGES + 1.5}, "40 of the 40 images in x_train in {path} have values outside 0 to 1. Divide"),
        (
            {"x_train": IMAGES.astype(int) + 300},
            "40 of the 40 images in x_train in {path} have values outside 0 to 255.",
        ),
        ({"x_train": np.where(np.arange(40) < 3, np.nan, 0)[:, None, None] + IMAGES}, "3 of the 40 images in x_train"),
        ({"x_train": IMAGES.reshape(40, 16)}, "{path} has the shape 40 x 16: rows of 16 values are not images."),
        ({"x_train": np.zeros((40, 3, 8, 8))}, "with the channels second. Move them to the last axis"),
        ({"x_train": np.zeros((40, 8, 8, 5))}, "{path} has the shape 40 x 8 x 8 x 5. It must be (n, height, width) or"),
        ({"x_train": IMAGES.astype("U1")}, "x_train in {path} holds <U1. Images must be numbers."),
        (
            {"y_train": np.zeros((40, 10))},
            "40 x 10, not one label for each image. If they are one-hot, give labels.argmax(axis=1).",
        ),
        (
            {"y_train": np.full(40, 0.5)},
            "y_train in {path} has labels that are not whole numbers, the first at index 0: 0.5",
        ),
        (
            {"y_train": np.full(40, np.nan)},
            "y_train in {path} has labels that are not whole numbers, the first at index 0",
        ),
        ({"y_train": np.zeros(40, complex)}, "y_train in {path} holds complex128. Labels must be whole numbers or"),
    ],
)
def test_arrays_that_are_not_a_data_set_are_refused(tmp_path, prepare, arrays, line):
    path = tmp_path / "a.npz"
    np.savez(path, **{"x_train": IMAGES, "y_train": np.arange(40) % 4} | arrays)
    with pytest.raises(UserError) as raised:
        prepare("npz", {"path": path})
    assert line.format(path=path) in f"{raised.value}" and "\n" not in f"{raised.value}"


def test_test_split_without_images_is_read(tmp_path, prepare):
    np.savez(tmp_path / "a.npz", x_train=IMAGES, y_train=np.arange(40), x_test=IMAGES[:0], y_test=np.zeros(0, int))
    assert prepare("npz", {"path": tmp_path / "a.npz"}).images["test"].shape == (0, 4, 4, 1)


def test_labels_of_one_split_only_are_refused(tmp_path):
    files = {"images": tmp_path / "a.npy", "test_images": tmp_path / "a.npy", "test_labels": tmp_path / "b.npy"}
    np.save(files["images"], IMAGES)
    np.save(files["test_labels"], np.arange(40))
    with pytest.raises(UserError, match="The test images and the training images must both have labels, or neither"):
        read_dataset("npy", {name: str(path) for name, path in files.items()}, None)


def test_arrays_without_labels_have_no_classes(tmp_path, prepare):
    np.save(tmp_path / "a.npy", IMAGES)
    files = {"images": tmp_path / "a.npy", "test_images": tmp_path / "a.npy"}
    images, labels, names = prepare("npy", files, sample=30)
    assert len(images["train"]) == 30 and len(images["test"]) == 40 and names == []
    assert not labels["train"].any() and len(labels["test"]) == 40
