"""tsnecuda, or a double of it, in a process of its own: the map, and the fall back to openTSNE when it fails.

What is proven here holds for the double in tests/doubles, which says what it takes from the real one. No GPU is needed,
and none is used.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from embed_tsne import fit, kl_divergence

from common.errors import UserError
from common.tsne.affinities import affinities
from common.tsne.tsnecuda import TsnecudaError, calls_of_tsnecuda, fit_tsnecuda, probe
from helpers import ROOT, Workflow, only_error

DOUBLES = str(ROOT / "tests/doubles")
PARAMETERS = {"seed": 0, "perplexity": 10, "exaggeration": 12, "exaggerated_iterations": 250, "iterations": 500}
MAP = "results/Small/maps/pixel.npy"


@pytest.fixture(scope="module")
def impatient(finished, tmp_path_factory) -> Workflow:
    """A copy of the finished run that waits for a probe for 10 seconds only."""
    workflow = finished.copy(tmp_path_factory.mktemp("impatient") / "workflow")
    script = workflow.folder / "scripts/common/tsnecuda_process.py"
    script.write_text(script.read_text().replace("PROBE_SECONDS = 300", "PROBE_SECONDS = 10"))
    return workflow


def embed(workflow: Workflow, double: str, **variables: str) -> subprocess.CompletedProcess:
    """Make the map of the pixels anew, with the double of tsnecuda."""
    variables |= {"PYTHONPATH": DOUBLES, "TSNECUDA_DOUBLE": double}
    return workflow.run("--forcerun", "embed_tsne", "--", MAP, **variables)


@pytest.mark.parametrize(
    ("double", "reason"),
    [
        ("exits", "the probe ended with status 35"),
        ("aborts", "the probe ended with SIGABRT"),
        ("raises", "OSError: libmkl_intel_lp64.so: cannot open shared object file"),
        ("hangs", "the probe did not end within 10 s"),
        ("not finite", "the map of the probe is not finite"),
        ("wrong shape", "the map of the probe has the shape (400, 3), not (400, 2)"),
        ("dies in the fit", "the fit ended with SIGABRT"),
    ],
)
def test_whatever_fails_there_is_a_map_and_a_true_record(impatient, finished, double, reason):
    result = embed(impatient, double)
    assert result.returncode == 0, result.stdout + result.stderr
    facts = json.loads((impatient.folder / "results/Small/maps/pixel.json").read_text())
    assert facts["backend"] == "openTSNE"
    assert facts["why_backend"].startswith("tsne.backend is auto, and tsnecuda cannot be used here: ")
    assert reason in facts["why_backend"] and reason in result.stderr
    assert np.array_equal(np.load(impatient.folder / MAP), np.load(finished.folder / MAP))
    if double != "raises":
        log = (impatient.folder / "logs/embed_tsne/Small/pixel.log").read_text()
        assert "the double of tsnecuda on device 0" in log, "what tsnecuda says belongs in the log"


def test_where_it_works_the_map_is_that_of_tsnecuda(impatient, finished):
    result = embed(impatient, "succeeds", CUDA_VISIBLE_DEVICES="2,3")
    assert result.returncode == 0, result.stdout + result.stderr
    facts = json.loads((impatient.folder / "results/Small/maps/pixel.json").read_text())
    assert facts["backend"] == "tsnecuda" and facts["why_backend"] == "tsne.backend is auto, and it works here"
    assert "on device 2\n" in (impatient.folder / "logs/embed_tsne/Small/pixel.log").read_text()
    coordinates = np.load(impatient.folder / MAP)
    assert coordinates.shape == (1297, 2) and coordinates.dtype == np.float32 and coordinates.flags.c_contiguous
    assert not np.array_equal(coordinates, np.load(finished.folder / MAP))
    with np.load(impatient.folder / "results/Small/neighbors/pixel.npz") as stored:
        p = affinities(stored, facts["perplexity"], threads=1).P
    assert facts["kl_divergence"] == pytest.approx(kl_divergence(coordinates, p), abs=1e-3)


def test_tsnecuda_or_nothing(workflow):
    workflow.configure(tsne={"backend": "tsnecuda"})
    (workflow.folder / MAP).unlink()
    result = embed(workflow, "exits")
    assert "the probe ended with status 35; run it where it can, or set tsne.backend" in only_error(result)
    assert not (workflow.folder / MAP).exists()


def test_opentsne_asks_no_gpu(workflow):
    workflow.configure(tsne={"backend": "opentsne"})
    result = embed(workflow, "succeeds")
    assert result.returncode == 0, result.stdout + result.stderr
    facts = json.loads((workflow.folder / "results/Small/maps/pixel.json").read_text())
    assert facts["backend"] == "openTSNE" and facts["why_backend"] == "tsne.backend is opentsne"


def test_auto_that_would_resolve_differently_is_not_stale(finished):
    result = finished.run("--dry-run", PYTHONPATH=DOUBLES, TSNECUDA_DOUBLE="succeeds")
    assert "Nothing to be done" in result.stdout + result.stderr


def test_not_installed_is_a_reason():
    with pytest.raises(TsnecudaError, match="tsnecuda is not installed"):
        probe(PARAMETERS, momentum=0.8)


def test_fallback_hides_no_other_error():
    def broken():
        raise ValueError("not a matter of tsnecuda")

    with pytest.raises(ValueError, match="not a matter"):
        fit("auto", on_gpu=broken, on_cpu=lambda: pytest.fail("fell back"))
    with pytest.raises(UserError, match="because of that; run it where it can"):
        fit("tsnecuda", on_gpu=lambda: (_ for _ in ()).throw(TsnecudaError("because of that")), on_cpu=broken)


def test_calls_are_those_of_opentsne():
    exaggerated, plain = calls_of_tsnecuda(1200, 30, PARAMETERS, momentum=0.8)
    assert (exaggerated["n_iter"], exaggerated["early_exaggeration"], exaggerated["learning_rate"]) == (250, 12, 100)
    assert (plain["n_iter"], plain["early_exaggeration"], plain["learning_rate"]) == (500, 1, 1200)
    for call in (exaggerated, plain):
        assert call["num_neighbors"] == 31 and call["force_magnify_iters"] == call["n_iter"]
        assert call["pre_momentum"] == call["post_momentum"] == 0.8
    assert len(calls_of_tsnecuda(1200, 30, PARAMETERS | {"exaggerated_iterations": 0}, momentum=0.8)) == 1


def test_second_call_starts_from_the_map_of_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", DOUBLES)
    monkeypatch.setenv("TSNECUDA_DOUBLE", "succeeds")
    monkeypatch.syspath_prepend(DOUBLES)
    np.save(tmp_path / "features.npy", np.zeros((500, 3), np.float32))
    start = np.random.default_rng(1).normal(0, 1e-4, (500, 2))
    coordinates, facts = fit_tsnecuda(str(tmp_path / "features.npy"), start, 30, PARAMETERS, momentum=0.8)
    noise = np.random.default_rng(0).normal(0, 1, (500, 2))  # what the double adds at each call
    first = start / start.std() * 10 + noise
    assert np.allclose(coordinates, first / first.std() * 10 + noise, atol=1e-3)
    assert facts["backend"] == "tsnecuda" and facts["learning_rates"] == [500 / 12, 500]


@pytest.mark.skipif(sys.platform != "linux", reason="a request to Linux' kernel")
def test_process_does_not_outlive_a_killed_caller(tmp_path):
    code = "from common.tsne.tsnecuda import probe; probe(dict(exaggeration=12), 0.8)"
    environment = os.environ | {"PYTHONPATH": f"{DOUBLES}:{ROOT / 'scripts'}", "TSNECUDA_DOUBLE": "hangs"}
    with open(tmp_path / "log", "w") as log:
        caller = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=log)
    while "the double of tsnecuda" not in (tmp_path / "log").read_text():
        assert caller.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.1)
    process = int(Path(f"/proc/{caller.pid}/task/{caller.pid}/children").read_text())
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline, "the process goes on"
        time.sleep(0.1)
