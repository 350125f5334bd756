"""A configuration as Snakemake reads it: wrong values end with one line, before anything runs."""

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tsne": {"perplexty": 20}}, "tsne.perplexty: there is no such key. Did you mean perplexity?"),
        (
            {"make": ["Mine"], "datasets": {"Mine": {"npz": "a{b}.npz"}}},
            "datasets.Mine.npz: Snakemake reads braces as wildcards.",
        ),
        (
            {"datasets": {"Small": {"classes": ["a", False]}}},
            "datasets.Small.classes[1]: YAML reads this as the truth value false. Put it in quotes.",
        ),
        ({"layers": ["pixel", "conv9"]}, "layers: the network has no conv9"),
        ({"make": ["Smal"]}, "make: there is no data set Smal. Did you mean Small?"),
        (
            {"datasets": {"Small": {"classes": ["a", "b"]}}, "figures": {"palette": ["red"]}},
            "figures.palette: 1",
        ),
        ({"network": {"model": "model.pt"}}, "network.model: model.pt is not a .keras file, a .py file, keras.appl"),
    ],
)
def test_wrong_value_ends_with_one_line_before_anything_runs(fresh, tmp_path, changes, message):
    workflow = fresh.copy(tmp_path / "workflow")
    datasets = changes.pop("datasets", {})
    workflow.configure(**changes)
    workflow.configure(datasets={"Small": {"pickle": "digits.pkl.gz"} | datasets.pop("Small", {})} | datasets)
    result = workflow.run()
    assert result.returncode != 0
    lines = [line.strip() for line in result.stderr.splitlines()]
    assert [line for line in lines[-15:] if line.startswith(f"configuration: {message}")], result.stderr
    assert not (workflow.folder / "results/Small").exists()


def test_common_value_that_breaks_another_data_set_is_an_error_when_that_is_requested(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(layers=["pixel", "conv2"], datasets={"Broken": {"npz": "x.npz", "network": {"filters": [4]}}})
    assert workflow.plan()["plot_scatter"] == 2
    for target in ("Broken", "results/figures/Broken_tSNE_pixel.eps"):
        result = workflow.run("--dry-run", "--", target)
        message = "configuration: layers: the network has no conv2 (datasets.Broken). Did you mean conv1?"
        assert result.returncode != 0 and message in result.stdout + result.stderr


def test_configuration_that_is_not_yaml_is_refused(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    (workflow.folder / "digits.yaml").write_text("tsne: {perplexity: 20")
    result = workflow.run()
    assert result.returncode != 0 and "Config file is not valid JSON or YAML" in result.stderr.splitlines()[-1]


def test_quick_configuration_is_valid(workflow):
    result = workflow.run("--dry-run", "--configfile", "config/quick.yaml")
    assert result.returncode == 0, result.stderr
    assert "MNIST-quick_tSNE_pixel.eps" in result.stdout + result.stderr
