"""What is read from disk, and what is refused."""

import json

import numpy as np
import pytest

from common.errors import UserError
from common.inputs import load_array, load_classes


@pytest.mark.parametrize("shape", [(0, 5), (0, 8, 8, 1), (0,)])
def test_an_array_may_have_no_rows(tmp_path, shape):
    np.save(tmp_path / "rows.npy", np.empty(shape, np.float32))
    rows = load_array(tmp_path / "rows.npy")
    assert rows.shape == shape and rows.dtype == np.float32


@pytest.mark.parametrize("names", [[], ["0", "1"], ["T-shirt, <b>&", "été", "nan"]])
def test_names_of_classes(tmp_path, names):
    (tmp_path / "classes.json").write_text(json.dumps(names))
    assert load_classes(tmp_path / "classes.json") == names


@pytest.mark.parametrize("content", ["", "{}", '["a", 1]', '"ab"', "[nu"])
def test_damaged_names_of_classes_are_refused(tmp_path, content):
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(UserError, match=r"classes\.json is damaged .*make anew: snakemake .*classes\.json$"):
        load_classes(tmp_path / "classes.json")
