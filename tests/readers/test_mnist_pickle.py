"""The reader of a mnist.pkl.gz: what it accepts, what it refuses, and that it runs nothing."""

import builtins
import gzip
import os
import pickle
import struct
import zlib

import numpy as np
import pytest
from file_bytes import pickle_of_python_2

from common.errors import UserError
from common.readers import mnist_pickle
from common.readers.mnist_pickle import check_steps, gunzip, read_pairs, write_pairs

GENERATOR = np.random.default_rng(0)
PAIRS = [((GENERATOR.integers(0, 256, (n, 9)) / 256).astype(np.float32), np.arange(n)) for n in (7, 5, 4)]
IMAGES, LABELS = np.zeros((5, 4), np.float32), np.zeros(5, np.int64)
SPLITS = ("train", "validation", "test")
REMEDY = "Write it again with three pairs of float32 images in [0, 1) and integer labels."


def store(path, data, protocol=4):
    path.write_bytes(gzip.compress(pickle.dumps(data, protocol), 1))
    return path


def check_equal(found, pairs):
    for (images, labels), (found_images, found_labels) in zip(pairs, found, strict=True):
        assert np.array_equal(images, found_images) and found_images.dtype == np.float32 and found_images.dtype.isnative
        assert np.array_equal(labels, found_labels) and found_labels.dtype.kind in "iu" and found_labels.dtype.isnative


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, ">i4"])
def test_pickle_of_any_protocol_and_byte_order_is_read_as_it_was_written(tmp_path, protocol, dtype):
    for change in (np.asarray, np.asfortranarray, lambda array: array.astype(array.dtype.newbyteorder(">"))):
        pairs = tuple((change(images), labels.astype(dtype)) for images, labels in PAIRS)
        check_equal(read_pairs(store(tmp_path / "p.pkl.gz", pairs, protocol)), PAIRS)


@pytest.mark.parametrize("protocol", [0, 2])
def test_pickle_of_python_2_is_read_as_it_was_written(tmp_path, protocol):
    (tmp_path / "p.pkl.gz").write_bytes(gzip.compress(pickle_of_python_2(PAIRS, protocol)))
    check_equal(read_pairs(tmp_path / "p.pkl.gz"), PAIRS)


def test_written_pairs_are_read_as_they_were(tmp_path):
    write_pairs(tmp_path / "p.pkl.gz", PAIRS)
    check_equal(read_pairs(tmp_path / "p.pkl.gz"), PAIRS)
    with gzip.open(tmp_path / "p.pkl.gz") as file:
        check_equal(pickle.load(file), PAIRS)


def test_same_pairs_give_the_same_file_whatever_the_name_and_time(tmp_path, monkeypatch):
    write_pairs(tmp_path / "a.pkl.gz", PAIRS)
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_pairs(tmp_path / "b.pkl.gz", PAIRS)
    assert (tmp_path / "a.pkl.gz").read_bytes() == (tmp_path / "b.pkl.gz").read_bytes()


class Call:
    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("function", [os.system, builtins.eval, np.fromfile, os.remove])
def test_code_is_refused_by_name_and_not_run(tmp_path, function, protocol):
    trace = tmp_path / "trace"
    trace.write_text("")
    argument = {"system": f"rm {trace}", "eval": f"__import__('os').remove({str(trace)!r})"}
    call = Call(function, argument.get(function.__name__, str(trace)))
    hostile = ([np.zeros(3)], {"nested": [({"deeper": Declared((1,), "f4", call)},)]})
    path = store(tmp_path / "p.pkl.gz", hostile, protocol)
    with pytest.raises(UserError, match=rf"p\.pkl\.gz.*{function.__name__}', which is not allowed, and was not run"):
        read_pairs(path)
    assert trace.exists()


