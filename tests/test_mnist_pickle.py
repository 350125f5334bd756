"""The reader of a mnist.pkl.gz: what it takes, and what it refuses."""

import builtins
import gzip
import os
import pickle

import numpy as np
import pytest

from common.errors import UserError
from common.readers.mnist_pickle import read_pairs, write_pairs


def store(path, data, protocol):
    with gzip.open(path, "wb") as file:
        pickle.dump(data, file, protocol=protocol)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_reads_what_any_protocol_wrote(tmp_path, pairs, protocol):
    for (images, labels), (found_images, found_labels) in zip(
        pairs, read_pairs(store(tmp_path / "p.pkl.gz", tuple(pairs), protocol)), strict=True
    ):
        assert np.array_equal(images, found_images) and np.array_equal(labels, found_labels)


def test_reads_what_it_wrote(tmp_path, pairs):
    write_pairs(tmp_path / "p.pkl.gz", pairs)
    for (images, labels), (found_images, found_labels) in zip(pairs, read_pairs(tmp_path / "p.pkl.gz"), strict=True):
        assert np.array_equal(images, found_images) and np.array_equal(labels, found_labels)


class Call:
    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("function", [os.system, builtins.eval, np.fromfile, os.remove])
def test_refuses_code_by_name_and_runs_nothing(tmp_path, function, protocol):
    trace = tmp_path / "trace"
    trace.write_text("")
    argument = {"system": f"rm {trace}", "eval": f"__import__('os').remove({str(trace)!r})"}
    call = Call(function, argument.get(function.__name__, str(trace)))
    hostile = ([np.zeros(3)], {"nested": [({"deeper": Declared((1,), "f4", call)},)]})
    path = store(tmp_path / "p.pkl.gz", hostile, protocol)
    with pytest.raises(UserError, match=rf"p\.pkl\.gz.*{function.__name__}"):
        read_pairs(path)
    assert trace.exists()


class Declared:
    """An array of that shape and dtype, says the pickle, and gives its content, or does not."""

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
        (Declared((5, -4), "f4", bytes(80)), "not the shape it says"),
        (Declared((1,), "O", [print]), "an array of 'O8', not of numbers"),
        (Declared((1,), "f4,f4", bytes(8)), "not of numbers"),
        (Declared((1, 1), "U1", bytes(4)), "not of numbers"),
    ],
)
def test_refuses_arrays_that_are_not_what_they_say(tmp_path, images, reason, protocol):
    with pytest.raises(UserError, match=reason):
        read_pairs(store(tmp_path / "p.pkl.gz", [(images, LABELS)] * 3, protocol))


IMAGES, LABELS = np.zeros((5, 4), np.float32), np.zeros(5, np.int64)


@pytest.mark.parametrize(
    "data",
    [
        [(IMAGES, LABELS)] * 2,
        [(IMAGES, LABELS)] * 4,
        [(IMAGES.astype(np.float64), LABELS)] * 3,
        [(IMAGES.reshape(5, 2, 2), LABELS)] * 3,
        [(IMAGES, LABELS[:4])] * 3,
        [(IMAGES, LABELS.astype(np.float32))] * 3,
        [(IMAGES.astype(object), LABELS)] * 3,
        [(IMAGES.tolist(), LABELS)] * 3,
        "text",
        7,
    ],
)
def test_refuses_other_data_and_names_the_file(tmp_path, data):
    with pytest.raises(UserError, match=r"p\.pkl\.gz"):
        read_pairs(store(tmp_path / "p.pkl.gz", data, 4))


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"no pickle"), gzip.compress(b"")[:-3]])
def test_refuses_damaged_files(tmp_path, content):
    (tmp_path / "p.pkl.gz").write_bytes(content)
    with pytest.raises(UserError, match=r"p\.pkl\.gz"):
        read_pairs(tmp_path / "p.pkl.gz")
