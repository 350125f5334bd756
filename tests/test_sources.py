"""Data sets of every kind: the same images and labels whatever they are kept in, and one line for what is none."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from download_dataset import write_idx
from prepare_dataset import prepare_dataset
from prepare_vectors import as_features
from skimage.io import imsave
from sklearn.datasets import load_digits

from common.errors import UserError
from common.readers.sources import npy_rows, number_labels, read_labels, read_source, write_rows
from common.readers.splits import held_out, stratified_rows
from helpers import ROOT

FASHION = Path("/usr/share/datasets/fashion-mnist")
GENERATOR = np.random.default_rng(0)
COLORED = GENERATOR.integers(0, 256, (90, 6, 9, 3)).astype(np.uint8)


NAMES = {  # of the files of a kind, as its reader calls them
    "idx": ("train_images", "train_labels", "test_images", "test_labels", "mapping"),
    "npz": ("path",),
    "folder": ("folder",),
}


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits as bytes (n, 8, 8), and their labels."""
    digits = load_digits()
    return (digits.images * 15).astype(np.uint8), digits.target


def prepared(kind, paths, folder, parts=(), size=None, classes=None, sample=None, trained=False):
    """What prepare_dataset writes: the images and the labels by split, and the classes."""
    files = dict(zip(parts or NAMES[kind], map(str, paths), strict=False))
    splits, names = prepare_dataset(read_source(kind, files, size), classes, sample, trained)
    images = {}
    for split, (source, rows, labels) in splits.items():
        write_rows(source, rows, folder / f"{split}.npy")
        images[split] = np.load(folder / f"{split}.npy")
        assert images[split].dtype == np.float32 and len(labels) == len(images[split])
    return images, {split: labels for split, (_, _, labels) in splits.items()}, names


def as_npz(images, labels, folder):
    np.savez(folder / "a.npz", x_train=images[300:], y_train=labels[300:], x_test=images[:300], y_test=labels[:300])
    return "npz", [folder / "a.npz"], ()


def as_packed_npz(images, labels, folder):
    arrays = {"x_train": images[300:, ..., None], "y_train": labels[300:, None].astype(np.uint8)}
    np.savez_compressed(folder / "a.npz", **arrays, x_test=images[:300, ..., None], y_test=labels[:300, None])
    return "npz", [folder / "a.npz"], ()


def as_idx(images, labels, folder):
    paths = []
    for name, rows in (("train", slice(300, None)), ("t10k", slice(300))):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            paths.append(folder / f"{name}-{kind}-ubyte")
            paths[-1].write_bytes(write_idx(array[rows]))
    return "idx", paths, ()


def as_packed_emnist(images, labels, folder):
    _, plain, _ = as_idx(images.swapaxes(1, 2), labels, folder)
    paths = [path.with_name(f"emnist-digits-{path.name}.gz") for path in plain]
    for path, packed in zip(plain, paths, strict=True):
        packed.write_bytes(gzip.compress(path.read_bytes()))
    mapping = folder / "emnist-digits-mapping.txt"
    mapping.write_text("".join(f"{number} {48 + number}\n" for number in range(10)))
    return "idx", [*paths, mapping], ()


def as_npy(images, labels, folder):
    arrays = {"images": images[300:], "labels": labels[300:], "test_images": images[:300], "test_labels": labels[:300]}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.asfortranarray(array))
    return "npy", [folder / f"{name}.npy" for name in arrays], list(arrays)


def as_floats_with_text(images, labels, folder):
    arrays = {"images": images[300:] / 256, "test_images": (images[:300] / 256).astype(np.float32)}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "labels.csv").write_text("digit\n" + "".join(f"{label}\n" for label in labels[300:]))
    (folder / "test.txt").write_text("".join(f"{label}\n" for label in labels[:300]))
    paths = [folder / name for name in ("images.npy", "labels.csv", "test_images.npy", "test.txt")]
    return "npy", paths, ["images", "labels", "test_images", "test_labels"]


