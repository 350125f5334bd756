"""A comparison of two networks, run as a user would."""

import json
import re

import pandas as pd
import pytest

from helpers import LAYERS

pytestmark = pytest.mark.slow


def test_comparison_is_made_from_the_results_of_both_networks(workflow):
    workflow.configure(
        datasets={"Wide": {"like": "Small", "network": {"units": [32]}}}, comparisons={"Networks": ["Small", "Wide"]}
    )
    plan = workflow.plan("Networks")
    assert plan["train_network"] == 1 and plan["find_neighbors"] == plan["embed_tsne"] == 6, "no pixels again"
    result = workflow.run("--", "Networks")
    assert result.returncode == 0, result.stdout + result.stderr
    results = workflow.folder / "results"
    assert set(pd.read_csv(results / "Networks/networks.csv").network) == {"Small", "Wide"}
    made = {path.name for path in (results / "figures").glob("Networks_*")}
    names = ("networks", "tSNE_networks", "network_similarity")
    assert made == {f"Networks_{name}.{suffix}" for name in names for suffix in ("eps", "png")}

    page = (results / "Networks/explorer.html").read_text()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
    assert [one["layer"] for one in data["maps"]] == [
        "pixel",
        *(f"{network}: {layer}" for network in ("Small", "Wide") for layer in LAYERS[1:]),
    ]
    assert not data["predicted"], "the networks predict different labels"
    assert sum(data["splits"].values()) == data["rows"] == len(pd.read_csv(results / "Small/maps.csv"))
    assert workflow.plan("Networks") == {}
