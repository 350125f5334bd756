"""Labels from text files and from columns of tables: never shifted, and no class that the user does not know of."""

import logging

import numpy as np
import pandas as pd
import pytest

from common.errors import UserError
from common.readers.label_files import read_labels

BAC = ["b", "a", "c"]


@pytest.fixture
def read(tmp_path):
    """A function that writes a file, text in UTF-8, and reads as many labels from it: read(name, content, count)."""

    def read(name, content, count=3, column=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_labels(str(path), count, "vector", column).tolist()

    return read


@pytest.fixture
def said(caplog, tmp_path):
    """A function that returns what was logged, without the folder."""
    caplog.set_level(logging.INFO, "workflow")
    return lambda: [message.replace(f"{tmp_path}/", "") for message in caplog.messages]


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        ("labels.txt", "b\na\nc", BAC),
        ("labels.txt", "b\r\na\r\nc\r\n", BAC),
        ("labels.txt", "b\ra\rc\r", BAC),
        ("labels.csv", "b\ra\rc\r", BAC),
        ("labels.csv", "b\r\na\r\nc\r\n", BAC),
        ("labels.txt", "b\x0b\x0cc\u2028\n\x1ca\nc\x85\n", ["b\x0b\x0cc", "a", "c"]),
        ("labels.txt", "b\n a, c \n01\n", ["b", "a, c", "01"]),
        ("labels.txt", "ankle boot\nT-shirt/top\ndress\n", ["ankle boot", "T-shirt/top", "dress"]),
        ("labels.txt", '"b"\n"a ""x"""\n5"\n', ["b", 'a "x"', '5"']),
        ("labels.txt", '"\n"a" or "b"\nb,"\n', ['"', '"a" or "b"', 'b,"']),
        ("labels.txt", '"a, b"\n"a, c"\n"d, e"\n', ["a, b", "a, c", "d, e"]),
        ("labels.csv", '"a, b"\n01\nnan\n', ["a, b", "01", "nan"]),
        ("labels.csv", '"a\nb"\nb\n été \n', ["a\nb", "b", "été"]),
        ("labels.tsv", "a, b\nb\nc\n", ["a, b", "b", "c"]),
        ("labels.txt", "PAR1\nBZh\nGIF8\n", ["PAR1", "BZh", "GIF8"]),
        ("labels", "3.0\n1.0\n2.0\n", ["3", "1", "2"]),
        ("labels.txt", b"\xef\xbb\xbf3\n1\n2\n", ["3", "1", "2"]),
        ("labels.csv", b"\xef\xbb\xbf3\r\n1\r\n2\r\n", ["3", "1", "2"]),
        ("labels.txt", "3\n\ufeff1\n2\n", ["3", "1", "2"]),
        ("labels.txt", "3\n1\né\n".encode("utf-16"), ["3", "1", "é"]),
        ("labels.csv", b"\xfe\xff" + "3\r\n1\r\né\r\n".encode("utf-16-be"), ["3", "1", "é"]),
    ],
)
def test_labels_of_text_are_those_of_its_lines(read, said, name, text, labels):
    assert read(name, text) == labels and said() == []


def test_numbers_of_savetxt_are_integers(tmp_path):
    np.savetxt(tmp_path / "labels.txt", [3, 0, 12])
    assert read_labels(str(tmp_path / "labels.txt"), 3).tolist() == ["3", "0", "12"]


@pytest.mark.parametrize(
    ("name", "text", "dropped"),
    [
        ("labels.txt", "b\na\nc\n\n", "1 empty line"),
        ("labels.txt", "b\r\na\r\nc\r\n\r\n  \r\n\r\n", "3 empty lines"),
        ("labels.txt", "b\na\nc\n  ", "1 empty line"),
        ("labels.csv", "b\na\nc\n\n\n", "2 empty lines"),
    ],
)
def test_empty_lines_at_the_end_are_left_out_and_said(read, said, name, text, dropped):
    assert read(name, text) == BAC and said() == [f"{name}: {dropped} at the end left out"]


@pytest.mark.parametrize("name", ["labels.txt", "labels.csv"])
def test_first_line_that_is_one_too_many_and_no_label_is_a_header(read, said, name):
    assert read(name, "kind\nb\nb\nb\n") == ["b"] * 3
    assert said() == [f"{name}: the first line, kind, is left out as a header"]


