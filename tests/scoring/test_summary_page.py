"""The page of the report with scores, records, methods, configuration and versions."""

import re

import numpy as np
import pytest
from compare_layers import tabulate
from summarize_run import collect_versions, flatten, make_score_table, render_markdown, render_page

METHODS = "# Methods\n\nOf 2 < 3.\n\n## References\n\n- One\n- Two & three\n"


def test_table_has_mean_and_range_of_each_score_and_the_gap(table):
    texts = make_score_table(table)
    assert texts.loc["kNN accuracy, features", ("dense", "test")] == "0.9200 (0.9000 to 0.9400)"
    assert texts.loc["kNN accuracy, features", ("pixel", "test")] == "0.8000", "equal values have no range"
    assert texts.loc["kNN accuracy, map", ("dense", "train-test gap")] == "0.0700"
    assert texts.columns.get_level_values(0).unique().tolist() == ["pixel", "dense"]


def test_scores_that_differ_only_in_digits_that_are_not_written_have_no_range(table):
    is_first = (table.network_seed == 1).fillna(False)
    table["knn_accuracy_features"] = np.where(is_first, 0.50001, 0.50002)
    table["knn_accuracy_map"] = np.where(is_first, 0.5, 0.5001)
    texts = make_score_table(table)["dense", "train"]
    assert texts["kNN accuracy, features"] == "0.5000"
    assert texts["kNN accuracy, map"].endswith(" (0.5000 to 0.5001)")


def test_scores_and_splits_that_are_not_known_are_left_out(entry):
    layer = entry("a", None, {"train": 0.9}) | {"test": {"rows": 0}}
    layer["train"] |= {"knn_accuracy_features": None, "knn_preservation_10": 0.4}
    texts = make_score_table(tabulate([layer], {}))
    assert texts.columns.tolist() == [("a", "train")]
    assert texts.index.tolist() == ["kNN accuracy, map", "kNN preservation, k = 10", "silhouette, map"]


def test_page_has_scores_records_configuration_and_versions(table):
    page = render_page(
        table,
        [{"layer": "pixel", "backend": "openTSNE"}],
        {"tsne": {"perplexity": 30}},
        METHODS,
        "version 9 <changed>",
        {"numpy": "2.1.3"},
    )
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == ["Layers", "Maps", "Methods", "Configuration", "Versions"]
    parts = dict(zip(headings, re.split("<h2>.*?</h2>", page)[1:], strict=True))
    assert "kNN accuracy, features" in parts["Layers"] and "0.9200 (0.9000 to 0.9400)" in parts["Layers"]
    assert "openTSNE" in parts["Maps"] and "<th>backend</th>" in parts["Maps"] and ">0<" not in parts["Maps"]
    assert "<td>tsne.perplexity</td>" in re.sub(r"\s", "", parts["Configuration"])
    assert "<td>30</td>" in parts["Configuration"] and "<thead" not in parts["Configuration"]
    assert "Workflow: version 9 &lt;changed&gt;." in parts["Versions"] and "2.1.3" in parts["Versions"]
    assert "<thead" not in parts["Versions"]
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n") and "border=" not in page


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
