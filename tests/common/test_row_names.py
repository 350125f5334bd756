"""The table of the names of rows."""

import pytest

from common.errors import UserError
from common.row_names import load_names, save_names

NAMES = ["a/1.png", 'b, "c"/2.png', "", "nan", "é\n3"]


def test_names_are_read_as_they_were_written(tmp_path):
    paths = [f"{tmp_path}/{number}.csv" for number in range(2)]
    save_names(paths[0], "file", NAMES)
    save_names(paths[1], "file", [])
    assert load_names(paths, [5, 0]) == ("file", [NAMES, []])
    assert (tmp_path / "0.csv").read_text() == 'file\na/1.png\n"b, ""c""/2.png"\n""\nnan\n"é\n3"\n'
    assert load_names(paths[1:], [3]) is None


def test_table_that_does_not_fit_is_refused(tmp_path):
    path = f"{tmp_path}/train_files.csv"
    save_names(path, "name", NAMES)
    with pytest.raises(UserError, match=r"train_files\.csv has 5 names for 6 rows\. Rebuild: snakemake --cores"):
        load_names([path], [6])
    for content in ("", "other\na\n", "file\na,b\n", 'file\n"a\n'):
        (tmp_path / "train_files.csv").write_text(content)
        with pytest.raises(UserError, match=r"train_files\.csv is damaged"):
            load_names([path], [1])
