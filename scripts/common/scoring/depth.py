"""Prediction depth of images (Baldock, Maennel and Neyshabur 2021, https://arxiv.org/abs/2106.09647)."""

import numpy as np


def prediction_depths(votes: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return the first layer from which the votes equal the network's prediction up to the last layer, (n,) int.

    `votes` (layers, n) are the class numbers for which the nearest neighbors of each image vote, in the order of the
    layers, and `predictions` (n,) those that the network predicts. The result is 0 for the first layer, and the number
    of layers if the vote of the last one differs from the prediction.
    """
    equal = np.asarray(votes) == np.asarray(predictions)
    return len(equal) - np.logical_and.accumulate(equal[::-1]).sum(axis=0)
