"""The classes' means in the features of a layer, and what they say about the separation of the classes."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from common.knn.chunks import chunks, rows_that_fit
from common.knn.pca import BLOCK_MB, project

MIN_SPREAD = 1e-5  # of the class means in a direction, relative to the direction of the largest
ROUNDING = 1e-12  # of a mean, relative to the largest mean of a feature


@dataclass(frozen=True)
class ClassMeans:
    """The means of some rows by class."""

    classes: np.ndarray  # (classes,), labels, ascending
    numbers: np.ndarray  # (n,), each row's index in `classes`
    counts: np.ndarray  # (classes,)
    origin: np.ndarray  # (d,) float32, the mean of all rows
    means: np.ndarray  # (classes, d) float64, less the origin

    @property
    def differ(self) -> bool:
        """Return whether two classes have different means, beyond rounding."""
        return bool(np.ptp(self.means, axis=0).max() > ROUNDING * np.abs(self.origin).max())


def find_class_means(features: np.ndarray, labels: np.ndarray) -> ClassMeans:
    """Return the means by class, summed in double precision, of features (n, d) float32 with labels (n,)."""
    classes, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(classes), features.shape[1]))
    for rows in chunks(len(features), rows_that_fit(BLOCK_MB, features.shape[1])):
        count = rows.stop - rows.start
        members = csr_array((np.ones(count), (numbers[rows], np.arange(count))), shape=(len(classes), count))
        sums += members @ features[rows]
    origin = (sums.sum(axis=0) / len(features)).astype(np.float32)
    return ClassMeans(classes, numbers, counts, origin, sums / counts[:, None] - origin)


def find_nearest_means(features: np.ndarray, means: ClassMeans) -> np.ndarray:
    """Return the label of the class mean that is nearest to each of the features (n, d), as (n,)."""
    products = project(features, means.origin, means.means.astype(np.float32))
    return means.classes[(products - (means.means**2).sum(axis=1) / 2).argmax(axis=1)]


def measure_fuzziness(features: np.ndarray, means: ClassMeans) -> tuple[np.ndarray | None, str | None]:
    """Return terms (n,) float64 whose mean is the separation fuzziness of features (n, d), of which `means` are known.

    It is the trace of Sw pinv(Sb), with the scatter Sw within and Sb between the classes: the variance within classes
    relative to that between them, 0 if each class is a point (He and Su 2023, https://arxiv.org/abs/2210.17020). The
    rank of Sb is the number of classes less one, or lower if their means differ in fewer directions. The mean over a
    resample of the images takes Sb as fixed. The second value is the reason if it is not defined, and the first is then
    None.
    """
    if len(means.classes) < 2:
        return None, "There are fewer than two classes."
    if means.counts.max() < 2:
        return None, "No class has two images."
    if not means.differ:
        return None, "All classes have the same mean."
    between = means.means - means.counts @ means.means / len(features)
    between *= np.sqrt(means.counts / len(features))[:, None]
    _, spreads, directions = np.linalg.svd(between, full_matrices=False)
    rank = min(len(means.classes) - 1, int((spreads > MIN_SPREAD * spreads[0]).sum()))
    whitening = directions[:rank] / spreads[:rank, None]
    deviations = project(features, means.origin, whitening.astype(np.float32))
    return ((deviations - (means.means @ whitening.T)[means.numbers]) ** 2).sum(axis=1), None
