"""The process in which tsnecuda runs, since without a usable GPU tsnecuda ends the process that it runs in.

common.tsne.tsnecuda starts it. The process receives the calls to make as JSON in its argument, and the start (n, 2) as
.npy on its standard input. It answers on its standard output: a line with what is wrong with the CUDA driver, if
anything, and then the embedding as .npy, or the error. What libraries print goes to the standard error stream.
"""

import ctypes
import io
import json
import os
import signal
import sys
import traceback

import numpy as np

PROBE_SHAPE = (400, 8)  # of the features that a request without features stands for


def _check_driver() -> str | None:
    """Return what is wrong with the CUDA driver, if anything."""
    try:
        status = ctypes.CDLL("libcuda.so.1").cuInit(0)
    except OSError:
        return "no CUDA driver"
    return f"cuInit returned {status}" if status else None


def _main() -> None:
    """Answer one request."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: end when the caller is killed
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    coordinates = np.load(io.BytesIO(sys.stdin.buffer.read()))
    if request["features"] is None:
        features = np.random.default_rng(1).normal(size=PROBE_SHAPE).astype(np.float32)
    else:
        features = np.concatenate([np.load(path) for path in request["features"]])

    answer.write(f"{_check_driver() or ''}\n".encode())
    answer.flush()  # tsnecuda may end the process
    try:
        import tsnecuda

        for call in request["calls"]:
            coordinates = tsnecuda.TSNE(**call).fit_transform(features, coordinates)
    except Exception as error:
        traceback.print_exc()
        answer.write(" ".join(f"{type(error).__name__}: {error}".split()).encode())
        sys.exit(1)
    stored = io.BytesIO()  # NumPy cannot write an array to a pipe
    np.save(stored, coordinates)
    answer.write(stored.getvalue())


if __name__ == "__main__":
    _main()
