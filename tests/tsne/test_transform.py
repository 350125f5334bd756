"""The placement of new points in an embedding."""

import numpy as np
import pytest
from find_landmark_neighbors import find_landmark_neighbors
from scipy.spatial.distance import cdist

from common.tsne.affinities import compute_affinities
from common.tsne.opentsne import fit_opentsne
from common.tsne.start import make_start
from common.tsne.transform import transform

EMBEDDED, NEW = slice(0, 300), slice(300, 400)


@pytest.fixture(scope="module")
def found(blobs):
    """The neighbors of the embedded rows, and those of the new rows among them."""
    features, _ = blobs
    return find_landmark_neighbors(features[EMBEDDED], [features[NEW]], 30, seed=0, memory_mb=100, threads=1)


@pytest.fixture(scope="module")
def embedding(blobs, found, parameters):
    """An embedding that is not about the origin, as it need not be."""
    start = make_start(blobs[0][EMBEDDED], seed=0)
    return fit_opentsne(compute_affinities(found[0], 10, threads=1), start, parameters, threads=1)[0] + [100, -50]


def test_new_rows_are_placed_in_their_own_blob_and_the_embedding_stays(blobs, embedding, found):
    before = embedding.copy()
    coordinates = transform(embedding, *found, threads=1)
    assert coordinates.shape == (100, 2) and np.array_equal(embedding, before)
    nearest = cdist(coordinates, embedding).argmin(axis=1)
    assert (blobs[1][EMBEDDED][nearest] == blobs[1][NEW]).all()


def test_new_rows_are_near_their_nearest_neighbors(embedding, found):
    coordinates = transform(embedding, *found, threads=1)
    neighbors = np.median(embedding[found[1]["indices"][:, :5]], axis=1)
    width = np.median(cdist(embedding, embedding))
    assert np.median(np.linalg.norm(coordinates - neighbors, axis=1)) < 0.1 * width
    assert not np.allclose(coordinates, neighbors, atol=1e-3), "they are moved from the median"


def test_coordinates_do_not_depend_on_the_other_new_rows(embedding, found):
    neighbors, new = found
    coordinates = transform(embedding, neighbors, new, threads=1)
    for rows in (slice(0, 1), slice(37, 60)):
        some = {name: new[name][rows] for name in ("indices", "distances")}
        assert np.array_equal(transform(embedding, neighbors, some, threads=1), coordinates[rows])


@pytest.mark.slow
def test_coordinates_do_not_depend_on_the_number_of_threads(embedding, found):
    assert np.array_equal(transform(embedding, *found, threads=2), transform(embedding, *found, threads=1))


def test_nothing_to_place_has_no_coordinates(embedding, found):
    none = {name: found[1][name][:0] for name in ("indices", "distances")}
    assert transform(embedding, found[0], none, threads=1).shape == (0, 2)


def test_embedding_on_one_point_takes_new_rows_onto_this_point(found):
    coordinates = transform(np.tile([3.0, 5.0], (300, 1)), *found, threads=1)
    assert np.array_equal(coordinates, np.tile([3.0, 5.0], (100, 1)))


def test_embedding_on_a_line_places_new_rows_on_finite_coordinates(found):
    line = np.stack([np.linspace(-10, 10, 300), np.full(300, 2.0)], axis=1)
    assert np.isfinite(transform(line, *found, threads=1)).all()
