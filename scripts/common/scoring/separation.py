"""How well the features of a layer separate the classes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.scoring.class_means import find_class_means, find_nearest_means, measure_fuzziness
from common.scoring.linear_probe import fit_linear_probe


@dataclass(frozen=True)
class Separation:
    """Answers and outcomes of images by split; a split without images has none.

    What is None has its reason in `reasons`: by "linear_probe", "class_means", or "fuzziness_{split}".
    """

    linear_probe: dict[str, np.ndarray] | None  # labels (n,) that the probe predicts
    strength: float | None  # of its penalty, RidgeClassifier's alpha
    n_probe_rows: int | None  # training images that it was fitted to
    class_means: dict[str, np.ndarray] | None  # labels (n,) of the nearest class means
    fuzziness: dict[str, np.ndarray | None]  # terms (n,) float64, whose mean is the separation fuzziness
    reasons: dict[str, str]


def measure_separation(splits: Mapping[str, Mapping[str, np.ndarray]]) -> Separation:
    """Return how well the classes are separated, from `features` (n, d) float32 and `labels` (n,) of each split.

    The splits are "train", which has images, and any others; features may be memory-mapped. The linear probe and the
    class means are those of the training images; a split's fuzziness is that of its own images.
    """
    features = {split: rows["features"] for split, rows in splits.items() if len(rows["labels"])}
    means = {split: find_class_means(rows, splits[split]["labels"]) for split, rows in features.items()}
    fuzziness, reasons = {}, {}
    for split, rows in features.items():
        fuzziness[split], reasons[f"fuzziness_{split}"] = measure_fuzziness(rows, means[split])
    train, probe = means["train"], None
    predicted = nearest = None
    if len(train.classes) < 2:
        reasons["linear_probe"] = reasons["class_means"] = "There are fewer than two classes."
    elif not train.differ:
        reasons["linear_probe"] = reasons["class_means"] = "All classes have the same mean."
    else:
        nearest = {split: find_nearest_means(rows, train) for split, rows in features.items()}
        count = len(train.classes)
        probe, reasons["linear_probe"] = fit_linear_probe(features["train"], train.numbers, count, train.origin)
    if probe:
        predicted = {split: train.classes[probe.predict(rows)] for split, rows in features.items()}
    return Separation(
        predicted,
        probe and probe.strength,
        probe and probe.n_rows,
        nearest,
        fuzziness,
        {name: reason for name, reason in reasons.items() if reason},
    )
