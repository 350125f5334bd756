"""The parts of a downloaded data set, and the three pairs that the notebook has of them."""

import numpy as np
import pytest
from download_dataset import pairs_from_parts, parts_from_pairs, verify

from common.errors import UserError
from common.readers.mnist_pickle import write_pairs


def test_pairs_are_those_of_the_notebook(parts):
    pairs = pairs_from_parts(parts, validation_size=250)
    assert [images.shape for images, _ in pairs] == [(1297, 784), (250, 784), (250, 784)]
    for images, labels in pairs:
        assert images.dtype == np.float32 and labels.dtype == np.int64 and len(images) == len(labels)
    assert np.array_equal(pairs[0][0][7] * 256, parts["train_images"][7].ravel())
    assert np.array_equal(pairs[1][0] * 256, parts["train_images"][-250:].reshape(250, 784))
    assert np.array_equal(pairs[1][1], parts["train_labels"][-250:])
    assert np.array_equal(pairs[2][1], parts["test_labels"])
    assert all(np.array_equal(array, parts[part]) for part, array in parts_from_pairs(pairs).items())


def test_validation_must_leave_images_for_training(parts):
    assert len(pairs_from_parts(parts, validation_size=1546)[0][0]) == 1
    for size in (1547, 1548):
        with pytest.raises(UserError, match=f"^validation_size: {size} of 1547 images leaves none for training. Lower"):
            pairs_from_parts(parts, validation_size=size)


def test_different_numbers_of_images_and_labels_are_not_written(parts, tmp_path):
    shorter = parts | {"train_labels": parts["train_labels"][:-1]}
    with pytest.raises(UserError, match=r"new\.pkl\.gz was not written: its validation labels are not 250 integers"):
        write_pairs(tmp_path / "new.pkl.gz", pairs_from_parts(shorter, validation_size=250))
    assert not list(tmp_path.iterdir())


def some_pairs(pixels: int, pixel: float, label: float):
    return [(np.full((2, pixels), pixel, np.float32), np.full(2, label))] * 3


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        (some_pairs(783, 0, 0), "its rows of 783 pixels are not square images"),
        (some_pairs(785, 0, 0), "its rows of 785 pixels are not square images"),
        (some_pairs(2, 0, 0), "its rows of 2 pixels are not square images"),
        (some_pairs(4, 0.1, 0), "its values are not bytes / 256"),
        (some_pairs(4, 0, 0.5), "its values are not bytes / 1"),
        (some_pairs(4, 0, 256), "its values are not bytes / 1"),
    ],
)
def test_pairs_that_are_not_square_images_of_bytes_have_no_parts(pairs, line):
    with pytest.raises(UserError, match=f"^{line}$"), np.errstate(invalid="ignore"):
        parts_from_pairs(pairs)


def test_one_changed_pixel_is_refused(parts, sha256):
    verify(parts, sha256)
    changed = {part: array.copy() for part, array in parts.items()}
    changed["test_images"][3, 4, 5] ^= 1
    with pytest.raises(UserError, match=r"^wrong content: the SHA-256 of test_images differs from the configuration$"):
        verify(changed, sha256)
    changed["train_labels"][3] ^= 1
    with pytest.raises(UserError, match="the SHA-256 of train_labels, test_images differs"):
        verify(changed, sha256)
