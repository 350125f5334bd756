"""Values that YAML reads as another type: integers are names, names such as no need quotes, --config has only text."""

import re

import pytest
import yaml
from snakemake.cli import parse_config

from common.errors import UserError


def given(text: str) -> dict:
    """Return a configuration as YAML reads it."""
    return yaml.safe_load(text)


def test_integers_are_text_where_names_are_expected(load, resolve):
    config = load(
        **given("{make: [2024], datasets: {2024: {npz: 5, classes: [0, 1, -2, a], layers: [pixel, 7]}}, layers: [7]}")
    )
    assert config["make"] == ["2024"] and list(config["datasets"])[-1] == "2024" and config["layers"] == ["7"]
    own = {"npz": "5", "classes": ["0", "1", "-2", "a"], "layers": ["pixel", "7"]}
    assert config["datasets"]["2024"] == own
    vectors = resolve(given("{vectors: {1: a.npy, 2: b.npy}, labels: {file: t.csv, column: 3}}"))
    assert [layer["name"] for layer in vectors["layers"]] == ["1", "2"] and vectors["columns"] == {"labels": "3"}


def test_numbers_stay_numbers_where_numbers_are_expected(load):
    config = load(**given("{tsne: {perplexity: 20, seeds: [3, 5]}, datasets: {Mine: {npz: x.npz, sample: 99}}}"))
    assert config["tsne"]["perplexity"] == 20 and config["tsne"]["seeds"] == [3, 5]
    assert config["datasets"]["Mine"]["sample"] == 99
    assert load(**given("figures: {palette: [red, '3']}"))["figures"]["palette"] == ["red", "3"]


def test_text_is_what_yaml_reads_in_it_where_no_text_is_expected(load):
    words = "network={seeds: [3, 5], learning_rate: 0.01, shuffle_labels: true, model: '7'}", "tsne={landmarks: null}"
    config = load(**parse_config(words))
    network = config["network"]
    assert network["seeds"] == [3, 5] and network["learning_rate"] == 0.01 and network["shuffle_labels"] is True
    assert network["model"] == "7" and config["tsne"]["landmarks"] is None


@pytest.mark.parametrize("value", ["some", "{", "2026-12-01"])
def test_other_text_is_refused_where_no_text_is_expected(load, value):
    with pytest.raises(UserError, match=re.escape(f"network.kernel: '{value}' is not of type 'integer'")):
        load(network={"kernel": value})


CLASSES = "datasets.Mine.classes[1]: YAML reads this as"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: {Mine: {npz: x, classes: [yes it is, no]}}", f"{CLASSES} the truth value false. Put it in quotes."),
        ("datasets: {Mine: {npz: x, classes: [a, yes]}}", f"{CLASSES} the truth value true."),
        ("datasets: {Mine: {npz: x, classes: [a, On]}}", f"{CLASSES} the truth value true."),
        ("datasets: {Mine: {npz: x, classes: [a, 1.0]}}", f"{CLASSES} the number 1.0. Put it in quotes."),
        ("datasets: {Mine: {npz: x, classes: [a, 2024-01-02]}}", f"{CLASSES} the date 2024-01-02."),
        ("datasets: {Mine: {npz: x, classes: [a, ~]}}", f"{CLASSES} null."),
        ("datasets: {Mine: {npz: x, classes: [a, null]}}", f"{CLASSES} null."),
        ("datasets: {Mine: {folder: ~}}", "datasets.Mine.folder: YAML reads this as null. Put it in quotes."),
        ("datasets: {on: {digits: true}}", "datasets: YAML reads this as the truth value true. Put it in quotes."),
        ("datasets: {1.5: {digits: true}}", "datasets: YAML reads this as the number 1.5."),
        ("datasets: {2024-01-02: {digits: true}}", "datasets: YAML reads this as the date 2024-01-02."),
        ("datasets: {Mine: {vectors: {no: a.npy}}}", "datasets.Mine.vectors: YAML reads this as the truth value false"),
        ("make: [MNIST, no]", "make[1]: YAML reads this as the truth value false."),
        ("layers: [pixel, off]", "layers[1]: YAML reads this as the truth value false."),
        ("datasets: {Mine: {npz: x, classes: [1, '1']}}", "datasets.Mine.classes: ['1', '1'] has non-unique elements"),
        ("network: {learning_rate: 1e-3}", "network.learning_rate: YAML reads 1e-3 as text. Write 0.001."),
        ("network: {kernel: 1e1}", "network.kernel: YAML reads 1e1 as text. Write 10."),
    ],
)
def test_name_that_yaml_reads_as_another_type_needs_quotes(load, text, message):
    with pytest.raises(UserError) as error:
        load(**given(text))
    assert f"{error.value}".startswith(message)


def test_name_in_quotes_is_text(load):
    config = load(**given("datasets: {'on': {npz: x, classes: ['no', '1.0', '2024-01-02', '007']}}"))
    assert config["datasets"]["on"]["classes"] == ["no", "1.0", "2024-01-02", "007"]
