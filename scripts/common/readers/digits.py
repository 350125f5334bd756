"""The 1,797 digits of scikit-learn."""

import numpy as np

from common.readers.images import as_images
from common.readers.streams import Split, stream_array


def read() -> dict[str, Split]:
    """Return the digits, 8 x 8, as a training split."""
    from sklearn.datasets import load_digits  # takes seconds, which other readers need not wait for

    digits = load_digits()
    images = as_images(stream_array("digits", digits.images / 16))
    return {"train": Split(digits.target.astype(np.int64), images)}
