"""t-SNE by tsnecuda in a process of its own, since without a usable GPU it ends the process that it runs in.

Imported, this is the side of the caller; run as a script, the process. The process is given the calls to make as JSON
in its argument and the start layout on its standard input. It answers on its standard output: a line with what is wrong
with the driver, if anything, and then the map as .npy, or what went wrong. What libraries print goes to the standard
error stream.
"""

import contextlib
import ctypes
import importlib.metadata
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np

PROBE_SECONDS = 300  # a GPU newer than the library's code compiles that at its first use
FIT_SECONDS = 600  # and so much more for each point and iteration, far more than a GPU should take:
FIT_SECONDS_PER_POINT = 1e-5
PROBE_SHAPE = (400, 8)


class TsnecudaError(Exception):
    """tsnecuda cannot be used here; the message says why, in a few words."""


def calls_of_tsnecuda(
    points: int, neighbors: int, parameters: Mapping[str, Any], momentum: float
) -> list[dict[str, Any]]:
    """The arguments of `tsnecuda.TSNE` for the phases of t-SNE, one call a phase, each from the map of the one before.

    Two calls, since a call has one learning rate. Nothing is left to tsnecuda's defaults, which are not openTSNE's:
    `neighbors` is without the point itself, tsnecuda's count is with it. Its `random_seed` would be ignored.
    """
    phases = ((parameters["exaggerated_iterations"], parameters["exaggeration"]), (parameters["iterations"], 1))
    return [
        {
            "n_components": 2,
            "perplexity": parameters["perplexity"],
            "num_neighbors": neighbors + 1,
            "metric": "euclidean",
            "early_exaggeration": exaggeration,
            "force_magnify_iters": iterations,
            "n_iter": iterations,
            "n_iter_without_progress": iterations,
            "min_grad_norm": 0.0,
            "learning_rate": points / exaggeration,
            "pre_momentum": momentum,
            "post_momentum": momentum,
            "init": "random",  # the only value there is; the start layout goes to fit_transform
            "return_style": "once",
            "device": 0,
        }
        for iterations, exaggeration in phases
        if iterations
    ]


def run_process(request: Mapping[str, Any], start: np.ndarray, seconds: float, task: str) -> np.ndarray:
    """What the process makes of `request` from the layout `start` (n, 2), as (n, 2) float32.

    What it prints goes to the standard error stream. Raises TsnecudaError, naming the `task`, unless it ends with
    status 0 within so many `seconds` and its map is finite and of the right shape.
    """
    stdin = io.BytesIO()
    np.save(stdin, np.asarray(start, np.float32))
    # of several visible GPUs tsnecuda 3.0 uses all, whatever it is told
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, json.dumps(request)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": device},
    )
    try:
        answer, _ = process.communicate(stdin.getvalue(), timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # if it waits for the driver, no signal reaches it
            process.communicate(timeout=10)
        raise TsnecudaError(f"the {task} did not end within {seconds:.0f} s") from None

    if process.returncode:
        ended = f"status {process.returncode}" if process.returncode > 0 else signal.Signals(-process.returncode).name
        said = [line for line in answer.decode(errors="replace").splitlines() if line]
        raise TsnecudaError(", ".join([*said, f"the {task} ended with {ended}"]))
    _, _, stored = answer.partition(b"\n")
    try:
        coordinates = np.load(io.BytesIO(stored), allow_pickle=False)
    except (ValueError, EOFError):
        raise TsnecudaError(f"the {task} gave no map") from None
    if coordinates.shape != start.shape:
        raise TsnecudaError(f"the map of the {task} has the shape {coordinates.shape}, not {start.shape}")
    if not np.isfinite(coordinates).all():
        raise TsnecudaError(f"the map of the {task} is not finite")
    return np.ascontiguousarray(coordinates, np.float32)


def probe(parameters: Mapping[str, Any], momentum: float) -> None:
    """Try tsnecuda on a little noise; raises TsnecudaError unless it is installed and works, here and now.

    Neither its import nor a driver that answers proves that.
    """
    if importlib.util.find_spec("tsnecuda") is None:
        raise TsnecudaError("tsnecuda is not installed")
    small = {**parameters, "perplexity": 10, "exaggerated_iterations": 20, "iterations": 20}
    calls = calls_of_tsnecuda(PROBE_SHAPE[0], 30, small, momentum)
    start = np.random.default_rng(0).normal(0, 1e-4, (PROBE_SHAPE[0], 2))
    run_process({"features": None, "calls": calls}, start, PROBE_SECONDS, "probe")


def fit_tsnecuda(
    features_path: str, start: np.ndarray, neighbors: int, parameters: Mapping[str, Any], momentum: float
) -> tuple[np.ndarray, dict[str, Any]]:
    """t-SNE by tsnecuda (Chan, Rao, Huang and Canny 2019, https://doi.org/10.1016/j.jpdc.2019.04.008).

    `features_path` is a .npy, (n, d) float32; tsnecuda searches its `neighbors` in it itself, one more than that many,
    since it counts the point. Returns coordinates (n, 2) float32 and the facts that only the backend knows, as
    embed_tsne.fit_opentsne does. Raises TsnecudaError if it cannot be used.
    """
    probe(parameters, momentum)
    started = time.perf_counter()
    calls = calls_of_tsnecuda(len(start), neighbors, parameters, momentum)
    seconds = FIT_SECONDS + FIT_SECONDS_PER_POINT * len(start) * sum(call["n_iter"] for call in calls)
    coordinates = run_process({"features": features_path, "calls": calls}, start, seconds, "fit")
    try:
        version = importlib.metadata.version("tsnecuda")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    facts = {
        "backend": "tsnecuda",
        "version": version,
        "momentum": momentum,
        "learning_rates": [call["learning_rate"] for call in calls],
        "optimization_seconds": round(time.perf_counter() - started, 1),
        "calls": calls,
    }
    return coordinates, facts


def _driver() -> str | None:
    """What is wrong with the CUDA driver, if anything."""
    try:
        status = ctypes.CDLL("libcuda.so.1").cuInit(0)
    except OSError:
        return "no CUDA driver"
    return f"cuInit returned {status}" if status else None


def _main() -> None:
    """The process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: not to outlive a caller that was killed
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    coordinates = np.load(io.BytesIO(sys.stdin.buffer.read()))
    if request["features"] is None:
        features = np.random.default_rng(1).normal(size=PROBE_SHAPE).astype(np.float32)
    else:
        features = np.load(request["features"])

    answer.write(f"{_driver() or ''}\n".encode())
    answer.flush()  # tsnecuda may end the process
    try:
        import tsnecuda

        for call in request["calls"]:
            coordinates = tsnecuda.TSNE(**call).fit_transform(features, coordinates)
    except Exception as error:
        traceback.print_exc()
        answer.write(" ".join(f"{type(error).__name__}: {error}".split()).encode())
        sys.exit(1)
    stored = io.BytesIO()  # NumPy writes no array to a pipe
    np.save(stored, coordinates)
    answer.write(stored.getvalue())


if __name__ == "__main__":
    _main()