def as_folder(images, labels, folder):
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = folder / "images" / ("test" if number < 300 else "train") / str(label)
        place.mkdir(parents=True, exist_ok=True)
        imsave(place / f"{number:05}.PNG", image, check_contrast=False)
    return "folder", [folder / "images"], ()


@pytest.mark.parametrize(
    "keep", [as_npz, as_packed_npz, as_idx, as_packed_emnist, as_npy, as_floats_with_text, as_folder]
)
def test_every_kind_of_source_gives_the_same(keep, digits, tmp_path, monkeypatch):
    monkeypatch.setattr("common.readers.sources.BLOCK_BYTES", 10_000)  # many blocks
    kind, paths, parts = keep(*digits, tmp_path)
    images, labels, names = prepared(kind, paths, tmp_path, parts)
    assert names == [str(digit) for digit in range(10)]
    expected, truth = digits[0][..., None] / np.float32(256), digits[1]
    order = np.argsort(truth[300:], kind="stable") + 300, np.argsort(truth[:300], kind="stable")
    for split, rows in zip(
        ("train", "test"), order if kind == "folder" else (slice(300, None), slice(300)), strict=True
    ):
        assert np.array_equal(images[split], expected[rows]) and np.array_equal(labels[split], truth[rows])
    assert images["validation"].shape == (0, 8, 8, 1) and labels["validation"].shape == (0,)


def test_fashion_mnist_as_it_is_distributed(tmp_path):
    if not FASHION.exists():
        message = "Fashion-MNIST is missing: apt-get install dataset-fashion-mnist"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    paths = [FASHION / f"{name}-ubyte.gz" for name in ("train-images-idx3", "train-labels-idx1")]
    paths += [FASHION / f"{name}-ubyte.gz" for name in ("t10k-images-idx3", "t10k-labels-idx1")]
    images, labels, names = prepared("idx", paths, tmp_path, sample=2000, trained=True, classes=list("abcdefghij"))
    assert images["train"].shape == (1670, 28, 28, 1) and images["validation"].shape == (330, 28, 28, 1)
    assert images["test"].shape == (10_000, 28, 28, 1) and names == list("abcdefghij")
    assert (np.bincount(labels["train"]) == 167).all() and (np.bincount(labels["validation"]) == 33).all()
    stored = np.frombuffer(gzip.decompress(paths[2].read_bytes())[16:], np.uint8).reshape(-1, 28, 28, 1)
    assert np.array_equal(images["test"] * 256, stored)


def test_what_the_source_does_not_split_is_cut_off_evenly_where_a_network_is_trained(digits, tmp_path):
    images, labels = digits
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels)
    whole, _, _ = prepared("npz", [tmp_path / "a.npz"], tmp_path)
    assert [len(whole[split]) for split in ("train", "validation", "test")] == [1797, 0, 0]
    cut, its_labels, _ = prepared("npz", [tmp_path / "a.npz"], tmp_path, trained=True)
    assert len(cut["train"]) + len(cut["validation"]) + len(cut["test"]) == 1797
    for split, share in (("test", 1 / 6), ("validation", 5 / 36), ("train", 25 / 36)):
        counts = np.bincount(its_labels[split])
        assert np.allclose(counts, share * np.bincount(labels), atol=1), split
    everything = np.concatenate(list(cut.values())).reshape(1797, -1)
    assert sorted(map(bytes, everything)) == sorted(map(bytes, whole["train"].reshape(1797, -1))), "each once"
    again, _, _ = prepared("npz", [tmp_path / "a.npz"], tmp_path, trained=True)
    assert np.array_equal(again["test"], cut["test"])


def test_classes_too_small_to_be_split_stay_in_training():
    kept, held = held_out(np.repeat([0, 1, 2], [60, 3, 1]))
    assert len(held) == 10 and set(held) < set(range(60)) and set(range(60, 64)) < set(kept)


