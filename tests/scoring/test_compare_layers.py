"""The table of all scores."""

import numpy as np
import pandas as pd
import pytest
from compare_layers import find_correct, tabulate

from common.names import SPLITS
from common.scoring.scores import SCORES

COLUMNS = ["layer", "epoch", "dimensions", "network_seed", "tsne_seed", "embedding", "split", "rows"]


@pytest.fixture
def table(two_layers) -> pd.DataFrame:
    return tabulate(*two_layers)


def of_tsne(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.embedding == "tsne"]


def test_table_has_a_row_for_each_layer_embedding_split_and_pair_of_seeds(table):
    assert table.columns.tolist() == [*COLUMNS, *SCORES]
    assert table.layer.tolist() == ["pixel"] * 6 + ["dense"] * 12
    assert table.embedding.tolist() == ["tsne", "pca"] * 9
    assert table.split.tolist() == [split for split in SPLITS for _ in range(2)] * 3
    assert table.network_seed.isna().tolist() == [True] * 6 + [False] * 12
    assert table.network_seed[6:].tolist() == [1] * 6 + [2] * 6 and table.network_seed.dtype == pd.Int64Dtype()
    assert (table.tsne_seed == 1).all() and (table.rows == 100).all() and (table.dimensions == 3).all()


def test_scores_of_an_embedding_are_the_means_of_its_outcomes(table):
    rows = of_tsne(table)
    assert rows.knn_accuracy_features.tolist() == pytest.approx([0.9, 0.85, 0.8, 1, 0.95, 0.9, 0.98, 0.93, 0.94])
    assert rows.knn_accuracy_map.tolist() == pytest.approx((rows.knn_accuracy_features - 0.1).tolist())
    assert rows.trustworthiness.isna().all() and rows.trustworthiness.dtype == float


def test_baselines_have_their_own_scores_only(table):
    rows = table[table.embedding == "pca"]
    assert (rows.knn_accuracy_map == 0.5).all()
    assert rows[[key for key in SCORES if key != "knn_accuracy_map"]].isna().all(axis=None)


def test_embedding_without_baselines_has_no_rows_of_them(layer):
    entry, outcomes = layer("pixel", None, {"train": 0.9})
    del entry["train"]["baseline_pca"]
    assert tabulate([entry], [outcomes], {}).embedding.tolist() == ["tsne"]


def test_divergence_stands_at_the_training_images(table):
    assert of_tsne(table).kl_divergence.fillna(0).tolist() == [1.5, 0, 0] * 3


def test_accuracy_of_the_network_stands_beside_its_layers_only(table):
    rows = of_tsne(table).network_accuracy
    assert rows.isna().tolist() == [True] * 3 + [False] * 6
    assert rows[3:].tolist() == pytest.approx([0.99, 0.98, 0.97, 0.97, 0.96, 0.95])


def test_imported_network_has_an_accuracy_but_no_seed(layer):
    layers = [layer(name, None, {"train": 0.9, "test": 0.9}) for name in ("pixel", "dense")]
    entries, outcomes = zip(*layers, strict=True)
    correct = {None: {"train": np.array([1.0, 0]), "test": np.array([1.0, 1, 0, 1])}}
    table = of_tsne(tabulate(entries, outcomes, correct))
    assert table.network_seed.isna().all()
    assert table.network_accuracy.isna().tolist() == [True, True, False, False]
    assert table.network_accuracy[2:].tolist() == [0.5, 0.75]
    assert tabulate(entries, outcomes, {None: {}}).network_accuracy.isna().all(), "it predicts other classes"


def test_layer_before_training_has_rows_of_its_own_without_the_networks_accuracy(layer):
    (entry, outcomes), correct = layer("dense", 1, {"test": 0.9}), {1: {"test": np.ones(4)}}
    table = of_tsne(tabulate([entry, entry | {"epoch": 0}], [outcomes, outcomes], correct))
    assert table.epoch.isna().tolist() == [True, False] and table.epoch[1:].tolist()[-1] == 0
    assert table.epoch.dtype == pd.Int64Dtype()
    assert table.network_accuracy.isna().tolist() == [False, True]


def test_split_without_images_has_no_row(layer):
    entry, outcomes = layer("a", None, {"train": 0.9, "test": 0.9})
    assert of_tsne(tabulate([entry], [outcomes], {})).split.tolist() == ["train", "test"]


def test_accuracies_of_other_metrics_come_from_their_outcomes(layer):
    entry, outcomes = layer("a", None, {"train": 0.9, "test": 0.9})
    outcomes |= {"test_knn_accuracy_cosine": np.array([1, 0]), "test_knn_accuracy_pca": np.array([1, 1, 1, 0])}
    table = of_tsne(tabulate([entry], [outcomes], {}))
    assert table.knn_accuracy_cosine.fillna(-1).tolist() == [-1, 0.5]
    assert table.knn_accuracy_pca.fillna(-1).tolist() == [-1, 0.75]


def test_right_predictions_keep_the_order_of_the_images():
    predictions = pd.DataFrame(
        {"split": ["train", "test", "train", "train"], "label": [3, 1, 0, 2], "prediction": [3.0, 0.0, 1.0, 2.0]}
    )
    correct = find_correct(predictions)
    assert {split: values.tolist() for split, values in correct.items()} == {"train": [1, 0, 1], "test": [0]}
    assert find_correct(predictions.assign(prediction=np.nan)) == {}
