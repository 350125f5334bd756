"""tsnecuda in a separate process: the calls, the answers and the failures.

The tests use the mock in tests/mocks, which says how it differs from the real library. No GPU is needed or used.
"""

import ctypes
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from common.tsne import tsnecuda, tsnecuda_process
from common.tsne.backends import BackendError
from common.tsne.schedule import describe_phases, make_phases
from common.tsne.tsnecuda import fit_tsnecuda, make_calls, probe, read_answer
from helpers import ROOT

PARAMETERS = {"seed": 0, "perplexity": 10, "exaggeration": 12, "exaggerated_iterations": 250, "iterations": 500}
PARAMETERS |= {"momentum": 0.95, "learning_rate": 2}


@pytest.fixture
def features_paths(tmp_path):
    """Files of the features of three splits, one without rows: the numbers from 0 to 1,499 in 500 rows."""
    rows, paths = np.arange(1500, dtype=np.float32).reshape(500, 3), []
    for split, part in zip(("train", "validation", "test"), np.split(rows, [400, 400]), strict=True):
        paths.append(str(tmp_path / f"{split}.npy"))
        np.save(paths[-1], part)
    return paths


@pytest.fixture
def start():
    return np.random.default_rng(1).normal(0, 1e-4, (500, 2))


@pytest.fixture
def requests(monkeypatch):
    """The requests to the process, with their time limits and tasks; it is not started and answers with the start."""
    requests = []

    def answer(request, start, seconds, task):
        requests.append((request, seconds, task))
        return start

    monkeypatch.setattr(tsnecuda, "run_process", answer)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    return requests


def test_calls_have_the_phases_and_settings_of_opentsne():
    calls = make_calls(1200, 30, PARAMETERS)
    assert [
        (call["n_iter"], call["early_exaggeration"], call["learning_rate"], call["pre_momentum"]) for call in calls
    ] == [
        (250, 12, 100, 0.8),
        (50, 1, 1200, 0.8),
        (450, 1, 2400, 0.95),
    ]
    for call in calls:
        assert call["n_components"] == 2 and call["perplexity"] == 10 and call["num_neighbors"] == 31
        assert call["force_magnify_iters"] == call["n_iter_without_progress"] == call["n_iter"]
        assert call["pre_momentum"] == call["post_momentum"]
        assert call["min_grad_norm"] == 0 and call["device"] == 0


def test_phase_without_iterations_is_not_called():
    assert len(make_calls(1200, 30, PARAMETERS | {"exaggerated_iterations": 0})) == 2
    assert len(make_calls(1200, 30, PARAMETERS | {"exaggerated_iterations": 1})) == 3


def test_second_call_starts_from_the_embedding_of_the_first(features_paths, start, mock_tsnecuda):
    mock_tsnecuda("succeeds")
    coordinates, record = fit_tsnecuda(features_paths, start, 30, PARAMETERS)
    noise = np.random.default_rng(0).normal(0, 1, (500, 2))  # what the mock adds at each call
    expected = start
    for _ in make_calls(500, 30, PARAMETERS):
        expected = expected / expected.std() * 10 + noise
    assert np.allclose(coordinates, expected, atol=1e-3)
    assert coordinates.dtype == np.float32 and coordinates.flags.c_contiguous
    assert record.pop("optimization_seconds") >= 0
    assert record == {
        "backend": "tsnecuda",
        "version": "unknown",
        "phases": describe_phases(make_phases(PARAMETERS, 500)),
        "calls": make_calls(500, 30, PARAMETERS),
    }


def test_rows_of_all_files_are_embedded_one_after_the_other(features_paths, start, mock_tsnecuda):
    mock_tsnecuda("returns the features")
    coordinates, _ = fit_tsnecuda(features_paths, start, 30, PARAMETERS)
    assert np.array_equal(coordinates, np.arange(1500).reshape(500, 3)[:, :2])


