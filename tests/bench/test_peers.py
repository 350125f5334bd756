"""One run of a peer, and the scores of its embedding, without a process of their own."""

import json
import os
import time

import numpy as np
import pytest
import run_peer
from compare import PEERS
from openTSNE.affinity import PerplexityBasedNN
from run_peer import SET_UP, time_compilation, time_preparation
from scipy.spatial.distance import cdist
from score_run import exact_neighbors, main, score_embedding
from sklearn.datasets import load_digits


class Clock:
    """The times that run_peer reads. They advance only in `work`, so no test depends on the machine."""

    def __init__(self):
        self.now = 100.0

    def work(self, seconds):
        self.now += seconds

    def perf_counter(self):
        return self.now

    def monotonic(self):
        return self.now + 5000


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(run_peer, "time", clock)
    monkeypatch.setattr(run_peer, "cpu_seconds", lambda: 2 * clock.now)
    return clock


@pytest.fixture(scope="module")
def features():
    return load_digits().data[:300].astype(np.float32) + np.random.default_rng(0).normal(0, 0.01, (300, 64)).astype(
        "f4"
    )


def test_every_peer_can_be_set_up():
    assert SET_UP.keys() == PEERS.keys()


@pytest.mark.parametrize(("points", "rows"), [(120, 120), (0, 300)])
def test_peer_embeds_the_first_rows_and_records_its_times(points, rows, features, clock, tmp_path, monkeypatch):
    seen = []

    def set_up(threads, seed, iterations):
        def embed(some):
            seen.append((some, threads, seed, iterations))
            clock.work(0.25)
            return some[:, :2].astype(np.float64), 0.0625

        return embed

    monkeypatch.setitem(SET_UP, "ours", set_up)
    np.save(tmp_path / "features.npy", features)
    paths = [str(tmp_path / name) for name in ("features.npy", "map.npy", "record.json")]
    run_peer.main("ours", *paths, points, 1, 7, 300)
    (some, *settings), record = seen[0], json.loads((tmp_path / "record.json").read_text())
    assert np.array_equal(some, features[:rows]) and settings == [1, 7, 300] and type(some) is np.ndarray
    coordinates = np.load(tmp_path / "map.npy")
    assert coordinates.dtype == np.float32 and np.array_equal(coordinates, features[:rows, :2])
    assert (record["called"], record["points"], record["dimensions"]) == (5100, rows, 64)
    times = [record[f"{part}_seconds"] for part in ("prepare", "optimize", "cpu", "compile")]
    assert record["seconds"] == 0.25 and times == [0.062, 0.188, 0.5, 0]
    assert record["versions"].startswith("openTSNE ") and record["versions"].count("; ") == 4


def test_peer_that_is_not_installed_is_recorded(tmp_path, monkeypatch):
    def set_up(threads, seed, iterations):
        raise ImportError("no such library")

    monkeypatch.setitem(SET_UP, "bh_sne", set_up)
    run_peer.main("bh_sne", "not read", "not written", str(tmp_path / "record.json"), 0, 1, 7, 1000)
    assert json.loads((tmp_path / "record.json").read_text()) == {"missing": "no such library"}


def test_this_workflow_embeds_with_its_default_parameters(features):
    coordinates, prepare_seconds = SET_UP["ours"](1, 1004, 300)(features)
    assert coordinates.shape == (300, 2) and np.ptp(coordinates) > 10 and prepare_seconds > 0
    assert np.array_equal(coordinates, SET_UP["ours"](1, 1004, 300)(features)[0])
    assert not np.array_equal(coordinates, SET_UP["ours"](1, 1004, 310)(features)[0])


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.endswith("_ours")])
def test_peer_gets_the_neighbors_of_this_workflow(peer, features, clock, monkeypatch):
    """The neighbors are among every row, and then among every other one, so the embedding is another."""
    if peer.startswith("h2pack"):
        pytest.importorskip("tsne_h2pack", reason="tsne-h2pack is not installed: make .venv/installed-bench")
    steps = []

    def search(rows):
        clock.work(0.25)
        indices = steps[-1] * np.argsort(cdist(rows, rows[:: steps[-1]]), axis=1)[:, 1:91]
        return {"indices": indices, "distances": np.broadcast_to(np.linspace(1, 2, 90, dtype=np.float32), (300, 90))}

    monkeypatch.setattr(run_peer, "make_our_search", lambda threads, seed: search)
    embeddings = []
    for step in (1, 1, 2):
        steps.append(step)
        embedding, prepare_seconds = SET_UP[peer](1, 7, 300)(features)
        assert embedding.shape == (300, 2) and prepare_seconds == 0.25
        embeddings.append(embedding)
    assert np.allclose(embeddings[0], embeddings[1]) and not np.allclose(embeddings[0], embeddings[2])


