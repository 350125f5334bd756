"""Tables of the workflow that a later rule reads."""

import re

import pytest

from common.errors import UserError
from common.tables import load_predictions, load_table

TABLE = "split,id,label,prediction,confidence\ntrain,0,7,7,0.5\ntest,0,1,7,0.25\ntrain,1,2,,\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    return tmp_path / "a.csv"


def test_table_is_read_with_all_its_columns(path):
    table = load_table(path, "label", "split")
    assert list(table.columns) == ["split", "id", "label", "prediction", "confidence"]
    assert table.label.tolist() == [7, 1, 2] and table.split.tolist() == ["train", "test", "train"]


def test_table_without_a_column_is_damaged(path):
    with pytest.raises(UserError) as raised:
        load_table(path, "x", "label", "weight")
    assert f"{raised.value}" == (
        f"{path} is damaged (ValueError: it has no column weight, x). Rebuild: snakemake --cores all --force {path}"
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'a,b\n"'])
def test_file_that_is_not_a_table_is_damaged(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{re.escape(str(path))} is damaged \("):
        load_table(path)


def test_predictions_are_read_by_split(path):
    predictions = load_predictions(path, train=2, test=1)
    assert list(predictions) == ["train", "test"]
    assert predictions["train"].label.tolist() == [7, 2] and predictions["test"].prediction.tolist() == [7]
    assert predictions["train"].prediction.isna().tolist() == [False, True]
    assert list(load_predictions(path, test=1)) == ["test"]
    assert len(load_predictions(path, validation=0)["validation"]) == 0


def test_predictions_of_another_number_of_images_are_refused(path):
    with pytest.raises(UserError) as raised:
        load_predictions(path, train=2, test=3)
    assert f"{raised.value}" == f"{path} has 1 test rows, not 3. Rebuild: snakemake --cores all --force {path}"


def test_predictions_without_labels_are_damaged(path):
    path.write_text(TABLE.replace("label", "class"))
    with pytest.raises(UserError, match=r"it has no column label"):
        load_predictions(path, train=2)
