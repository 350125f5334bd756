"""The reference scores in docs/ are those of the default configuration, and the README has them."""

import importlib.util
import json
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from common.names import SPLITS
from common.scoring.baselines import BASELINES
from common.scoring.parameters import BLOCK_ROWS, MIN_SAMPLE, N_QUERIES, N_RESAMPLES, N_SAMPLES, N_VOTERS, SAMPLE_ROWS
from common.scoring.scores import SCORES
from helpers import ROOT

AGREES = "All scores agree with the reference.\n"
COMPARED = [key for key in SCORES if key in pd.read_csv(ROOT / "docs/layers.csv", nrows=0).columns]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(ROOT / "docs/layers.csv")


@pytest.fixture(scope="module")
def reference() -> dict:
    return json.loads((ROOT / "docs/layers.json").read_text())


@pytest.fixture(scope="module")
def find_differences():
    """The function of docs/compare_reference.py."""
    spec = importlib.util.spec_from_file_location("compare_reference", ROOT / "docs/compare_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda *summaries: list(module.find_differences(*summaries))


def make_summary(mean: float = 0.99, low: float | None = 0.98, high: float | None = 0.995, **others) -> dict:
    """Return a summary with one score of one layer and split, and other entries of the split."""
    interval = {"mean": mean, "low": low, "high": high}
    entry = {"dimensions": 64, "train": {}, "validation": {}, "test": {"knn_accuracy_map": interval} | others}
    return {"best": {}, "network": {"train": {}, "validation": {}, "test": {}}, "layers": {"dense3": entry}}


@pytest.mark.parametrize(("mean", "agrees"), [(0.98, 1), (0.995, 1), (0.985, 1), (0.9799, 0), (0.9951, 0), (0.5, 0)])
def test_mean_agrees_if_it_is_in_the_interval_of_the_reference(find_differences, mean, agrees):
    lines = find_differences(make_summary(mean, low=0, high=1), make_summary())
    expected = f"dense3, test: knn_accuracy_map is {mean:.4f}, expected 0.9800 to 0.9950."
    assert lines == ([] if agrees else [expected])


@pytest.mark.parametrize(("mean", "agrees"), [(1, 1), (0.9981, 1), (0.9979, 0)])
def test_mean_without_interval_may_differ_by_rounding(find_differences, mean, agrees):
    lines = find_differences(make_summary(mean), make_summary(1, None, None))
    expected = f"dense3, test: knn_accuracy_map is {mean:.4f}, expected 0.9980 to 1.0020."
    assert lines == ([] if agrees else [expected])


def test_score_that_one_of_both_lacks_is_reported(find_differences):
    more = make_summary(continuity={"mean": 0.5, "low": 0.4, "high": 0.6})
    assert find_differences(make_summary(), more) == ["dense3, test: continuity is missing, expected 0.4000 to 0.6000."]
    elsewhere = make_summary()
    elsewhere["layers"]["conv1"] = more["layers"]["dense3"]
    assert find_differences(more, elsewhere) == ["dense3, test: continuity is 0.5000, expected none."]
    assert find_differences(more, make_summary()) == [], "a score that the reference has nowhere"


def test_layer_that_the_reference_lacks_is_reported_and_one_that_the_run_lacks_is_not(find_differences):
    summary, reference = make_summary(), make_summary()
    reference["layers"]["pixel"] = reference["layers"]["dense3"]
    assert find_differences(summary, reference) == []
    assert find_differences(reference, summary) == ["pixel: the reference has no such layer."]


def test_divergence_is_not_compared(find_differences):
    values = ({"kl_divergence": {"mean": mean, "low": None, "high": None}} for mean in (1.0, 2.0))
    assert find_differences(*(make_summary(**others) for others in values)) == []


def test_accuracy_of_the_network_is_compared_if_the_run_has_one(find_differences):
    accuracies = [{"network_accuracy": {"mean": mean, "low": mean - 0.01, "high": mean}} for mean in (0.9, 0.95)]
    summary, reference = make_summary(), make_summary()
    reference["network"]["test"] = accuracies[1]
    assert find_differences(summary, reference) == []
    summary["network"]["test"] = accuracies[0]
    line = "network, test: network_accuracy is 0.9000, expected 0.9400 to 0.9500."
    assert find_differences(summary, reference) == [line]


def run_comparison(summary) -> subprocess.CompletedProcess:
    """Run the command that docs/scores.md gives."""
    command = "PYTHONPATH=scripts .venv/bin/python docs/compare_reference.py"
    assert f"    {command} results/MNIST/layers.json\n" in (ROOT / "docs/scores.md").read_text()
    return subprocess.run(
        [sys.executable, "docs/compare_reference.py", summary],
        cwd=ROOT,
        env={"PYTHONPATH": "scripts"},
        capture_output=True,
        text=True,
    )


def test_command_says_whether_a_run_agrees_with_the_reference(tmp_path, reference):
    result = run_comparison(ROOT / "docs/layers.json")
    assert (result.returncode, result.stdout) == (0, AGREES), result.stderr
    reference = json.loads(json.dumps(reference))
    reference["layers"]["pixel"]["test"]["continuity"]["mean"] = 0.5
    (tmp_path / "layers.json").write_text(json.dumps(reference))
    result = run_comparison(tmp_path / "layers.json")
    assert result.returncode == 1 and result.stdout.startswith("pixel, test: continuity is 0.5000, expected 0.9")
    assert result.stdout.count("\n") == 1


def test_table_has_a_row_for_each_layer_embedding_split_and_pair_of_seeds(table):
    seeds = yaml.safe_load((ROOT / "docs/reference.yaml").read_text())
    networks, maps = (len(seeds[key]["seeds"]) for key in ("network", "tsne"))
    rows = table[table.embedding == "tsne"].groupby("layer").size().to_dict()
    of_layer = 3 * maps * networks * 2  # splits, embeddings, networks, before and after training
    assert rows == {"pixel": 3 * maps} | dict.fromkeys(("conv1", "conv2", "dense3"), of_layer)
    baselines = table[table.embedding != "tsne"].groupby(["layer", "embedding"]).split.apply(list).to_dict()
    assert baselines == {(layer, name): list(SPLITS) for layer in rows for name in BASELINES}
    assert list(table.columns)[8:] == COMPARED
    assert table.groupby("split").rows.unique().map(list).to_dict() == {
        "train": [50_000],
        "validation": [10_000],
        "test": [10_000],
    }


def test_layers_before_training_are_compared_too(reference, find_differences):
    other = json.loads(json.dumps(reference))
    other["layers"]["conv2"]["before_training"]["test"]["linear_probe_accuracy"]["mean"] = 0.5
    (line,) = find_differences(other, reference)
    assert line.startswith("conv2 before training, test: linear_probe_accuracy is 0.5000, expected 0.97")


def test_similarity_is_that_of_all_pairs_of_layers_epochs_and_networks():
    table = pd.read_csv(ROOT / "docs/similarity.csv")
    states = 1 + 3 * 2 * 5
    assert len(table) == states * (states - 1) // 2 and (table.rows == 5000).all()
    for score in ("cka", "overlap"):
        assert table[score].between(0, 1).all()
        assert (table[f"{score}_low"] <= table[score]).all() and (table[score] <= table[f"{score}_high"]).all()
    of_dense3 = table[
        (table.layer == "dense3") & (table.layer_2 == "dense3") & (table.epoch == 0) & (table.epoch_2 == 0)
    ]
    assert len(of_dense3) == 10 and of_dense3.overlap.max() < 0.5, "two seeds before training share few neighbors"


@pytest.mark.parametrize("key", COMPARED)
def test_table_is_in_the_range_of_its_score(table, key):
    low, high = SCORES[key].range
    assert table[key].dropna().between(low, high).all() and table[key].notna().any()


def test_summary_has_the_means_of_the_table(table, reference):
    of_maps = table[table.embedding == "tsne"]
    for (layer, epoch, split), rows in of_maps.groupby(["layer", "epoch", "split"], dropna=False):
        means = rows[COMPARED].drop(columns=["kl_divergence", "network_accuracy"]).mean().dropna().to_dict()
        entry = reference["layers"][layer] if pd.isna(epoch) else reference["layers"][layer]["before_training"]
        found = {key: interval["mean"] for key, interval in entry[split].items()}
        assert found == pytest.approx(means, rel=1e-5, abs=2e-6)


def test_layers_of_the_reference_differ_from_each_other(reference, find_differences):
    layers = reference["layers"]
    swapped = reference | {"layers": {"pixel": layers["dense3"], "dense3": layers["pixel"]}}
    assert len(find_differences(swapped, reference)) > 20


def test_table_of_voters_has_the_accuracies_of_ten_voters_at_ten(table):
    knn = pd.read_csv(ROOT / "docs/knn.csv")
    keys = ["layer", "epoch", "network_seed", "split"]
    for metric, score in {"euclidean": "features", "cosine": "cosine", "pca": "pca"}.items():
        rows = knn[(knn.metric == metric) & (knn.k == N_VOTERS)].set_index(keys).accuracy.sort_index()
        expected = table[table.embedding == "tsne"].dropna(subset=f"knn_accuracy_{score}")
        expected = expected.drop_duplicates(keys).set_index(keys)[f"knn_accuracy_{score}"].sort_index()
        assert len(rows) and rows.tolist() == pytest.approx(expected.tolist(), abs=2e-6)


def test_texts_have_the_numbers_of_the_scores():
    text = (ROOT / "docs/scores.md").read_text()
    for sentence in (
        f"with {N_VOTERS} neighbors",
        f"{N_QUERIES} random images of a split",
        f"{N_SAMPLES} disjoint samples of {SAMPLE_ROWS} images; a split of fewer than {N_SAMPLES * MIN_SAMPLE} images",
        f"a bootstrap with {N_RESAMPLES:,} resamples",
        f"Blocks of {BLOCK_ROWS} consecutive images",
    ):
        assert sentence in text
    assert f"{N_QUERIES} random {{{{ noun }}}}s of a split" in (ROOT / "report/splits.rst").read_text()


@pytest.mark.slow
def test_scores_of_the_pixels_of_mnist_agree_with_the_reference(fresh, tmp_path, reference, find_differences):
    workflow = fresh.copy(tmp_path / "workflow")
    configuration = yaml.safe_load((ROOT / "docs/reference.yaml").read_text())
    (workflow.folder / "digits.yaml").write_text(yaml.safe_dump(configuration | {"layers": ["pixel"]}))
    result = workflow.run("--", "results/MNIST/layers.json")
    assert result.returncode == 0, result.stderr
    summary = json.loads((workflow.folder / "results/MNIST/layers.json").read_text())
    assert list(summary["layers"]) == ["pixel"]
    assert not find_differences(summary, reference)
