"""The table of the similarity of layers, before and after training and between seeds."""

import numpy as np
import pandas as pd
import pytest

from common.scoring.similarity_table import MAX_ROWS, choose_rows, tabulate_similarity

STATES = [
    {"layer": "pixel", "epoch": None, "network_seed": None},
    {"layer": "dense", "epoch": None, "network_seed": 5},
    {"layer": "dense", "epoch": 0, "network_seed": 5},
]


@pytest.fixture(scope="module")
def features() -> list[np.ndarray]:
    """Features of 300 images: some, the same rotated and scaled, and unrelated ones."""
    generator = np.random.default_rng(0)
    first = generator.normal(size=(300, 6)).astype(np.float32)
    rotation = np.linalg.qr(generator.normal(size=(6, 6)))[0]
    return [first, (3 * first @ rotation + 1).astype(np.float32), generator.normal(size=(300, 6)).astype(np.float32)]


@pytest.fixture(scope="module")
def table(features) -> pd.DataFrame:
    return tabulate_similarity(features, STATES, 100, 1)


def test_table_has_a_row_for_each_pair_with_both_layers_epochs_and_seeds(table):
    assert len(table) == 3 and (table.rows == 300).all()
    row = table.iloc[2]
    assert (row.layer, row.network_seed, row.layer_2, row.epoch_2, row.network_seed_2) == ("dense", 5, "dense", 0, 5)
    assert table.epoch.isna().all() and table.network_seed.isna().tolist() == [True, True, False]


def test_rotated_and_scaled_features_are_equal_and_unrelated_ones_are_not(table):
    assert table.cka[0] == pytest.approx(1, abs=1e-5) and table.overlap[0] == pytest.approx(1, abs=1e-3)
    assert (table.cka[1:] < 0.2).all() and (table.overlap[1:] < 0.1).all()
    assert (table.cka_low[1:] < table.cka[1:]).all() and (table.overlap_high[1:] > table.overlap[1:]).all()


def test_features_that_are_equal_for_all_images_are_in_no_pair(features):
    table = tabulate_similarity([features[0], np.ones((300, 2), np.float32), features[2]], STATES, 100, 1)
    assert len(table) == 1 and table.epoch_2.tolist() == [0]
    assert tabulate_similarity([features[0]], STATES[:1], 100, 1).empty, "of one layer there is no pair"


def test_rows_are_drawn_once_and_all_if_there_are_few():
    assert choose_rows(300).tolist() == list(range(300))
    rows = choose_rows(60_000)
    assert len(np.unique(rows)) == MAX_ROWS and (np.diff(rows) > 0).all() and np.array_equal(rows, choose_rows(60_000))
