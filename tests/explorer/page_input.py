"""The data of the pages that the tests open: scikit-learn's digits, with a map for each of three layers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from build_explorer import Embedding, build_explorer, make_page_data
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from common.names import SPLITS

LAYERS = ["pixel", "conv1", "dense3"]
DIGITS = [str(number) for number in range(10)]
COUNT = 1797  # images
TRAIN, VALIDATION = 1500, 97  # of them; the others are for testing
BOUNDS = [TRAIN, TRAIN + VALIDATION]


@dataclass(frozen=True)
class PageInput:
    """What a page is made of."""

    maps: pd.DataFrame
    images: np.ndarray
    neighbors: dict[str, np.ndarray]
    earlier: list[Embedding] = field(default_factory=list)  # of the layers before the last epoch

    @property
    def splits(self) -> list[np.ndarray]:
        """The images of each split."""
        return np.split(self.images, BOUNDS)

    @property
    def wrong(self) -> np.ndarray:
        """The images with a wrong prediction."""
        return np.flatnonzero(self.maps.prediction != self.maps.label)

    @property
    def embeddings(self) -> list[Embedding]:
        """The embeddings of the page."""
        last = [
            Embedding(layer, None, self.maps[[f"{layer}_x", f"{layer}_y"]].to_numpy(), self.neighbors[layer])
            for layer in LAYERS
        ]
        return [*last, *self.earlier]

    def make_data(
        self, name: str = "Digits", palette: str = "petroff10", classes: Sequence[str] = DIGITS
    ) -> dict[str, Any]:
        """Return the data of the page."""
        return make_page_data(name, palette, classes, self.maps, self.splits, self.embeddings)


def make_page_input() -> PageInput:
    """Return the digits, with a pair of their principal components as the map of each layer.

    An image has other neighbors in each layer, and a random 1.5 % of the predictions are wrong.
    """
    digits = load_digits()
    sizes = np.diff([0, *BOUNDS, COUNT])
    ids = np.concatenate([np.arange(size) for size in sizes])
    maps = pd.DataFrame({"id": ids, "split": np.repeat(SPLITS, sizes), "label": digits.target})
    generator = np.random.default_rng(0)
    maps["prediction"] = np.where(generator.random(COUNT) < 0.015, (digits.target + 1) % 10, digits.target)
    maps["confidence"] = generator.uniform(0.3, 1, COUNT).round(4)
    maps["prediction_depth"] = generator.choice([*LAYERS, "network"], COUNT, p=[0.7, 0.1, 0.1, 0.1])
    components = PCA(6, random_state=0).fit_transform(digits.data)
    neighbors = {}
    for number, layer in enumerate(LAYERS):
        pair = components[:, 2 * number : 2 * number + 2]
        maps[f"{layer}_x"], maps[f"{layer}_y"] = pair.T
        maps[f"{layer}_knn"] = np.where(generator.random(COUNT) < 0.03, (digits.target + 2) % 10, digits.target)
        search = NearestNeighbors(n_neighbors=11).fit(pair[:TRAIN])
        neighbors[layer] = search.kneighbors(pair, return_distance=False)[:, 1:11].astype(np.int32)
    return PageInput(maps, (digits.images / 16)[..., None].astype(np.float32), neighbors)


def embed_earlier(digits: PageInput) -> list[Embedding]:
    """Return embeddings of conv1 and dense3 before training and after one epoch: between the pixels' and the last."""
    earlier = []
    for layer in LAYERS[1:]:
        first, last = (digits.maps[[f"{name}_x", f"{name}_y"]].to_numpy() for name in ("pixel", layer))
        for epoch, share in ((0, 0.2), (1, 0.7)):
            points = (1 - share) * first + share * last
            search = NearestNeighbors(n_neighbors=11).fit(points[:TRAIN])
            neighbors = search.kneighbors(points, return_distance=False)[:, 1:11].astype(np.int32)
            earlier.append(Embedding(layer, epoch, points, neighbors))
    return earlier


def write_page(folder: Path, data: dict[str, Any]) -> str:
    """Write the page of some data to a folder, and return its address."""
    path = folder / "explorer.html"
    path.write_text(build_explorer(data))
    return path.as_uri()