def test_sample_keeps_the_shares_and_the_order(digits, tmp_path):
    images, labels = digits
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels)
    sampled, its_labels, _ = prepared("npz", [tmp_path / "a.npz"], tmp_path, sample=500)
    assert np.allclose(np.bincount(its_labels["train"]), 500 / 1797 * np.bincount(labels), atol=1)
    rows = stratified_rows(labels, 500)
    with pytest.raises(UserError, match="sample: 9 of 1797 rows cannot be drawn evenly from 10 classes"):
        stratified_rows(labels, 9)
    assert len(stratified_rows(labels, 1797)) == 1797
    assert (np.diff(rows) > 0).all() and np.array_equal(sampled["train"][..., 0] * 256, images[rows])


def folder_of(images, folder: Path, suffix: str = "png") -> Path:
    for number, image in enumerate(images):
        place = folder / f"class {number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        imsave(place / f"{number:03}.{suffix}", image, check_contrast=False)
    return folder


def test_folder_of_color_images_of_any_shape(tmp_path):
    folder = folder_of(COLORED, tmp_path / "images")
    images, labels, names = prepared("folder", [folder], tmp_path)
    assert names == ["class 0", "class 1", "class 2"] and np.array_equal(labels["train"], np.repeat([0, 1, 2], 30))
    assert np.array_equal(images["train"][:30] * 256, COLORED[::3])


def test_folder_with_grey_transparent_deep_and_packed_images_of_several_sizes(tmp_path):
    folder = folder_of(COLORED, tmp_path / "images")
    extra = folder / "extra"
    extra.mkdir()
    imsave(extra / "a grey.png", np.full((6, 9), 128, np.uint8), check_contrast=False)
    clear = np.zeros((6, 9, 4), np.uint8)
    clear[:3, :, 3] = 255  # black above, nothing below
    imsave(extra / "b clear.png", clear, check_contrast=False)
    imsave(extra / "c deep.png", np.full((6, 9), 2**15, np.uint16), check_contrast=False)
    images, _, names = prepared("folder", [folder], tmp_path)
    grey, clear, deep = images["train"][-3:]
    assert names[-1] == "extra" and (grey == 0.5).all() and (deep == 0.5).all()
    assert (clear[:3] == 0).all() and (clear[3:] == 255 / 256).all()
    imsave(extra / "large.jpg", np.full((60, 90, 3), 64, np.uint8), check_contrast=False)
    with pytest.raises(UserError, match=r"large\.jpg is 60 x 90 pixels high and wide, .*png is 6 x 9: set size"):
        prepared("folder", [folder], tmp_path)
    images, _, _ = prepared("folder", [folder], tmp_path, size=[3, 3])
    assert images["train"].shape == (94, 3, 3, 3) and np.allclose(images["train"][-1], 0.25, atol=0.01)


def test_images_without_labels(tmp_path):
    folder = folder_of(COLORED, tmp_path / "images") / "class 0"
    images, labels, names = prepared("folder", [folder], tmp_path)
    assert images["train"].shape == (30, 6, 9, 3) and names == [] and not labels["train"].any()
    np.save(tmp_path / "a.npy", COLORED)
    images, labels, names = prepared("npy", [tmp_path / "a.npy"], tmp_path, ["images"], sample=40)
    assert len(images["train"]) == 40 and names == []


def test_names_are_sorted_and_integers_are_by_value():
    labels, names = number_labels({"train": np.array(["b", "a"]), "test": np.array(["c"])}, None)
    assert names == ["a", "b", "c"] and labels["train"].tolist() == [1, 0] and labels["test"].tolist() == [2]
    labels, names = number_labels({"train": np.array([10, 9, -1])}, None)
    assert names == ["-1", "9", "10"] and labels["train"].tolist() == [2, 1, 0]
    labels, names = number_labels({"train": np.array(["10", "9"]), "test": np.array(["9"])}, None)
    assert names == ["9", "10"] and labels["train"].tolist() == [1, 0]
    labels, names = number_labels({"train": np.array(["10", "09"])}, None)
    assert names == ["09", "10"]
    labels, names = number_labels({"train": np.array([0, 2])}, ["x", "y", "z"])
    assert names == ["x", "y", "z"] and labels["train"].tolist() == [0, 2]


