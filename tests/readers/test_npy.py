"""Images in .npy files, with their labels."""

import numpy as np
import pandas as pd
import pytest

from common.errors import UserError
from common.readers import read_dataset

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 5), np.uint8)


@pytest.fixture
def files(tmp_path):
    """Images and labels of three splits, the labels of the last in a table, by the keys of the configuration."""
    found = {}
    for number, prefix in enumerate(("", "validation_", "test_")):
        found |= {f"{prefix}images": f"{tmp_path}/{prefix}x.npy", f"{prefix}labels": f"{tmp_path}/{prefix}y.csv"}
        np.save(found[f"{prefix}images"], np.asfortranarray(IMAGES[number:]))
        table = pd.DataFrame({"id": range(40 - number), "kind": [f"c{row % 3}" for row in range(number, 40)]})
        only = ["kind"] if prefix != "test_" else ["id", "kind"]
        table.to_csv(found[f"{prefix}labels"], columns=only, index=False)
    return found


def test_three_splits_are_read_with_labels_from_text_and_from_a_column(files):
    splits = read_dataset("npy", files, None, {"npy.test_labels": "kind"})
    assert list(splits) == ["train", "validation", "test"]
    for number, split in enumerate(splits.values()):
        assert np.array_equal(np.concatenate(list(split.images.blocks()))[..., 0] * 256, IMAGES[number:])
        assert split.labels.tolist() == [f"c{row % 3}" for row in range(number, 40)]


def test_wrong_number_of_labels_is_told_for_images(files):
    np.save(files["images"], IMAGES[:38])
    with pytest.raises(UserError, match=r"y\.csv has 41 lines for 38 images\. Remove the 3 extra lines\.$"):
        read_dataset("npy", files, None, {"npy.test_labels": "kind"})