ONE_TOO_MANY = "labels.txt has 4 lines for 3 vectors. Remove the 1 extra line."
COLUMNS = "columns. Put a label that has"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("labels.txt", "b\na\nb\nc\n", ONE_TOO_MANY),
        ("labels.txt", "kind\nb\na\nb\nc\n", "labels.txt has 5 lines for 3 vectors. Remove the 2 extra lines."),
        ("labels.csv", "1\n2\n3\n4\n5\n", "labels.csv has 5 lines for 3 vectors. Remove the 2 extra lines."),
        ("labels.txt", "1\n2\n", "labels.txt has 2 lines for 3 vectors. Add the 1 missing line."),
        ("labels.txt", "digit\n1\n2\n", "labels.txt has the header digit and 2 lines for 3 vectors. Add the 1 missing"),
        ("labels.txt", "b\n\nc\n", "labels.txt, line 2 has no label. Give each vector one."),
        ("labels.csv", "b\r\n\r\nc\r\n", "labels.csv, line 2 has no label."),
        ("labels.csv", 'b\n"a\nx"\n""\n', "labels.csv, line 4 has no label."),
        ("labels.txt", "\nb\na\nc\n", "labels.txt, line 1 has no label."),
        ("labels.txt", "kind\nb\n \nc\n", "labels.txt, line 3 has no label."),
        (
            "labels.txt",
            "1.0\n0.5\n2.0\n",
            "labels.txt, line 2: 0.5 is not a whole number. Give class numbers, or names",
        ),
        ("labels.csv", "y\n1.0\n2.0\n0.5\n", "labels.csv, line 4: 0.5 is not a whole number."),
        (
            "labels.csv",
            "1\n3,4\n5\n",
            f"labels.csv, line 2 has 2 {COLUMNS} ',' in quotes, or give a table and"
            " the name of its column: labels: {file: labels.csv, column: NAME}.",
        ),
        ("labels.csv", ",y\n0,3\n1,5\n2,3\n", f"labels.csv, line 1 has 2 {COLUMNS}"),
        ("labels.csv", "a;b;c\n0;3;2\n1;5;2\n2;3;1\n", f"labels.csv, line 1 has 3 {COLUMNS}"),
        ("labels.tsv", "a\tb\nb\nc\n", f"labels.tsv, line 1 has 2 {COLUMNS}"),
        ("labels.txt", "0\tb\n1\ta\n2\tc\n", f"labels.txt, line 1 has 2 {COLUMNS}"),
        ("labels.txt", "0 0 1\n1 0 0\n0 1 0\n", f"labels.txt, line 1 has 3 {COLUMNS}"),
        ("labels.txt", "1,5\n2,5\n3,5\n", f"labels.txt, line 1 has 2 {COLUMNS}"),
        ("labels.csv", 'b\n"a\nc\n', "labels.csv, line 2 has wrong quotes (unexpected end of data). Close or double"),
        ("labels.csv", 'b\n"a"x\nc\n', "labels.csv, line 2 has wrong quotes ("),
        ("labels.txt", b"b\n\xe9\nc\n", "labels.txt is no text in UTF-8 (it begins with"),
        (
            "labels.txt",
            "3\n1\n2\n".encode("utf-16-le"),
            "labels.txt is no text in UTF-8 (it begins with the bytes 33 00",
        ),
        ("labels.txt", b"", "labels.txt is no text file; it is empty."),
        ("labels.txt", b"\n\n", "labels.txt has no labels. Give each vector one."),
        ("labels.csv", b"\n \n", "labels.csv has no labels. Give each vector one."),
        (
            "labels.txt",
            b"version https://git-lfs.github.com/spec/v1\n\n\n",
            "labels.txt is no text file; it is a Git LFS",
        ),
        (
            "labels.csv",
            b"<!doctype html>\n1\n2\n",
            "labels.csv is no text file; it is an HTML page. Download it again.",
        ),
        ("labels.npy", b"1\n2\n3\n", "labels.npy is no .npy file; it begins with '1'."),
        (
            "labels.xlsx",
            b"\x80\x04.",
            "labels.xlsx is no text file; it is a pickle. To make one: import numpy, pickle;",
        ),
    ],
)
def test_text_that_is_not_one_label_a_line_is_refused(read, tmp_path, name, text, line):
    with pytest.raises(UserError) as raised:
        read(name, text)
    message = f"{raised.value}".replace(f"{tmp_path}/", "")
    assert message.startswith(line) and "\n" not in message