IMAGES = np.zeros((40, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        (
            {"x_train": IMAGES + 1.5},
            "of the 40 images in x_train in {path}, 40 have values that are not from 0 to 1: divide",
        ),
        (
            {"x_train": np.where(np.arange(40) < 3, np.nan, 0)[:, None, None] + IMAGES},
            "3 have values that are not from 0 to 1",
        ),
        ({"x_train": IMAGES.astype(int) + 300}, "40 have values that are not from 0 to 255"),
        (
            {"x_train": IMAGES.reshape(40, 16)},
            "is of shape 40 x 16: rows of 16 values are no images; give them as vectors",
        ),
        ({"x_train": np.zeros((40, 3, 8, 8))}, "the channels must be the last axis, not the second"),
        ({"x_train": np.zeros((40, 8, 8, 5))}, "with 1 or 3 channels as the last axis or none"),
        ({"x_train": IMAGES.astype("U1")}, "holds <U1, not numbers"),
        ({"x_train": IMAGES[:0], "y_train": np.zeros(0, int)}, "x_train in {path} has no images"),
        (
            {"x_test": IMAGES[:, :3], "y_test": np.zeros(40, int)},
            "the test images are 3 x 4 x 1, the train images 4 x 4 x 1",
        ),
        ({"y_train": np.zeros(39, int)}, "y_train in {path} has 39 labels for 40 rows"),
        (
            {"y_train": np.zeros((40, 10))},
            "is of shape 40 x 10, not one label a row; of one-hot labels give the argmax",
        ),
        ({"y_train": np.full(40, 0.5)}, "y_train in {path} has numbers that are not whole"),
        ({"y_train": np.full(40, np.nan)}, "y_train in {path} has numbers that are not whole"),
        ({"y_train": np.zeros(40, complex)}, "holds complex128, neither integers nor strings"),
        (
            {"x_test": IMAGES, "y_test": np.full(40, "a")},
            "the labels of one split are integers, those of another are names",
        ),
    ],
)
def test_what_is_no_data_set_is_refused_in_one_line(tmp_path, arrays, line):
    path = tmp_path / "a.npz"
    np.savez(path, **{"x_train": IMAGES, "y_train": np.arange(40) % 4} | arrays)
    with pytest.raises(UserError) as raised:
        prepared("npz", [path], tmp_path)
    assert line.format(path=path) in f"{raised.value}" and "\n" not in f"{raised.value}"


def test_too_many_classes_and_names_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="the labels have 1001 values, more than 1000"):
        number_labels({"train": np.arange(1001)}, None)
    with pytest.raises(UserError, match="classes gives 3 names, and 2 of the train labels are not from 0 to 2"):
        number_labels({"train": np.array([0, 3, -1])}, ["a", "b", "c"])
    with pytest.raises(UserError, match="the labels are names already"):
        number_labels({"train": np.array(["a"])}, ["a"])
    with pytest.raises(UserError, match="sample: class number 1 has a single row of the 100"):
        stratified_rows(np.repeat([0, 1], [99, 1]), 50)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def replace(path: Path) -> None:
    path.write_bytes(b"not what it was")


@pytest.mark.parametrize("keep", [as_npz, as_packed_npz, as_idx, as_packed_emnist, as_npy, as_folder])
@pytest.mark.parametrize("damage", [cut, replace, Path.unlink])
def test_damaged_file_is_named(keep, damage, digits, tmp_path):
    kind, paths, parts = keep(*digits, tmp_path)
    path = next(iter(sorted(paths[0].rglob("*.PNG")))) if kind == "folder" else paths[0]
    damage(path)
    if kind == "folder" and damage is Path.unlink:
        return  # then it is not there
    with pytest.raises(UserError) as raised:
        prepared(kind, paths, tmp_path, parts)
    assert str(path) in f"{raised.value}" and "\n" not in f"{raised.value}"


def test_idx_file_that_goes_on_is_refused(digits, tmp_path):
    kind, paths, _ = as_idx(*digits, tmp_path)
    lengthen(paths[0])
    with pytest.raises(UserError, match="goes on after its 1497 rows"):
        prepared(kind, paths, tmp_path)