class Declared:
    """An array with the shape, dtype and content that its pickle declares, whether they fit together or not."""

    def __init__(self, shape, dtype, content):
        self.state = (1, shape, np.dtype(dtype), False, content)

    def __reduce__(self):
        return (np.array(0).__reduce__()[0], (np.ndarray, (0,), b"b"), self.state)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (Call(np.ndarray, (2**20, 784), "f"), "not callable"),
        (Declared((2**40, 784), "f4", bytes(4)), "cannot reshape array of size 1"),
        (Declared((5, 4), "f4", bytes(16)), "cannot reshape array of size 4"),
        (Declared((5, 4), "f4", bytes(81)), "buffer size must be a multiple"),
        (Declared((5, -4), "f4", bytes(80)), r"its shape cannot be \(5, -4\)"),
        (Declared((1,), "O", [print]), "the pickle holds an array of 'O8', not of numbers"),
        (Declared((1,), "f4,f4", bytes(8)), "not of numbers"),
        (Declared((1, 1), "U1", bytes(4)), "not of numbers"),
    ],
)
def test_arrays_that_are_not_what_they_declare_are_refused(tmp_path, images, reason, protocol):
    with pytest.raises(UserError, match=reason):
        read_pairs(store(tmp_path / "p.pkl.gz", [(images, LABELS)] * 3, protocol))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([(IMAGES, LABELS)] * 2, "it does not hold 3 pairs"),
        ([(IMAGES, LABELS)] * 4, "it does not hold 3 pairs"),
        ("abc", "it does not hold 3 pairs"),
        (7, "it does not hold 3 pairs"),
        ({0: 1, 1: 2, 2: 3}, "it does not hold 3 pairs"),
        ([(IMAGES, LABELS, LABELS)] * 3, "its pickle cannot be read (ValueError: "),
        ([(IMAGES.astype(np.float64), LABELS)] * 3, "its train images are not a float32 array of shape (n, pixels)"),
        ([(IMAGES.astype(np.int32), LABELS)] * 3, "its train images are not a float32 array of shape (n, pixels)"),
        ([(IMAGES.reshape(5, 2, 2), LABELS)] * 3, "its train images are not a float32 array of shape (n, pixels)"),
        ([(IMAGES[:, 0], LABELS)] * 3, "its train images are not a float32 array of shape (n, pixels)"),
        ([(IMAGES, LABELS[:4])] * 3, "its train labels are not 5 integers, one for each image"),
        ([(IMAGES, LABELS[:, None])] * 3, "its train labels are not 5 integers, one for each image"),
        ([(IMAGES, LABELS.astype(np.float32))] * 3, "its train labels are not 5 integers, one for each image"),
        ([(IMAGES, LABELS.astype(bool))] * 3, "its train labels are not 5 integers, one for each image"),
        ([(IMAGES.astype(object), LABELS)] * 3, "the pickle holds an array of 'O8', not of numbers"),
        ([(IMAGES.tolist(), LABELS)] * 3, "its pickle cannot be read (AttributeError: "),
    ],
)
def test_other_data_is_refused_with_the_name_of_the_file(tmp_path, data, reason):
    path = store(tmp_path / "p.pkl.gz", data)
    with pytest.raises(UserError) as raised:
        read_pairs(path)
    assert f"{raised.value}".startswith(f"{path} is not a valid mnist.pkl.gz: {reason}")
    assert f"{raised.value}".endswith(f". {REMEDY}")


def test_splits_of_different_sizes_of_images_are_refused(tmp_path):
    pairs = [*[(IMAGES, LABELS)] * 2, (IMAGES[:, :3], LABELS)]
    with pytest.raises(
        UserError,
        match=r"p\.pkl\.gz is not a valid mnist\.pkl\.gz: its test images have 3 pixels, its train images 4\. ",
    ):
        read_pairs(store(tmp_path / "p.pkl.gz", pairs))


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"no pickle"), gzip.compress(b"")[:-3]],
    ids=["empty", "not gzipped", "not a pickle", "truncated"],
)
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / "p.pkl.gz").write_bytes(content)
    with pytest.raises(UserError, match=r"p\.pkl\.gz"):
        read_pairs(tmp_path / "p.pkl.gz")
    with pytest.raises(UserError, match=r"missing\.pkl\.gz does not exist"):
        read_pairs(tmp_path / "missing.pkl.gz")


def pixel(value):
    def change(images, labels):
        images = images.copy()
        images[[1, 3], 7] = value
        return images, labels

    return change


def label(value):
    def change(images, labels):
        labels = labels.copy()
        labels[[1, 3]] = value
        return images, labels

    return change


