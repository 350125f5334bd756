"""t-SNE on the GPU by tsnecuda, in a process of its own (common.tsne.tsnecuda_process)."""

import contextlib
import importlib.metadata
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.tsne import tsnecuda_process
from common.tsne.backends import BackendError
from common.tsne.schedule import describe_phases, make_phases

PROBE_SECONDS = 300  # limit; a GPU newer than the library compiles its code at the first use
FIT_SECONDS = 600  # limit, to which is added, for each point and iteration, far more than a GPU should take:
FIT_SECONDS_PER_POINT = 1e-5


def make_calls(points: int, neighbors: int, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the arguments of `tsnecuda.TSNE`, one call a phase; each call starts from the embedding of the one before.

    A call has one learning rate and a phase has its own. Nothing is left to the defaults of tsnecuda, which differ from
    openTSNE's. `neighbors` does not count the point itself, tsnecuda's argument does. Its `random_seed` has no effect.
    """
    return [
        {
            "n_components": 2,
            "perplexity": parameters["perplexity"],
            "num_neighbors": neighbors + 1,
            "metric": "euclidean",
            "early_exaggeration": phase.exaggeration,
            "force_magnify_iters": phase.iterations,
            "n_iter": phase.iterations,
            "n_iter_without_progress": phase.iterations,
            "min_grad_norm": 0.0,
            "learning_rate": phase.learning_rate,
            "pre_momentum": phase.momentum,
            "post_momentum": phase.momentum,
            "init": "random",  # the only value there is; fit_transform receives the start
            "return_style": "once",
            "device": 0,
        }
        for phase in make_phases(parameters, points)
    ]


def run_process(request: Mapping[str, Any], start: np.ndarray, seconds: float, task: str) -> np.ndarray:
    """Return the process's answer to `request`, an embedding (n, 2) float32, from the `start` (n, 2).

    What the process prints goes to the standard error stream. Raises BackendError, which names the `task`, unless the
    process ends with status 0 within the time limit and the embedding is finite and has the right shape.
    """
    stdin = io.BytesIO()
    np.save(stdin, np.asarray(start, np.float32))
    # tsnecuda 3.0 uses every visible GPU, whatever it is told.
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    process = subprocess.Popen(
        [sys.executable, "-P", tsnecuda_process.__file__, json.dumps(request)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": device},
    )
    try:
        answer, _ = process.communicate(stdin.getvalue(), timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a process that waits for the driver gets no signal
            process.communicate(timeout=10)
        raise BackendError(f"the {task} did not end within {seconds:.0f} s") from None
    if process.returncode:
        ended = f"status {process.returncode}" if process.returncode > 0 else signal.Signals(-process.returncode).name
        lines = [line for line in answer.decode(errors="replace").splitlines() if line]
        raise BackendError(", ".join([*lines, f"the {task} ended with {ended}"]))
    return read_answer(answer, start.shape, task)


def read_answer(answer: bytes, shape: tuple[int, ...], task: str) -> np.ndarray:
    """Return the embedding in the process's answer; raises BackendError unless it is finite and has this shape."""
    _, _, stored = answer.partition(b"\n")
    try:
        coordinates = np.load(io.BytesIO(stored), allow_pickle=False)
    except (ValueError, EOFError):
        raise BackendError(f"the {task} returned no embedding") from None
    if coordinates.shape != shape:
        raise BackendError(f"the embedding of the {task} has the shape {coordinates.shape}, not {shape}")
    if not np.isfinite(coordinates).all():
        raise BackendError(f"the embedding of the {task} is not finite")
    return np.ascontiguousarray(coordinates, np.float32)


def probe(parameters: Mapping[str, Any]) -> None:
    """Run tsnecuda on a little noise; raises BackendError unless it is installed and works on this machine.

    Neither its import nor an answer of the driver proves that.
    """
    if importlib.util.find_spec("tsnecuda") is None:
        raise BackendError("tsnecuda is not installed")
    small = {**parameters, "perplexity": 10, "exaggerated_iterations": 20, "iterations": 20}
    points = tsnecuda_process.PROBE_SHAPE[0]
    start = np.random.default_rng(0).normal(0, 1e-4, (points, 2))
    run_process({"features": None, "calls": make_calls(points, 30, small)}, start, PROBE_SECONDS, "probe")


def fit_tsnecuda(
    features_paths: Sequence[str], start: np.ndarray, neighbors: int, parameters: Mapping[str, Any]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return an embedding (n, 2) float32 by tsnecuda, and a record of how it was made.

    tsnecuda is that of Chan, Rao, Huang and Canny 2019 (https://doi.org/10.1016/j.jpdc.2019.04.008). It searches
    `neighbors` of each row of the .npy files at `features_paths`, (n_i, d) float32, itself. Raises BackendError if it
    cannot be used.
    """
    probe(parameters)
    started = time.perf_counter()
    calls = make_calls(len(start), neighbors, parameters)
    seconds = FIT_SECONDS + FIT_SECONDS_PER_POINT * len(start) * sum(call["n_iter"] for call in calls)
    coordinates = run_process({"features": list(features_paths), "calls": calls}, start, seconds, "fit")
    try:
        version = importlib.metadata.version("tsnecuda")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    record = {
        "backend": "tsnecuda",
        "version": version,
        "phases": describe_phases(make_phases(parameters, len(start))),
        "optimization_seconds": round(time.perf_counter() - started, 1),
        "calls": calls,
    }
    return coordinates, record
