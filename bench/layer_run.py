"""What the experiments on the protocol share: the layers of a finished run, embeddings of them, and their scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml
from score_map import score_map

from common.inputs import load_array, load_classes, load_npz
from common.knn.views import StackedRows
from common.names import SPLITS, SUFFIXES
from common.tsne.affinities import compute_affinities
from common.tsne.objective import kl_divergence
from common.tsne.opentsne import fit_opentsne

ROOT = Path(__file__).parents[1]
TSNE = yaml.safe_load((ROOT / "config/config.yaml").read_text())["tsne"]
LAYERS = ("pixel", "conv1", "conv2", "dense3")
SHOWN = ("knn_accuracy_map", "knn_preservation_10", "trustworthiness", "silhouette_map", "distance_correlation")


@dataclass(frozen=True)
class LayerRun:
    """One layer of a finished run in `folder`, such as results/MNIST."""

    folder: Path
    layer: str

    @cached_property
    def features(self) -> list[np.ndarray]:
        """Return the features of each split, (n, d)."""
        return [load_array(self.folder / f"features/{self.layer}{suffix}.npy") for suffix in SUFFIXES]

    @cached_property
    def rows(self) -> StackedRows:
        """Return the features of all splits, one after the other."""
        return StackedRows(self.features)

    @cached_property
    def joint_neighbors(self) -> dict[str, np.ndarray]:
        """Return the nearest of all rows."""
        return load_npz(self.folder / f"neighbors/{self.layer}_joint.npz")

    @cached_property
    def coordinates(self) -> list[np.ndarray]:
        """Return the coordinates of each split in the run's own embedding, (n, 2)."""
        return [load_array(self.folder / f"maps/{self.layer}{suffix}.npy") for suffix in SUFFIXES]

    def score(self, coordinates: Sequence[np.ndarray]) -> dict[str, dict[str, float | None]]:
        """Return the scores of an embedding by split, from coordinates (n, 2) of each split."""
        splits = {}
        for split, suffix, features, points in zip(SPLITS, SUFFIXES, self.features, coordinates, strict=True):
            splits[split] = {
                "features": features,
                "coordinates": points,
                "labels": load_array(self.folder / f"data/{split}_labels.npy"),
                "neighbors": load_npz(self.folder / f"neighbors/{self.layer}{suffix}.npz")["indices"],
            }
        classes = load_classes(self.folder / "data/classes.json")
        return score_map(splits, classes, np.arange(len(self.features[0])))[0]

    def split_rows(self, coordinates: np.ndarray) -> list[np.ndarray]:
        """Return coordinates (n, 2) of all rows by split."""
        return np.split(coordinates, self.rows.bounds[1:-1])


def embed(
    neighbors: Mapping[str, np.ndarray], start: np.ndarray, seed: int, **changes: float
) -> tuple[np.ndarray, float]:
    """Return an embedding (n, 2) float32 by openTSNE on one thread, and its KL divergence.

    It has the parameters of the default configuration, with some `changes`.
    """
    parameters = TSNE | {"seed": seed} | changes
    affinities = compute_affinities(neighbors, TSNE["perplexity"], 1)
    coordinates = fit_opentsne(affinities, start, parameters, 1)[0].astype(np.float32)
    return coordinates, kl_divergence(coordinates, affinities.P)
