"""The page of the report with scores, baselines, records, methods, configuration and versions."""

import re

import numpy as np
import pandas as pd
import pytest
from compare_layers import Estimates, summarize, tabulate
from summarize_run import (
    collect_versions,
    flatten,
    make_baseline_table,
    make_control_table,
    make_score_table,
    render_markdown,
    render_page,
)

METHODS = "# Methods\n\nOf 2 < 3.\n\n## References\n\n- One\n- Two & three\n"
ROWS = {"train": 50_000, "validation": 100, "test": 100}


@pytest.fixture(scope="module")
def table(two_layers) -> pd.DataFrame:
    return tabulate(*two_layers)


@pytest.fixture(scope="module")
def summary(two_layers) -> dict:
    return summarize(tabulate(*two_layers), Estimates(*two_layers))


def test_score_table_has_mean_and_interval_of_each_score(summary):
    texts = make_score_table(summary, ROWS)
    interval = summary["layers"]["dense"]["test"]["knn_accuracy_features"]
    expected = f"0.9200 ({interval['low']:.4f} to {interval['high']:.4f})"
    assert texts.loc["kNN accuracy, features", ("dense", "test, n = 100")] == expected
    assert texts.index.tolist() == ["kNN accuracy, features", "kNN accuracy, map", "silhouette, features"]


def test_score_table_has_a_column_for_each_split_and_difference(summary):
    texts = make_score_table(summary, ROWS)
    splits, between = ["train, n = 50,000", "validation, n = 100", "test, n = 100"], ["memorization", "shift"]
    assert texts["pixel"].columns.tolist() == splits + between
    assert texts["dense"].columns.tolist() == [*splits, "test, minus pixel", *between]
    row = texts.loc["kNN accuracy, map"]
    assert row["dense", "test, minus pixel"].startswith("0.1200 (") and row["dense", "shift"].startswith("0.0200 (")
    assert texts.loc["silhouette, features", ("dense", "test, minus pixel")] == "", "it has no difference"


def test_score_without_interval_is_a_number(layer):
    entry, outcomes = layer("a", None, {"train": 1})
    summary = summarize(tabulate([entry], [outcomes], {}), Estimates([entry], [outcomes], {}))
    texts = make_score_table(summary, {"train": 100})
    assert texts.loc["kNN accuracy, features", ("a", "train, n = 100")] == "1.0000"


def test_scores_and_splits_that_are_not_known_are_left_out(layer):
    entry, outcomes = layer("a", None, {"train": 0.9})
    outcomes = {"train_knn_accuracy_map": outcomes["train_knn_accuracy_map"], "train_continuity": np.array([0.5, 0.7])}
    summary = summarize(tabulate([entry], [outcomes], {}), Estimates([entry], [outcomes], {}))
    texts = make_score_table(summary, {"train": 100})
    assert texts.columns.tolist() == [("a", "train, n = 100")]
    assert texts.index.tolist() == ["kNN accuracy, map", "continuity"]


def test_control_table_has_the_scores_before_training_and_what_is_given_and_learned(layer):
    pixel, (entry, outcomes) = layer("pixel", None, {"test": 0.8}), layer("dense", 1, {"test": 0.9})
    before = layer("dense", 1, {"test": 0.7})[1]
    entries, every = [pixel[0], entry, entry | {"epoch": 0}], [pixel[1], outcomes, before]
    summary = summarize(tabulate(entries, every, {}), Estimates(entries, every, {}))
    texts = make_control_table(summary, {"test": 100})
    names = ("before training", "given", "learned")
    assert texts.columns.tolist() == [("dense", f"{name}, test") for name in names]
    row = [text.split(" (")[0] for text in texts.loc["kNN accuracy, features"]]
    assert row == ["0.7000", "-0.1000", "0.2000"]
    table = tabulate(entries, every, {})
    parts = render(summary, table)
    assert list(parts)[1:3] == ["Layers", "Before training"] and "learned, test" in parts["Before training"]


def test_run_without_a_control_has_no_table_of_it(summary):
    assert make_control_table(summary, ROWS).empty