TABLE = pd.DataFrame({"id": [7, 8, 9], "species": ["b", "a, x", "c"], "number": [3.0, 1.0, 2.0], "7": [1, 2, 3]})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("t.csv", {}),
        ("t.csv", {"index": False}),
        ("t.csv", {"sep": ";"}),
        ("t.csv", {"sep": "\t", "index": False}),
        ("t.tsv", {"sep": "\t"}),
        ("t.csv", {"encoding": "utf-8-sig", "lineterminator": "\r\n"}),
        ("t.csv", {"encoding": "utf-16", "quoting": 1}),
    ],
)
@pytest.mark.parametrize(
    ("column", "labels"),
    [("species", ["b", "a, x", "c"]), ("number", ["3", "1", "2"]), ("id", ["7", "8", "9"]), ("7", ["1", "2", "3"])],
)
def test_column_of_a_table_is_read_as_pandas_wrote_it(tmp_path, said, name, options, column, labels):
    TABLE.to_csv(tmp_path / name, **options)
    assert read_labels(str(tmp_path / name), 3, "vector", column).tolist() == labels and said() == []


def test_empty_lines_at_the_end_of_a_table_are_left_out_and_said(read, said):
    assert read("t.csv", "id;species\n1;b\n2;a\n3;c\n;\n;\n", column="species") == BAC
    assert said() == ["t.csv: 2 empty lines at the end left out"]


@pytest.mark.parametrize(
    ("text", "column", "line"),
    [
        ("id,species\n1,b\n2,a\n3,c\n4,c\n", "species", "t.csv has 4 lines for 3 vectors. Remove the 1 extra line."),
        ("id,species\n1,b\n2,a\n", "species", "t.csv has 2 lines for 3 vectors. Add the 1 missing line."),
        ("id,species\n1,b\n2,a\n3,c\n", "specis", "t.csv has no column specis. Did you mean species?"),
        ("id;name\n1;b\n2;a\n3;c\n", "x", "t.csv has no column x. Available: id, name."),
        ("x,x\n1,b\n2,a\n3,c\n", "x", "t.csv has several columns x. Rename one."),
        ("id,species\n1,b\n2,a,x\n3,c\n", "species", "t.csv, line 3 has 3 fields, the header 2. Quote fields that"),
        ("id,species\n1,b\n2\n3,c\n", "species", "t.csv, line 3 has 1 fields, the header 2."),
        ("species,id\nb,1\n,2\nc,3\n", "species", "t.csv, line 3 has no label. Give each vector one."),
        ("species,id\nb,1\n\nc,3\n", "species", "t.csv, line 3 has no label."),
        ("y,id\n1.0,1\n2.5,2\n1.0,3\n", "y", "t.csv, line 3: 2.5 is not a whole number."),
    ],
)
def test_column_that_is_not_one_label_a_line_is_refused(read, tmp_path, text, column, line):
    with pytest.raises(UserError) as raised:
        read("t.csv", text, column=column)
    message = f"{raised.value}".replace(f"{tmp_path}/", "")
    assert message.startswith(line) and "\n" not in message


def test_array_has_no_columns(tmp_path):
    np.save(tmp_path / "labels.npy", np.arange(3))
    with pytest.raises(UserError, match=r"labels\.npy has no columns\. Remove column\."):
        read_labels(str(tmp_path / "labels.npy"), 3, "vector", "species")


def test_labels_of_a_missing_file_name_it(tmp_path):
    for name in ("labels.txt", "labels.npy"):
        with pytest.raises(UserError, match=f"{name} does not exist"):
            read_labels(str(tmp_path / name), 3)


@pytest.mark.parametrize("name", ["labels.npy", "labels.txt"])
def test_labels_in_a_npy_file_are_read(tmp_path, name):
    with open(tmp_path / name, "wb") as file:
        np.save(file, np.array([3, 1, 2], np.uint8))
    assert read_labels(str(tmp_path / name), 3).tolist() == [3, 1, 2]


def test_labels_as_pandas_writes_strings_are_refused_with_the_remedy(tmp_path):
    np.save(tmp_path / "labels.npy", pd.Series(["c1", "c2"], dtype=object).values, allow_pickle=True)
    with pytest.raises(
        UserError, match=r"labels\.npy holds Python objects\. Save it again: labels as array\.astype\(s"
    ):
        read_labels(str(tmp_path / "labels.npy"), 2)
