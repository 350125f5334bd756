"""The table of the similarity of layers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.scoring.bootstrap import describe, resample_means
from common.scoring.similarity import compare_features

MAX_ROWS = 5_000  # training images that are compared
INTEGERS = ("epoch", "network_seed")  # what can be unknown


def choose_rows(count: int) -> np.ndarray:
    """Return the rows of the training images that are compared, ascending, the same for all layers."""
    return np.sort(np.random.default_rng(0).permutation(count)[:MAX_ROWS])


def tabulate_similarity(
    features: Sequence[np.ndarray], states: Sequence[Mapping[str, object]], memory_mb: float, threads: int
) -> pd.DataFrame:
    """Return a row for each pair of feature matrices (n, d) float32 of the same n rows, with 95 % intervals.

    `states` say what each matrix is, such as its layer, epoch and network_seed. Columns: these of the first and, with
    the suffix _2, of the second; rows; cka (linear CKA) and overlap (of the nearest neighbors), each with
    _low and _high. Features that are equal for all images are in no pair.
    """
    names = [f"{number}" for number in range(len(features))]
    found, _ = compare_features(dict(zip(names, features, strict=True)), memory_mb, threads)
    rows = []
    for pair, similarity in found.items():
        first, second = (states[int(name)] for name in pair)
        row = {**first, **{f"{key}_2": value for key, value in second.items()}, "rows": len(similarity.cka)}
        for name, outcomes in (("cka", similarity.cka), ("overlap", similarity.overlap)):
            interval = describe(float(outcomes.mean()), resample_means([[outcomes]], seed=0))
            row |= {name: interval["mean"], f"{name}_low": interval["low"], f"{name}_high": interval["high"]}
        rows.append(row)
    keys = list(states[0])
    columns = [*keys, *(f"{key}_2" for key in keys), "rows"]
    columns += [f"{name}{end}" for name in ("cka", "overlap") for end in ("", "_low", "_high")]
    integers = [f"{key}{end}" for key in keys if key in INTEGERS for end in ("", "_2")]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(integers, "Int64"))