@pytest.mark.parametrize("split", range(3), ids=SPLITS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (pixel(np.nan), "2 of its {rows} {split} images have pixels outside [0, 1)"),
        (pixel(np.inf), "2 of its {rows} {split} images have pixels outside [0, 1)"),
        (pixel(-np.inf), "2 of its {rows} {split} images have pixels outside [0, 1)"),
        (pixel(1), "2 of its {rows} {split} images have pixels outside [0, 1)"),
        (pixel(-0.25), "2 of its {rows} {split} images have pixels outside [0, 1)"),
        (label(-1), "2 of its {rows} {split} labels are outside 0 to 255"),
        (label(256), "2 of its {rows} {split} labels are outside 0 to 255"),
        (
            lambda images, labels: (images, labels[:-1]),
            "its {split} labels are not {rows} integers, one for each image",
        ),
        (lambda images, labels: (images[:0], labels[:0]), "its {split} images are empty: 0 rows of 9 pixels"),
        (lambda images, labels: (images[:, :0], labels), "its {split} images are empty: {rows} rows of 0 pixels"),
    ],
)
def test_wrong_data_is_refused_with_its_rows_when_read_and_when_written(tmp_path, split, change, reason):
    pairs = list(PAIRS)
    pairs[split] = change(*PAIRS[split])
    expected = reason.format(rows=len(PAIRS[split][0]), split=SPLITS[split])
    path = store(tmp_path / "own.pkl.gz", pairs)
    with pytest.raises(UserError) as raised:
        read_pairs(path)
    assert f"{raised.value}" == f"{path} is not a valid mnist.pkl.gz: {expected}. {REMEDY}"
    with pytest.raises(UserError) as raised:
        write_pairs(tmp_path / "new.pkl.gz", pairs)
    assert f"{raised.value}" == f"{tmp_path}/new.pkl.gz was not written: {expected}."
    assert [path.name for path in tmp_path.iterdir()] == ["own.pkl.gz"]


def test_first_and_last_values_of_the_ranges_are_accepted(tmp_path):
    pairs = [label(255)(*pixel(1 - 2**-24)(*label(0)(*pixel(0)(*pair)))) for pair in PAIRS]
    write_pairs(tmp_path / "p.pkl.gz", pairs)
    check_equal(read_pairs(tmp_path / "p.pkl.gz"), pairs)


def test_only_labels_outside_the_range_are_counted(tmp_path):
    labels = np.array([0, 255, 256, -1, 255])
    with pytest.raises(UserError, match="2 of its 5 train labels are outside 0 to 255"):
        write_pairs(tmp_path / "p.pkl.gz", [(IMAGES, labels)] * 3)


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_pairs_is_not_written(tmp_path, count):
    with pytest.raises(UserError, match=r"p\.pkl\.gz was not written: ValueError"):
        write_pairs(tmp_path / "p.pkl.gz", [(IMAGES, LABELS)] * count)


DATA = bytes(range(256)) * 4
PACKED = gzip.compress(DATA)


def test_gzipped_data_is_unpacked_up_to_a_limit(monkeypatch):
    assert gunzip(PACKED) == DATA and gunzip(gzip.compress(b"")) == b""
    monkeypatch.setattr(mnist_pickle, "MAX_UNPACKED", 1024)
    assert gunzip(PACKED) == DATA
    monkeypatch.setattr(mnist_pickle, "MAX_UNPACKED", 1023)
    with pytest.raises(UserError, match=r"^unpacks to more than 1023 bytes$"):
        gunzip(PACKED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PACKED[:-1], "not a complete gzip file (no end after 1024 bytes)"),
        (PACKED[:-8], "not a complete gzip file (no end after 1024 bytes)"),
        (PACKED + b"\0", "not a complete gzip file (more after 1024 bytes)"),
        (PACKED + PACKED, "not a complete gzip file (more after 1024 bytes)"),
        (b"", "not a complete gzip file (no end after 0 bytes)"),
        (DATA, "not a complete gzip file (Error -3"),
        (zlib.compress(DATA), "not a complete gzip file (Error -3"),
        (PACKED[:-8] + bytes(8), "not a complete gzip file (Error -3"),
    ],
)
def test_other_data_is_not_unpacked(data, reason):
    with pytest.raises(UserError) as raised:
        gunzip(data)
    assert f"{raised.value}".startswith(reason)


def memoize(index):
    return b"\x80\x04]r" + struct.pack("<I", index) + b"."


def test_steps_of_a_pickle_are_limited():
    check_steps(b"]" * 999 + b".")
    check_steps(memoize(1000))
    check_steps(b"S'\xff'\n.")  # a string of Python 2
    check_steps(b"]" + b"j" + struct.pack("<I", 2000) + b".")  # this only reads what is memoized
    for pickled in (b"]" * 1000 + b".", memoize(1001), b"(lp1001\n."):
        with pytest.raises(UserError, match="the pickle has more than 1000 steps"):
            check_steps(pickled)
