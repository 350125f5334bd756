"""The schedule that is used for a number of images."""

import pytest
import yaml

from common.networks.schedule import SMALLEST_BATCH, describe_phase, fit_schedule
from helpers import ROOT

DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())["network"]["schedule"]


def test_schedule_for_mnist_is_that_of_the_notebook():
    for images in (50_000, 60_000, 10**6):
        assert fit_schedule(DEFAULT, images) == [
            {"epochs": 5, "batch_size": 64, "passes": 1},
            {"epochs": 7, "batch_size": 512, "passes": 1},
        ]


@pytest.mark.parametrize("images", [1, 15, 16, 17, 22, 31, 100, 418, 600, 959, 960, 1044, 5000, 30_719, 30_720])
def test_small_set_has_the_least_number_of_batches_and_hardly_more(images):
    for phase, given in zip(fit_schedule(DEFAULT, images), DEFAULT, strict=True):
        batches = images * phase["passes"] // phase["batch_size"]
        assert phase["batch_size"] <= min(images, given["batch_size"]) and phase["epochs"] == given["epochs"]
        assert batches >= given["min_batches"]
        if phase["batch_size"] < given["batch_size"]:
            assert batches <= given["min_batches"] + max(images // phase["batch_size"], 1)
        if phase["passes"] > 1:
            assert phase["batch_size"] == min(images, SMALLEST_BATCH), "passes come last"


def test_schedule_without_least_number_is_used_as_it_is():
    schedule = [{"epochs": 3, "batch_size": 8}, {"epochs": 1, "batch_size": 512}]
    assert fit_schedule(schedule, 100) == [
        {"epochs": 3, "batch_size": 8, "passes": 1},
        {"epochs": 1, "batch_size": 100, "passes": 1},
    ]


def test_batch_that_is_small_already_is_not_made_larger():
    phase = {"epochs": 1, "batch_size": 4, "min_batches": 60}
    assert fit_schedule([phase], 40) == [{"epochs": 1, "batch_size": 4, "passes": 6}]


def test_used_phase_is_described():
    assert describe_phase({"epochs": 5, "batch_size": 64, "passes": 1}) == "5 epochs with batches of 64"
    assert describe_phase({"epochs": 1, "batch_size": 16, "passes": 3}) == "1 epoch of 3 passes each with batches of 16"
