"""The names of vectors."""

import numpy as np
import pytest

from common.errors import UserError
from common.readers.ids import read_ids


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "cell 1\n007\nnan\n"),
        ("a.txt", "cell 1\r\n007\r\nnan\r\n\r\n\r\n"),
        ("a.txt", "\ufeffcell 1\n007\nnan"),
        ("a.csv", '"cell 1"\n007\nnan\n'),
    ],
)
def test_names_are_lines_of_text(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode())
    assert read_ids(str(tmp_path / name), 3).tolist() == ["cell 1", "007", "nan"]


@pytest.mark.parametrize(
    ("array", "names"), [(["a", "b c"], ["a", "b c"]), ([b"a", b"bc"], ["a", "bc"]), ([7, 10], ["7", "10"])]
)
def test_names_are_an_array(tmp_path, array, names):
    np.save(tmp_path / "a.npy", array)
    assert read_ids(str(tmp_path / "a.npy"), 2).tolist() == names


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "id\na\nb\n", r"a\.txt has 3 names for 2 rows\. Remove the extra ones, such as a header \(1\)\.$"),
        ("a.txt", "a\n", r"a\.txt has 1 names for 2 rows\. Add the missing ones \(1\)\.$"),
        ("a.csv", "a,1\nb,2\n", r"a\.csv has several columns\. Give a file with the names only\."),
        ("a.txt", b"caf\xe9\nb\n", r"a\.txt cannot be read \(UnicodeDecodeError"),
        ("a.npy", np.zeros((2, 2)), r"a\.npy has the shape 2 x 2\. Give an array of one axis"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path, name, content, message):
    if isinstance(content, np.ndarray):
        np.save(tmp_path / name, content)
    else:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError, match=message):
        read_ids(str(tmp_path / name), 2)
