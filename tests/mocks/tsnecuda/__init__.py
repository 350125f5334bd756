"""A mock of tsnecuda 3.0.2, for machines without a GPU. It computes no t-SNE.

Its `TSNE` has the signature of the real one and checks that it is used as the real one requires. It then does what the
environment variable TSNECUDA_MOCK names: `succeeds` moves the start a little, `returns the features` returns the first
two of each row; every other value is a way in which the real one fails, known from its source code and from a build
without a GPU.
"""

import os
import signal
import time

import numpy as np


class TSNE:
    def __init__(
        self,
        n_components=2,
        perplexity=50.0,
        early_exaggeration=12.0,
        learning_rate=200.0,
        num_neighbors=32,
        force_magnify_iters=250,
        pre_momentum=0.5,
        post_momentum=0.8,
        theta=0.5,
        epssq=0.0025,
        n_iter=1000,
        n_iter_without_progress=1000,
        min_grad_norm=0.0,
        perplexity_epsilon=1e-3,
        metric="euclidean",
        init="random",
        return_style="once",
        num_snapshots=5,
        verbose=0,
        random_seed=None,
        use_interactive=False,
        viz_timeout=10000,
        viz_server="tcp://localhost:5556",
        dump_points=False,
        dump_file="dump.txt",
        dump_interval=1,
        print_interval=10,
        device=0,
        magnitude_factor=5,
    ):
        assert (n_components, metric, init, return_style) == (2, "euclidean", "random", "once")
        assert perplexity < num_neighbors < 1024
        self.iterations = n_iter
        self.mode = os.environ["TSNECUDA_MOCK"]
        if self.mode == "raises":
            raise OSError("libmkl_intel_lp64.so: cannot open shared object file: No such file or directory")

    def fit_transform(self, X, y=None):
        assert isinstance(X, np.ndarray) and X.dtype == np.float32 and X.ndim == 2 and X.flags.c_contiguous
        assert isinstance(y, np.ndarray) and y.dtype == np.float32
        assert y.shape == (len(X), 2) or self.mode == "wrong shape"
        assert len(os.environ["CUDA_VISIBLE_DEVICES"].split(",")) == 1  # 3.0 uses all visible ones
        print(f"the mock of tsnecuda on device {os.environ['CUDA_VISIBLE_DEVICES']}", flush=True)
        if self.mode == "exits":
            os._exit(35)
        if self.mode == "aborts":
            os.abort()
        if self.mode == "hangs":
            time.sleep(3600)
        if self.mode == "dies in the fit" and len(X) != 400:  # not in the probe
            os.kill(os.getpid(), signal.SIGABRT)
        if self.mode == "not finite":
            return np.full((len(X), 2), np.nan, np.float32, order="F")
        if self.mode == "wrong shape":
            return np.zeros((len(X), 3), np.float32, order="F")
        if self.mode == "returns the features":
            return np.asfortranarray(X[:, :2])
        noise = np.random.default_rng(0).normal(0, 1, y.shape)
        return np.asfortranarray(y / y.std() * 10 + noise, np.float32)
