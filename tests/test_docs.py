"""The tables of docs/scores.md and config/README.md, which `make docs` writes."""

import importlib.util
import subprocess

import pytest
import yaml

from common.scoring.scores import SCORES
from helpers import ROOT, system_program


def load_tables():
    """Return docs/tables.py as a module."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs/tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load_tables()
PAGES = tables.render_pages()
DEFAULTS = yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_has_the_tables_that_make_docs_writes(path):
    assert path.read_text() == PAGES[path], "run make docs"


def test_make_docs_runs_the_generator():
    command = [system_program("make", "make"), "--dry-run", "docs"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "PYTHONPATH=scripts .venv/bin/python docs/tables.py" in result.stdout.splitlines(), result.stderr


def test_table_of_scores_has_each_score_with_its_description():
    rows = tables.tabulate_scores().splitlines()
    assert rows[:2] == ["| score | description |", "|---|---|"]
    assert len(rows) == 2 + len(SCORES)
    assert rows[2].startswith("| `knn_accuracy_features` | share of images")


def test_table_of_keys_has_each_key_with_its_default():
    text = (ROOT / "config/README.md").read_text()
    for row in (
        "| `make` | `[MNIST]` | The data sets",
        "| `network.weights` | `null` | File with the weights",
        "| `network.input.scaling` | `auto` | Values of black and white",
        "| `network.learning_rate` | `0.001` | Learning rate of the Adam optimizer. |",
        "| `gpu` | `false` | Request a GPU",
    ):
        assert f"\n{row}" in text


def test_key_is_listed_with_a_sentence_and_a_long_default_needs_a_short_text():
    schema = {"properties": {"a": {"properties": {"b": {"description": "a | b, or c"}}}, "d": {"description": "D."}}}
    assert tables.tabulate_keys({"a": {"b": [1, "x"]}, "d": {"e": None}}, schema).splitlines()[2:] == [
        "| `a.b` | `[1, x]` | A \\| b, or c. |",
        "| `d` | `{e: null}` | D. |",
    ]
    tables.tabulate_keys({"d": "x" * 40}, schema)
    with pytest.raises(ValueError, match="d has a long default"):
        tables.tabulate_keys({"d": "x" * 41}, schema)
    with pytest.raises(KeyError, match="unknown"):
        tables.tabulate_keys({"unknown": 1}, schema)


def test_short_texts_name_what_the_defaults_have():
    texts = tables.LONG_DEFAULTS
    for key in ("datasets", "downloads"):
        assert texts[key] == ", ".join(DEFAULTS[key])
    phases = [f"{phase['epochs']} {phase['batch_size']}" for phase in DEFAULTS["network"]["schedule"]]
    numbers = [word.strip(",") for word in texts["network.schedule"].split() if word.strip(",").isdigit()]
    assert " ".join(phases).split() == numbers


def test_table_between_the_markers_is_replaced_and_nothing_else():
    page = "before\n\n<!-- x -->\n\n| old |\n\n<!-- /x -->\n\nafter\n"
    assert tables.replace_table(page, "x", r"| \1 |") == page.replace("| old |", r"| \1 |")
    assert tables.replace_table("<!-- x -->\n\n<!-- /x -->\n", "x", "t") == "<!-- x -->\n\nt\n\n<!-- /x -->\n"


@pytest.mark.parametrize("page", ["", "<!-- x -->\n\n<!-- x -->\n\n<!-- /x -->\n", "\n<!-- /x -->\n\n<!-- x -->\n"])
def test_page_without_its_markers_is_refused(page):
    with pytest.raises(ValueError, match="needs the lines <!-- x --> and <!-- /x -->"):
        tables.replace_table(page, "x", "")