def test_version_of_an_installed_tsnecuda_is_recorded(features_paths, start, requests, tmp_path, monkeypatch):
    (tmp_path / "tsnecuda-3.0.2.dist-info").mkdir()
    (tmp_path / "tsnecuda-3.0.2.dist-info/METADATA").write_text("Name: tsnecuda\nVersion: 3.0.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert fit_tsnecuda(features_paths, start, 30, PARAMETERS)[1]["version"] == "3.0.2"


@pytest.mark.parametrize(("devices", "used"), [("2,3", "2"), ("1", "1"), (None, "0")])
def test_one_gpu_is_used_the_first_visible_one(devices, used, mock_tsnecuda, monkeypatch, capfd):
    mock_tsnecuda("succeeds")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if devices:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    probe(PARAMETERS)
    output = capfd.readouterr()
    assert output.err == f"the mock of tsnecuda on device {used}\n" * 2 and output.out == ""


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("exits", "the probe ended with status 35"),
        ("aborts", "the probe ended with SIGABRT"),
        (
            "raises",
            "OSError: libmkl_intel_lp64.so: cannot open shared object file: No such file or directory, the probe",
        ),
        ("not finite", "the embedding of the probe is not finite"),
        ("wrong shape", "the embedding of the probe has the shape (400, 3), not (400, 2)"),
        ("hangs", "the probe did not end within 1 s"),
        ("dies in the fit", "the fit ended with SIGABRT"),
    ],
)
def test_failure_is_an_error_with_its_reason(mode, reason, features_paths, start, mock_tsnecuda, monkeypatch):
    mock_tsnecuda(mode)
    if mode == "hangs":
        monkeypatch.setattr(tsnecuda, "PROBE_SECONDS", 1)
    with pytest.raises(BackendError) as caught:
        fit_tsnecuda(features_paths, start, 30, PARAMETERS)
    assert reason in str(caught.value)


def test_failure_names_the_state_of_the_driver_first(mock_tsnecuda):
    mock_tsnecuda("exits")
    with pytest.raises(BackendError) as caught:
        probe(PARAMETERS)
    driver = tsnecuda_process._check_driver()
    assert str(caught.value) == ", ".join([*([driver] if driver else []), "the probe ended with status 35"])


def test_tsnecuda_that_is_not_installed_is_named(features_paths, start):
    with pytest.raises(BackendError, match=r"^tsnecuda is not installed$"):
        fit_tsnecuda(features_paths, start, 30, PARAMETERS)


def test_probe_is_small_and_the_fit_may_take_longer_for_more_points(features_paths, requests):
    start = np.zeros((100_000, 2))
    fit_tsnecuda(features_paths, start, 90, PARAMETERS | {"perplexity": 30})
    (probe, probe_seconds, probe_task), (fit, fit_seconds, fit_task) = requests
    assert (probe_task, fit_task) == ("probe", "fit")
    assert probe["features"] is None and probe["calls"] == make_calls(
        400, 30, PARAMETERS | {"exaggerated_iterations": 20, "iterations": 20}
    )
    assert fit == {"features": features_paths, "calls": make_calls(100_000, 90, PARAMETERS | {"perplexity": 30})}
    assert (probe_seconds, fit_seconds) == (300, 600 + 750)


def answer_with(array):
    stored = io.BytesIO()
    np.save(stored, array)
    return b"no CUDA driver\n" + stored.getvalue()


def test_answer_is_read_in_c_order_and_single_precision():
    expected = np.arange(6.0).reshape(3, 2)
    coordinates = read_answer(answer_with(np.asfortranarray(expected)), (3, 2), "fit")
    assert np.array_equal(coordinates, expected)
    assert coordinates.dtype == np.float32 and coordinates.flags.c_contiguous


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the fit returned no embedding"),
        (b"no CUDA driver\nnonsense", "the fit returned no embedding"),
        (answer_with(np.zeros((3, 2)))[:-5], "the fit returned no embedding"),
        (answer_with(np.zeros((2, 3))), "the embedding of the fit has the shape (2, 3), not (3, 2)"),
        (answer_with(np.full((3, 2), np.inf)), "the embedding of the fit is not finite"),
    ],
    ids=["empty", "nonsense", "truncated", "shape", "infinite"],
)
def test_answer_that_is_no_embedding_is_an_error(answer, reason):
    with pytest.raises(BackendError) as caught:
        read_answer(answer, (3, 2), "fit")
    assert str(caught.value) == reason


@pytest.mark.parametrize(("status", "message"), [(0, None), (100, "cuInit returned 100")])
def test_state_of_the_driver_is_reported(status, message, monkeypatch):
    class Driver:
        def __init__(self, name):
            assert name == "libcuda.so.1"

        def cuInit(self, flags):
            assert flags == 0
            return status

    monkeypatch.setattr(ctypes, "CDLL", Driver)
    assert tsnecuda_process._check_driver() == message


def test_driver_that_is_missing_is_reported(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert tsnecuda_process._check_driver() == "no CUDA driver"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its caller")
def test_process_ends_when_its_caller_is_killed(tmp_path, mocks):
    code = "from common.tsne.tsnecuda import probe; probe(dict(exaggeration=12, momentum=0.95, learning_rate=2))"
    environment = os.environ | {"PYTHONPATH": f"{mocks}:{ROOT / 'scripts'}", "TSNECUDA_MOCK": "hangs"}
    with open(tmp_path / "log", "w") as log:
        caller = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=log)
    while "the mock of tsnecuda" not in (tmp_path / "log").read_text():
        assert caller.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.1)
    process = int(Path(f"/proc/{caller.pid}/task/{caller.pid}/children").read_text())
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline, "the process goes on"
        time.sleep(0.1)