def test_folders_that_are_no_data_set_are_refused(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="none has no images"):
        prepared("folder", [tmp_path / "none"], tmp_path)
    folder = folder_of(COLORED, tmp_path / "images")
    imsave(folder / "alone.png", COLORED[0], check_contrast=False)
    with pytest.raises(UserError, match=r"has images \(alone.png\) beside its folders of classes"):
        prepared("folder", [folder], tmp_path)
    with pytest.raises(UserError, match="missing: no such file"):
        prepared("folder", [tmp_path / "missing"], tmp_path)


def test_vectors_of_any_type_and_order_become_rows_of_float32(tmp_path):
    vectors = GENERATOR.normal(size=(50, 7))
    for number, array in enumerate(
        (vectors, np.asfortranarray(vectors), vectors.astype(">f4"), vectors.astype(np.float16))
    ):
        np.save(tmp_path / f"{number}.npy", array)
        write_rows(as_features(npy_rows(str(tmp_path / f"{number}.npy"))), np.arange(0, 50, 2), tmp_path / "out.npy")
        found = np.load(tmp_path / "out.npy")
        assert found.dtype == np.float32 and np.array_equal(found, array[::2].astype(np.float32))


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.zeros(50), "is of shape 50, and must have a row a vector"),
        (np.zeros((50, 2, 2)), "is of shape 50 x 2 x 2, and must have a row a vector"),
        (
            np.where(np.arange(50) < 3, np.nan, 0)[:, None],
            "of the 50 rows of {path}, 3 have values that are not finite",
        ),
        (np.full((50, 2), 1e300), "of the 50 rows of {path}, 50 have values that are not finite"),
        (np.where(np.arange(50) < 3, 1e15, 0)[:, None], "3 have values that are not finite, or are longer than 1e+14"),
        (np.full((50, 2), "a"), "holds <U1, not real numbers"),
        (np.full((50, 2), None), "cannot be read (ValueError"),
    ],
)
def test_what_are_no_vectors_is_refused_in_one_line(tmp_path, array, line):
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(UserError) as raised:
        write_rows(as_features(npy_rows(str(path))), np.arange(50), tmp_path / "out.npy")
    assert line.format(path=path) in f"{raised.value}"


def test_labels_from_text(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text('name\n"a, b"\n01\nnan\n')
    assert read_labels(str(path), 3).tolist() == ["a, b", "01", "nan"]
    path.write_text("01\n1\n10\n")
    _, names = number_labels({"train": read_labels(str(path), 3)}, None)
    assert names == ["01", "1", "10"], "01 is a name"
    path.write_text('name\n"a, b"\n01\nnan\n')
    with pytest.raises(UserError, match="has 4 labels for 7 rows"):
        read_labels(str(path), 7)
    path.write_text("1,2\n3,4\n")
    with pytest.raises(UserError, match="has several columns"):
        read_labels(str(path), 2)


LARGE = """
import json, resource, sys
from pathlib import Path
from prepare_dataset import prepare_dataset
from common.readers.sources import read_source, write_rows

path, size = sys.argv[1], int(sys.argv[2])
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (used + size,) * 2)
splits, _ = prepare_dataset(read_source("npy", {"images": path}, None), None, 100, False)
source, rows, _ = splits["train"]
write_rows(source, rows, Path(path).with_name("out.npy"))
"""


def test_sample_of_a_set_larger_than_memory(tmp_path):
    path, shape = tmp_path / "large.npy", (200_000, 64, 64)  # 800 MB, with holes
    array = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    array[:: shape[0] - 1] = 7
    array.flush()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "OPENBLAS_NUM_THREADS": "1"}
    for size, status in ((400 * 2**20, 0), (20 * 2**20, 1)):  # so little that it can be seen to be a limit
        command = [sys.executable, "-c", LARGE, str(path), str(size)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == status, result.stderr
        if status == 0:
            assert np.load(tmp_path / "out.npy").shape == (100, 64, 64, 1)
