"""The images that the network misclassifies."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def find_errors(predictions: Mapping[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    """Return which images the network misclassifies, (n,) bool, by split; `predictions` are from load_predictions.

    Empty predictions, of a network that does not predict these classes, are not wrong.
    """
    return {
        split: ((rows.prediction != rows.label) & rows.prediction.notna()).to_numpy()
        for split, rows in predictions.items()
    }
