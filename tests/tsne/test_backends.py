"""The choice between the backends of t-SNE."""

import numpy as np
import pytest

from common.errors import UserError
from common.tsne import backends
from common.tsne.backends import BACKENDS, Backend, BackendError, Problem, embed
from common.tsne.start import make_start


@pytest.fixture
def tried(monkeypatch):
    """The names of the backends that were tried: `broken`, then `working`."""
    tried = []

    def fit_broken(problem):
        tried.append("broken")
        raise BackendError("it is broken")

    def fit_working(problem):
        tried.append("working")
        return problem.start + 1, {"backend": "working"}

    registry = {
        "broken": Backend("Broken", fit_broken, needs_gpu=True),
        "working": Backend("Working", fit_working, needs_gpu=False),
        "spare": Backend("Spare", lambda problem: pytest.fail("one that is not needed was tried"), needs_gpu=False),
    }
    monkeypatch.setattr(backends, "BACKENDS", registry)
    return tried


@pytest.fixture
def problem():
    return Problem(["features.npy"], None, np.zeros((3, 2)), 30, {}, 1)


def test_auto_takes_the_first_that_works_and_records_why(tried, problem, caplog):
    caplog.set_level("INFO")
    coordinates, record = embed("auto", problem)
    assert tried == ["broken", "working"] and (coordinates == 1).all()
    reason = "tsne.backend is auto, and Broken cannot be used here: it is broken"
    assert record == {"backend": "working", "why_backend": reason}
    assert caplog.messages == ["Broken: tsne.backend is auto", f"Working: {reason}"]


def test_chosen_backend_alone_is_tried(tried, problem):
    assert embed("working", problem)[1]["why_backend"] == "tsne.backend is working"
    assert tried == ["working"]


def test_failure_of_the_chosen_backend_is_refused_with_what_to_do(tried, problem):
    with pytest.raises(UserError) as caught:
        embed("broken", problem)
    assert tried == ["broken"]
    assert str(caught.value) == (
        "tsne.backend is broken, and Broken cannot be used here: it is broken. "
        "Set tsne.backend: auto, or run it where the backend works."
    )


def test_any_other_error_is_not_hidden_by_the_fallback(tried, problem, monkeypatch):
    def fail(_):
        raise ZeroDivisionError

    monkeypatch.setitem(backends.BACKENDS, "broken", Backend("Broken", fail, needs_gpu=True))
    with pytest.raises(ZeroDivisionError):
        embed("auto", problem)
    assert not tried


def test_gpu_is_tried_first_and_needed_by_tsnecuda_only():
    assert {name: backend.needs_gpu for name, backend in BACKENDS.items()} == {"tsnecuda": True, "opentsne": False}
    assert list(BACKENDS) == ["tsnecuda", "opentsne"]


def test_opentsne_embeds_the_problem(blobs, affinities, parameters):
    start = make_start(blobs[0], seed=0)
    problem = Problem(["not read"], affinities, start, 30, parameters | {"iterations": 10}, 1)
    coordinates, record = embed("opentsne", problem)
    assert coordinates.shape == (400, 2) and np.ptp(coordinates) > 10 * np.ptp(start)
    assert record["backend"] == "openTSNE" and record["why_backend"] == "tsne.backend is opentsne"
