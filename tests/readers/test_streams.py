"""Arrays on disk are read block by block, and an error names a file that is not such an array."""

import io
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from common.errors import UserError
from common.readers.streams import (
    block_length,
    stream_array,
    stream_bytes,
    stream_npy,
    stream_npz,
    write_rows,
)
from helpers import ROOT

ANY = np.random.default_rng(0).normal(size=(11, 2, 3)).astype(np.float32)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of four rows of ANY."""
    monkeypatch.setattr("common.readers.streams.BLOCK_BYTES", 4 * 2 * 3 * 4 + 5)


def test_blocks_have_as_many_rows_as_fit_and_at_least_one(monkeypatch):
    assert block_length((10**9, 1024), 1) * 1024 == 32 * 2**20
    monkeypatch.setattr("common.readers.streams.BLOCK_BYTES", 100)
    assert block_length((50, 3, 2), 4) == 4
    assert block_length((50,), 1) == 100
    assert block_length((50, 101), 1) == block_length((50, 1000), 8) == 1
    assert block_length((50, 0), 4) == 100


def check_blocks(stream, array):
    blocks = list(stream.blocks())
    assert stream.shape == array.shape and [len(block) for block in blocks] == [4, 4, 3]
    assert np.array_equal(np.concatenate(blocks), array) and blocks[0].dtype == array.dtype
    assert np.array_equal(np.concatenate(list(stream.blocks())), array), "twice the same"


@pytest.mark.parametrize("change", [np.asarray, np.asfortranarray, lambda array: array.astype(">f4")])
def test_npy_file_is_read_in_blocks(tmp_path, small_blocks, change):
    np.save(tmp_path / "a.npy", change(ANY))
    check_blocks(stream_npy(str(tmp_path / "a.npy")), change(ANY))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_array_of_a_npz_file_is_read_in_blocks(tmp_path, small_blocks, save):
    save(tmp_path / "a.npz", other=np.zeros(3), x=ANY)
    check_blocks(stream_npz(str(tmp_path / "a.npz"), "x"), ANY)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_array_of_a_npz_file_may_have_either_header(tmp_path, small_blocks, version):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file, file.open("x.npy", "w") as member:
        np.lib.format.write_array(member, ANY, version)
    check_blocks(stream_npz(str(tmp_path / "a.npz"), "x"), ANY)


def test_bytes_are_read_in_blocks(small_blocks):
    check_blocks(stream_bytes("data", ANY.shape, ANY.dtype, lambda: io.BytesIO(ANY.tobytes())), ANY)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (ANY.tobytes()[:-1], "data ends before its 11 rows of 2 x 3 values do. Download or write it again."),
        (ANY[:8].tobytes(), "data ends before its 11 rows of 2 x 3 values do."),
        (b"", "data ends before its 11 rows of 2 x 3 values do."),
        (ANY.tobytes() + b"\0", "data goes on after its 11 rows. Download or write it again."),
    ],
)
def test_bytes_of_another_length_are_refused(small_blocks, content, line):
    with pytest.raises(UserError) as raised:
        list(stream_bytes("data", ANY.shape, ANY.dtype, lambda: io.BytesIO(content)).blocks())
    assert f"{raised.value}".startswith(line)


def test_array_in_memory_is_one_block():
    stream = stream_array("data", ANY)
    (block,) = stream.blocks()
    assert block is ANY and stream.shape == ANY.shape and stream.name == "data"


class Hostile:
    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize(
    ("save", "line"),
    [
        (
            lambda path, value: np.save(path, np.array([value]), allow_pickle=True),
            "a.npy holds Python objects. Save it",
        ),
        (
            lambda path, value: path.write_bytes(pickle.dumps(value)),
            "a.npy is no .npy file; it is a pickle. To make one",
        ),
    ],
)
def test_npy_file_that_is_a_pickle_is_refused_and_not_run(tmp_path, save, line):
    hostile = Hostile()
    hostile.folder = str(tmp_path / "made")
    save(tmp_path / "a.npy", hostile)
    with pytest.raises(UserError, match=line):
        stream_npy(str(tmp_path / "a.npy"))
    assert not (tmp_path / "made").exists()


def test_npy_file_without_rows_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.float32(1))
    with pytest.raises(UserError, match=r"a\.npy holds a single value\. Give an array with rows\."):
        stream_npy(str(tmp_path / "a.npy"))


def test_npy_file_of_two_arrays_is_refused(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        np.save(file, ANY)
        np.save(file, ANY)
    with pytest.raises(UserError, match=r"a\.npy goes on after its 11 rows\. Save one array in a file\."):
        stream_npy(str(tmp_path / "a.npy"))


def test_array_of_a_npz_file_without_rows_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.float32(1))
    with pytest.raises(UserError, match=r"x in .*a\.npz is a single value\. Give an array with rows\."):
        stream_npz(str(tmp_path / "a.npz"), "x")


def test_array_that_a_npz_file_does_not_have_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", x=ANY)
    with pytest.raises(UserError, match=r"y in .*a\.npz cannot be read \(KeyError"):
        stream_npz(str(tmp_path / "a.npz"), "y")


@pytest.mark.parametrize("rows", [[], [0], [3, 4, 10], [4, 5, 6, 7], [8, 9, 10], list(range(11))])
def test_chosen_rows_are_written(tmp_path, stream_blocks, rows):
    stream = stream_blocks(ANY[:4], ANY[4:8], ANY[8:])
    write_rows(stream, np.array(rows, int), tmp_path / "out.npy")
    written = np.load(tmp_path / "out.npy")
    assert np.array_equal(written, ANY[rows]) and written.dtype == np.float32 and written.shape[1:] == (2, 3)


LARGE = """
import resource, sys
from pathlib import Path
from prepare_dataset import prepare_dataset
from common.readers import read_dataset
from common.readers.streams import write_rows

path, size = sys.argv[1], int(sys.argv[2])
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (used + size,) * 2)
splits, _ = prepare_dataset(read_dataset("npy", {"images": path}, None), None, 100, False)
source, rows, *_ = splits["train"]
write_rows(source, rows, Path(path).with_name("out.npy"))
"""


@pytest.mark.slow
def test_sample_of_a_data_set_larger_than_memory(tmp_path):
    path, shape = tmp_path / "large.npy", (200_000, 64, 64)  # 800 MB, with holes
    array = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    array[:: shape[0] - 1] = 7
    array.flush()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "OPENBLAS_NUM_THREADS": "1"}
    for size, status in ((400 * 2**20, 0), (20 * 2**20, 1)):  # so little that the limit is seen to have an effect
        command = [sys.executable, "-c", LARGE, str(path), str(size)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == status, result.stderr
        if status == 0:
            assert np.load(tmp_path / "out.npy").shape == (100, 64, 64, 1)
