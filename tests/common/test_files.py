"""Files are complete or absent, whatever happens while they are written."""

import errno
import json
import os

import numpy as np
import pytest

from common.errors import UserError
from common.files import SCRIPTS, atomic_write, save_array, save_json, save_npz, save_text, write_blocks
from helpers import ROOT

FREE, ALLOW = "Free space there and run again.", "Allow writing there and run again."


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.npy"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert names(tmp_path) == ["file.npy"] and path.read_text() == "old"
    with atomic_write(path) as part:
        part.write_text("new")
        assert path.read_text() == "old" and part.suffix == ".npy" and part.parent == tmp_path
    assert names(tmp_path) == ["file.npy"] and path.read_text() == "new"


def test_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_ino))
    with atomic_write(tmp_path / "file.npy") as part:
        part.write_text("new")
        inode = part.stat().st_ino
    assert synced == [inode] == [(tmp_path / "file.npy").stat().st_ino]


def test_what_a_killed_process_left_is_removed_and_what_another_file_has_is_not(tmp_path):
    (tmp_path / ".part-01234567-file.npy").write_text("half")
    (tmp_path / ".part-01234567-other-file.npy").write_text("another's")
    with atomic_write(tmp_path / "file.npy") as part:
        part.write_text("new")
    assert names(tmp_path) == [".part-01234567-other-file.npy", "file.npy"]


def test_next_process_finds_what_a_killed_one_left(tmp_path):
    with atomic_write(tmp_path / "file.npy") as part:
        part.write_text("half")
        left = part.name
    (tmp_path / left).write_text("half")
    with atomic_write(tmp_path / "file.npy") as part:
        part.write_text("new")
        assert part.name != left and names(tmp_path) == sorted([part.name, "file.npy"])


def test_process_that_was_given_up_cannot_spoil_the_file(tmp_path):
    path = tmp_path / "file.npy"
    with pytest.raises(FileNotFoundError), atomic_write(path) as orphan:
        orphan.write_text("half")
        with atomic_write(path) as part:
            part.write_text("new")
    assert path.read_text() == "new" and len(names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, FREE),
        (errno.EDQUOT, FREE),
        (errno.EFBIG, FREE),
        (errno.EROFS, ALLOW),
        (errno.EACCES, ALLOW),
        (errno.EPERM, ALLOW),
    ],
)
def test_disk_that_is_full_or_cannot_be_written_to_is_named_with_the_file(tmp_path, number, remedy):
    path = tmp_path / "file.npy"
    with pytest.raises(UserError) as raised, atomic_write(path) as part:
        part.write_text("half")
        raise OSError(number, os.strerror(number))
    assert f"{raised.value}" == f"{path} cannot be written ({os.strerror(number)}). {remedy}"
    assert not names(tmp_path)


def test_other_errors_of_the_disk_pass_unchanged(tmp_path):
    with pytest.raises(OSError, match="Input/output error") as raised, atomic_write(tmp_path / "file.npy"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    assert raised.value.errno == errno.EIO


ANY = np.random.default_rng(0).normal(size=(7, 2, 3))


def test_blocks_are_written_one_after_the_other(tmp_path):
    write_blocks(tmp_path / "a.npy", ANY.shape, iter([ANY[:4].astype(np.float32), ANY[4:]]))
    written = np.load(tmp_path / "a.npy")
    assert np.array_equal(written, ANY.astype(np.float32)) and written.dtype == np.float32


@pytest.mark.parametrize("blocks", [[ANY[:4]], [ANY, ANY[:1]], []])
def test_blocks_with_another_number_of_rows_are_an_error(tmp_path, blocks):
    rows = sum(map(len, blocks))
    with pytest.raises(ValueError, match=f"the blocks have {rows} rows, the array 7"):
        write_blocks(tmp_path / "a.npy", ANY.shape, blocks)


@pytest.mark.parametrize(
    "array",
    [ANY, np.asfortranarray(ANY), ANY[::2, :, 1], ANY.astype(">f4"), np.arange(5), np.zeros((0, 3), bool)],
    ids=["float64", "columns first", "not contiguous", "big-endian", "integers", "empty"],
)
def test_array_of_any_kind_is_saved_as_numpy_does(tmp_path, array):
    save_array(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", np.ascontiguousarray(array))
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_arrays_are_saved_by_name(tmp_path):
    save_npz(tmp_path / "a.npz", {"x": ANY, "method": np.array("exact")})
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays["x"], ANY) and arrays["method"] == "exact" and len(arrays.files) == 2
    assert names(tmp_path) == ["a.npz"]


def test_values_are_saved_as_readable_json(tmp_path):
    save_json(tmp_path / "a.json", {"name": "été", "values": [1]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == '{\n  "name": "été",\n  "values": [\n    1\n  ]\n}\n'
    save_json(tmp_path / "a.json", ["été", "b"], indent=None)
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '["été", "b"]\n'
    with pytest.raises(TypeError):
        save_json(tmp_path / "a.json", {1: {2}})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == ["été", "b"]


def test_folder_of_the_scripts_is_known():
    assert SCRIPTS == ROOT / "scripts"


def test_text_is_saved_in_utf_8(tmp_path):
    save_text(tmp_path / "a.txt", "été\n")
    assert (tmp_path / "a.txt").read_bytes() == "été\n".encode()
