"""Affinities against openTSNE's own, and the number of neighbors that they take."""

import numpy as np
import pytest
from openTSNE.affinity import PerplexityBasedNN

from common.errors import UserError
from common.tsne.affinities import compute_affinities
from common.tsne.perplexity import check_n_rows, fit_perplexity, limit_neighbors, n_neighbors


def test_affinities_are_those_of_opentsne_with_an_exact_search(blobs, affinities):
    expected = PerplexityBasedNN(blobs[0].astype(np.float64), perplexity=10, method="exact").P
    assert abs(affinities.P - expected).max() < 1e-6 < affinities.P.max() / 100


def test_affinities_are_symmetric_and_sum_to_one(affinities):
    assert affinities.P.sum() == pytest.approx(1)
    assert abs(affinities.P - affinities.P.T).max() < 1e-12


def test_affinities_do_not_depend_on_the_number_of_threads(neighbors, affinities):
    difference = compute_affinities(neighbors, 10, threads=2).P - affinities.P
    assert abs(difference).max() < 1e-12 * affinities.P.max()


def test_more_neighbors_than_three_times_the_perplexity_have_no_effect(neighbors):
    fewer = {name: neighbors[name][:, :24] for name in ("indices", "distances")}
    assert (compute_affinities(neighbors, 8, threads=1).P != compute_affinities(fewer, 8, threads=1).P).nnz == 0
    assert (compute_affinities(neighbors, 8, threads=1).P != compute_affinities(neighbors, 7, threads=1).P).nnz > 0


def test_new_rows_have_affinities_to_their_own_neighbors(neighbors):
    new = {"indices": np.array([[7, 8, 9, 1], [300, 301, 302, 1]]), "distances": np.array([[1, 2, 3, 9.0]] * 2)}
    p = compute_affinities(neighbors, 8, threads=1, new=new).to_new(np.empty((2, 0)), perplexity=1)
    assert p.shape == (2, 400)
    assert [set(p[row].nonzero()[1]) for row in (0, 1)] == [{7, 8, 9}, {300, 301, 302}]
    assert p[0, 7] > p[0, 8] > p[0, 9] and p[1, 300] == pytest.approx(p[0, 7])


@pytest.mark.parametrize(("perplexity", "k"), [(10, 30), (33.4, 100), (33.3, 99)])
def test_three_times_the_perplexity_are_searched(perplexity, k):
    assert n_neighbors(perplexity) == k


def test_too_few_rows_for_the_scores_are_refused_with_what_to_do():
    check_n_rows(31)
    with pytest.raises(UserError) as caught:
        check_n_rows(30)
    assert str(caught.value) == (
        "There are 30 training images, and the scores need at least 31. Give more training images."
    )


@pytest.mark.parametrize(("rows", "perplexity"), [(1000, 30), (91, 30), (90, 29.66), (62, 20.33), (31, 10)])
def test_perplexity_is_lowered_to_a_third_of_the_other_rows(rows, perplexity):
    assert fit_perplexity(30, rows) == perplexity
    assert n_neighbors(perplexity) < rows and fit_perplexity(5, rows) == 5
    assert limit_neighbors(90, rows) == min(90, rows - 1) >= n_neighbors(perplexity)
