"""Whatever tsnecuda does, there is an embedding and a record of how it was made.

The tests use the mock of tsnecuda in tests/mocks. Those that run the workflow are slow.
"""

import json
import subprocess

import numpy as np
import pytest

from common.errors import UserError
from common.tsne import tsnecuda
from common.tsne.affinities import compute_affinities
from common.tsne.backends import Problem, embed
from common.tsne.objective import kl_divergence
from common.tsne.start import make_start
from helpers import Workflow, only_error

MAP = "results/Small/maps/pixel.npy"
HELD_OUT = ("_validation.npy", "_test.npy")


@pytest.fixture(scope="module")
def problem(blobs, affinities, parameters, tmp_path_factory) -> Problem:
    path = tmp_path_factory.mktemp("features") / "features.npy"
    np.save(path, blobs[0][:399])  # other than the features of the probe
    p = affinities.P[:399, :399]
    few = type("Affinities", (), {"P": (p / p.sum()).tocsr()})()
    short = parameters | {"exaggerated_iterations": 10, "iterations": 10}
    return Problem([str(path)], few, make_start(blobs[0][:399], seed=0), 30, short, 1)


@pytest.mark.parametrize(
    "mode", ["exits", "aborts", "raises", "hangs", "not finite", "wrong shape", "dies in the fit", "not installed"]
)
def test_when_tsnecuda_fails_opentsne_embeds_and_the_record_gives_the_reason(mode, problem, mock_tsnecuda, monkeypatch):
    if mode != "not installed":
        mock_tsnecuda(mode)
    if mode == "hangs":
        monkeypatch.setattr(tsnecuda, "PROBE_SECONDS", 0.5)
    coordinates, record = embed("auto", problem)
    expected, _ = embed("opentsne", problem)
    assert np.array_equal(coordinates, expected) and record["backend"] == "openTSNE"
    assert record["why_backend"].startswith("tsne.backend is auto, and tsnecuda cannot be used here: ")


def test_where_tsnecuda_works_the_embedding_is_its_own(problem, mock_tsnecuda):
    mock_tsnecuda("succeeds")
    coordinates, record = embed("auto", problem)
    assert coordinates.shape == (399, 2) and record["backend"] == "tsnecuda"
    assert record["why_backend"] == "tsne.backend is auto"


def test_tsnecuda_that_was_chosen_and_fails_is_refused(problem, mock_tsnecuda):
    mock_tsnecuda("exits")
    message = r"^tsne\.backend is tsnecuda, and .* the probe ended with status 35\. Set tsne\.backend: auto, or run "
    with pytest.raises(UserError, match=message):
        embed("tsnecuda", problem)


def run_embedding(workflow: Workflow, mocks: str, mode: str, **variables: str) -> subprocess.CompletedProcess:
    """Compute the embedding of the pixels again, with the mock of tsnecuda."""
    variables |= {"PYTHONPATH": mocks, "TSNECUDA_MOCK": mode}
    return workflow.run("--forcerun", "embed_tsne", "--", MAP, **variables)


def record_of(workflow: Workflow) -> dict:
    return json.loads((workflow.folder / "results/Small/maps/pixel.json").read_text())


@pytest.mark.slow
def test_workflow_falls_back_and_logs_what_tsnecuda_printed(workflow, finished, mocks):
    result = run_embedding(workflow, mocks, "dies in the fit")
    assert result.returncode == 0, result.stdout + result.stderr
    record = record_of(workflow)
    assert record["backend"] == "openTSNE"
    assert record["why_backend"].startswith("tsne.backend is auto, and tsnecuda cannot be used here: ")
    assert all("the fit ended with SIGABRT" in text for text in (record["why_backend"], result.stderr))
    assert np.array_equal(np.load(workflow.folder / MAP), np.load(finished.folder / MAP))
    log = (workflow.folder / "logs/embed_tsne/Small/pixel.log").read_text()
    assert "the mock of tsnecuda on device 0" in log


@pytest.mark.slow
def test_workflow_writes_the_embedding_of_tsnecuda_where_it_works(workflow, finished, mocks):
    result = run_embedding(workflow, mocks, "succeeds", CUDA_VISIBLE_DEVICES="2,3")
    assert result.returncode == 0, result.stdout + result.stderr
    record = record_of(workflow)
    assert record["backend"] == "tsnecuda" and record["why_backend"] == "tsne.backend is auto"
    assert "on device 2\n" in (workflow.folder / "logs/embed_tsne/Small/pixel.log").read_text()
    coordinates = np.load(workflow.folder / MAP)
    assert coordinates.shape == (1297, 2) and coordinates.dtype == np.float32 and coordinates.flags.c_contiguous
    assert not np.array_equal(coordinates, np.load(finished.folder / MAP))
    maps = [coordinates, *(np.load(workflow.folder / MAP.replace(".npy", end)) for end in HELD_OUT)]
    with np.load(workflow.folder / "results/Small/neighbors/pixel_joint.npz") as stored:
        p = compute_affinities(stored, record["perplexity"], threads=1).P
    coordinates = np.concatenate(maps)
    assert record["kl_divergence"] == pytest.approx(kl_divergence(coordinates, p), abs=1e-3)


@pytest.mark.slow
def test_workflow_makes_no_map_if_the_chosen_tsnecuda_fails(workflow, mocks):
    workflow.configure(tsne={"backend": "tsnecuda"})
    (workflow.folder / MAP).unlink()
    result = run_embedding(workflow, mocks, "exits")
    assert "the probe ended with status 35. Set tsne.backend: auto" in only_error(result)
    assert not (workflow.folder / MAP).exists()


@pytest.mark.slow
def test_workflow_asks_no_gpu_if_opentsne_is_chosen(workflow, mocks):
    workflow.configure(tsne={"backend": "opentsne"})
    result = run_embedding(workflow, mocks, "succeeds")
    assert result.returncode == 0, result.stdout + result.stderr
    assert record_of(workflow)["backend"] == "openTSNE"
    assert "the mock of tsnecuda" not in (workflow.folder / "logs/embed_tsne/Small/pixel.log").read_text()


@pytest.mark.slow
def test_map_is_not_outdated_by_a_gpu_that_auto_would_now_use(finished, mocks):
    result = finished.run("--dry-run", PYTHONPATH=mocks, TSNECUDA_MOCK="succeeds")
    assert "Nothing to be done" in result.stdout + result.stderr