def test_seconds_of_compilation_are_those_of_numba_alone():
    from common.numba_setup import numba

    with time_compilation() as seconds:
        sum(range(1000))
    assert seconds == [0]
    before = time.perf_counter()
    with time_compilation() as seconds:
        numba.njit(lambda x: x + 1)(1)
    assert 0 < seconds[0] < time.perf_counter() - before


@pytest.mark.parametrize(("at_end", "seconds"), [(True, 0.75), (False, 0.25)])
def test_iterations_begin_at_the_call_of_a_method_or_at_its_end(at_end, seconds, clock):
    class Estimator:
        def fit(self, features):
            clock.work(0.25)
            embedding = self.prepare(features, scale=2)
            clock.work(1)
            return embedding

        def prepare(self, features, scale):
            clock.work(0.5)
            return (scale * features).tolist()

    estimator = Estimator()
    embedding, prepare_seconds = time_preparation(estimator.fit, estimator, "prepare", at_end)(np.ones((3, 2)))
    assert np.array_equal(embedding, np.full((3, 2), 2))
    assert prepare_seconds == seconds


def test_exact_neighbors_are_those_of_brute_force(features):
    neighbors = exact_neighbors(features, 20, threads=1)
    distances = cdist(features, features) + np.diag(np.full(300, np.inf))
    assert np.array_equal(neighbors["indices"], np.argsort(distances, axis=1)[:, :20])
    assert np.allclose(neighbors["distances"], np.sort(distances, axis=1)[:, :20], rtol=1e-3)


@pytest.fixture(scope="module")
def coordinates(features):
    return (features @ np.linalg.svd(features - features.mean(axis=0))[2][:2].T).astype(np.float32)


def test_scores_are_those_of_the_definitions(features, coordinates):
    labels = load_digits().target[:300]
    scores = score_embedding(coordinates, labels, exact_neighbors(features, 90, threads=1))
    p = PerplexityBasedNN(features.astype(np.float64), perplexity=30, method="exact").P.toarray()
    itself = np.diag(np.full(300, np.inf))
    distances = cdist(coordinates, coordinates) + itself
    q = 1 / (1 + distances**2)
    q /= q.sum()
    assert scores["kl_divergence"] == pytest.approx((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum(), abs=1e-4)
    nearest, expected = (np.argsort(d, axis=1)[:, :10] for d in (distances, cdist(features, features) + itself))
    shared = [len(np.intersect1d(a, b)) / 10 for a, b in zip(nearest, expected, strict=True)]
    assert scores["knn_preservation_10"] == pytest.approx(np.mean(shared), abs=1e-6)
    counts = (labels[nearest][:, :, None] == labels[nearest][:, None]).sum(axis=2)
    votes = labels[nearest[np.arange(300), counts.argmax(axis=1)]]  # in a tie, the nearest of the most frequent
    assert scores["knn_accuracy_map"] == pytest.approx((votes == labels).mean(), abs=1e-6)


def test_exact_neighbors_are_stored_until_the_features_change(features, coordinates, tmp_path, capsys):
    paths = [tmp_path / name for name in ("features.npy", "labels.npy", "map.npy", "neighbors.npz")]
    for path, array in zip(paths, (features, load_digits().target, coordinates[:200]), strict=False):
        np.save(path, array)
    main(*map(str, paths), "1")
    first, written = json.loads(capsys.readouterr().out), paths[3].stat().st_mtime_ns
    assert len(np.load(paths[3])["indices"]) == 200
    main(*map(str, paths), "1")
    assert json.loads(capsys.readouterr().out) == first and paths[3].stat().st_mtime_ns == written
    later = time.time() + 10
    os.utime(paths[0], (later, later))
    main(*map(str, paths), "1")
    assert json.loads(capsys.readouterr().out) == first and paths[3].stat().st_mtime_ns > written