def test_baseline_table_has_the_scores_of_the_last_split(table):
    table = table.assign(continuity=np.where(table.split == "test", 0.25, 0.75))
    texts = make_baseline_table(table.drop_duplicates(["layer", "embedding", "split"]))
    assert texts.index.tolist() == ["kNN accuracy, map", "continuity"]
    assert texts.columns.tolist() == [("pixel", "pca"), ("dense", "pca")]
    assert texts["dense", "pca"].tolist() == ["0.5000", "0.2500"]
    without = make_baseline_table(table[(table.split != "test") & (table.layer == "pixel")])
    assert without["pixel", "pca"].tolist() == ["0.5000", "0.7500"]


def render(summary, table) -> dict[str, str]:
    """Return the parts of the page by heading, and the whole page under the empty one."""
    page = render_page(
        summary,
        table,
        [{"layer": "pixel", "backend": "openTSNE"}],
        {"tsne": {"perplexity": 30}},
        METHODS,
        "version 9 <changed>",
        {"numpy": "2.1.3"},
    )
    headings = re.findall("<h2>(.*?)</h2>", page)
    return {"": page} | dict(zip(headings, re.split("<h2>.*?</h2>", page)[1:], strict=True))


def test_page_has_scores_baselines_records_configuration_and_versions(summary, table):
    parts = render(summary, table.assign(rows=table.split.map(ROWS)))
    assert list(parts) == ["", "Layers", "Baselines", "Maps", "Methods", "Configuration", "Versions"]
    assert "kNN accuracy, features" in parts["Layers"] and ">0.9200<br>(0." in parts["Layers"]
    assert [parts["Layers"].count(f"<h3>{layer}</h3>") for layer in ("pixel", "dense")] == [1, 1]
    assert "train, n = 50,000" in parts["Layers"] and "95 % intervals" in parts["Layers"]
    assert ">0.5000<" in parts["Baselines"] and "principal components" in parts["Baselines"]
    assert "openTSNE" in parts["Maps"] and "<th>backend</th>" in parts["Maps"] and ">0<" not in parts["Maps"]
    assert "<td>tsne.perplexity</td>" in re.sub(r"\s", "", parts["Configuration"])
    assert "<td>30</td>" in parts["Configuration"] and "<thead" not in parts["Configuration"]
    assert "Workflow: version 9 &lt;changed&gt;." in parts["Versions"] and "2.1.3" in parts["Versions"]
    assert "<thead" not in parts["Versions"]
    assert parts[""].startswith("<!DOCTYPE html>") and parts[""].endswith("</html>\n") and "border=" not in parts[""]


def test_page_of_a_run_without_labels_and_held_out_images_has_its_scores(layer):
    entry, _ = layer("a", None, {"train": 0.9})
    entry["train"]["baseline_pca"] = {"knn_accuracy_map": None, "continuity": 0.5}
    outcomes = {"train_continuity": np.array([0.5, 0.7, 0.6])}
    table = tabulate([entry], [outcomes], {})
    parts = render(summarize(table, Estimates([entry], [outcomes], {})), table)
    assert "continuity" in parts["Layers"] and "kNN" not in parts["Layers"] and "nan" not in parts["Layers"]
    assert "continuity" in parts["Baselines"] and "kNN" not in parts["Baselines"]


def test_methods_are_rendered_without_their_first_heading():
    expected = "<p>Of 2 &lt; 3.</p><h3>References</h3><ul><li>One</li><li>Two &amp; three</li></ul>"
    assert render_markdown(METHODS.rstrip()) == expected


@pytest.mark.parametrize(
    ("values", "flat"),
    [
        ({"a": {"b": {"c": 1}}, "d": None}, {"a.b.c": "1", "d": "null"}),
        ({"a": [1, "x"], "b": "text"}, {"a": '[1, "x"]', "b": '"text"'}),
        ({}, {}),
    ],
)
def test_configuration_is_listed_by_dotted_key(values, flat):
    assert flatten(values) == flat


def test_versions_are_as_recorded_else_as_installed_else_as_pinned():
    pins = {"numpy": "0", "matplotlib-base": "0", "a-package-that-is-not-here": "1.2", "keras": "3"}
    records = [{"versions": {"keras": "3.14"}}, {"versions": {"keras": "3.15", "openTSNE": "1.0.4"}}]
    versions = collect_versions(pins, [*records, records[0]])
    assert versions["numpy"] == np.__version__ and versions["a-package-that-is-not-here"] == "1.2"
    assert versions["matplotlib-base"] not in ("0", "")
    assert versions["keras"] == "3.14, 3.15" and versions["opentsne"] == "1.0.4"
