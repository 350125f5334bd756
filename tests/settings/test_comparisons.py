"""Comparisons of networks in the configuration."""

import pytest

from common.errors import UserError
from common.settings import resolve_comparisons

DATASETS = {
    "Base": {"npz": "x.npz"},
    "Wide": {"like": "Base", "network": {"filters": [40, 80]}},
    "Pixels": {"like": "Base", "layers": ["pixel"]},
    "Other": {"npz": "y.npz"},
    "Vectors": {"vectors": {"a": "a.npy"}},
    "Broken": {"like": "Base", "layers": ["conv9"]},
}


def resolve(load, resolve_all, compared, name="Networks"):
    changes = {"datasets": DATASETS, "comparisons": {name: compared}, "make": ["Base"]}
    return resolve_comparisons(load(**changes), *resolve_all(**changes))


def test_comparison_names_data_sets_with_the_same_images(load, resolve_all):
    assert resolve(load, resolve_all, ["Wide", "Base"]) == ({"Networks": ["Wide", "Base"]}, {})


@pytest.mark.parametrize(
    ("compared", "line"),
    [
        (["Base", "Other"], "comparisons.Networks: Base and Other have different images. Set like: Base for Other."),
        (["Wide", "Other"], "comparisons.Networks: Wide and Other have different images. Set like: Base for Other."),
        (["Base", "Vectors"], "comparisons.Networks: Vectors has vectors, and no network of the workflow. Remove it."),
        (["Base", "Pixels"], "comparisons.Networks: Pixels has no layer of a network. Add one to its layers, or"),
        (["Base", "Broken"], "layers: the network has no conv9 (datasets.Broken)."),
    ],
)
def test_what_cannot_be_compared_is_an_error_once_it_is_requested(load, resolve_all, compared, line):
    found, errors = resolve(load, resolve_all, compared)
    assert found == {} and errors["Networks"].startswith(line)


@pytest.mark.parametrize(
    ("name", "compared", "line"),
    [
        ("Networks", ["Base", "Bose"], "comparisons.Networks: there is no data set Bose. Did you mean Base?"),
        ("Base", ["Base", "Wide"], "comparisons.Base: a data set has this name. Choose another."),
        ("Networks", ["Base", "Base"], "comparisons.Networks: ['Base', 'Base'] has non-unique elements"),
        ("Networks", ["Base"], "comparisons.Networks: ['Base'] is too short"),
        ("A_b", ["Base", "Wide"], "comparisons: 'A_b' is not valid. Expected: a name of letters, digits, dots"),
    ],
)
def test_wrong_comparison_is_refused_in_one_line(load, resolve_all, name, compared, line):
    with pytest.raises(UserError) as error:
        resolve(load, resolve_all, compared, name)
    assert f"{error.value}".startswith(line)
