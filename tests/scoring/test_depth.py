"""Prediction depth, on votes that can be read."""

import numpy as np
import pytest

from common.scoring.depth import prediction_depths


@pytest.mark.parametrize(
    ("votes", "depth"),
    [
        ([7, 7, 7], 0),
        ([1, 7, 7], 1),
        ([7, 1, 7], 2),  # the first layer agrees, but not for good
        ([1, 2, 7], 2),
        ([7, 7, 1], 3),  # never
        ([1, 2, 3], 3),
    ],
)
def test_depth_is_the_first_layer_from_which_the_vote_stays_the_prediction(votes, depth):
    assert prediction_depths(np.array(votes)[:, None], np.array([7])).tolist() == [depth]


def test_each_image_has_its_depth():
    votes = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], np.int16)
    depths = prediction_depths(votes, np.array([0, 0, 1], np.uint8))
    assert depths.tolist() == [0, 1, 3] and depths.dtype.kind == "i"


def test_no_images_have_no_depths():
    assert prediction_depths(np.zeros((4, 0), int), np.zeros(0, int)).shape == (0,)
