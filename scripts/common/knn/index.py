"""Approximate search by principal components, whose recall is measured, with exact search as its fallback."""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from common.knn.chunks import chunks, rows_that_fit
from common.knn.exact import (
    RunningNearest,
    find_nearest,
    k_smallest,
    limits_at_rank,
    map_in_threads,
    squared_distances,
    squared_norms,
)
from common.knn.pca import SAMPLE_MB, fit_pca, project, project_and_measure
from common.knn.results import drop_self

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

log = logging.getLogger("workflow")

# Queries (m, d), k -> indices (m, k) int32 and Euclidean distances (m, k) float32, nearest first
Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]

RECALL_SAMPLE = 300  # rows whose exact neighbors guide the plan; the recall is measured on as many others
MIN_RECALL = 0.999  # below it, the search is exact
FULL_RECALL, GOOD_RECALL = 0.9997, 0.9996  # goals with all cells searched, and with as few cells as suffice
PCA_ROWS, PCA_ITERATIONS = 5000, 2  # of the components: a rough fit finds the same neighbors
CELLS_PER_ROOT = 4  # cells, as a multiple of the square root of the number of rows
CELL_DIMENSIONS = 64  # principal components that decide on a row's cell
ROWS_PER_CELL = 10  # sample for k-means
QUERY_BLOCK = 2048  # queries that visit the cells together
PROGRESS_BLOCK = 10_000  # queries between two lines of progress
EXACT_ROWS, EXACT_DIMENSIONS = 10_000, 128  # up to these an exact search is as fast


class Plan(NamedTuple):
    """Parameters of an approximate search."""

    dimensions: int  # principal components
    candidates: float  # multiple of k that is ranked again by the full distance
    visits: int  # cells that are searched, those with the nearest centers


# Dimensions and candidates, from the fastest to the most accurate
DEPTHS = ((64, 2), (96, 2), (128, 2), (192, 1.5), (192, 2), (192, 2.5), (192, 4))


def search_exactly(
    features: np.ndarray, queries: np.ndarray, k: int, memory_mb: float, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of `features` (n, d) nearest to each of the `queries` (m, d), by exhaustive search.

    The result is indices (m, k) int32 and Euclidean distances (m, k) float32, nearest first. Both matrices may be
    memory-mapped: chunks of `memory_mb` megabytes of `features` are compared with all queries, one after the other.
    """
    n, d = features.shape
    indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
    for chunk in chunks(n, max(k, rows_that_fit(memory_mb, d))):
        for rows in chunks(len(queries), PROGRESS_BLOCK):
            found = find_nearest(queries[rows], features[chunk], min(k, chunk.stop - chunk.start), threads)
            if chunk.start:
                both = np.hstack([squared[rows], found[0]]), np.hstack([indices[rows], chunk.start + found[1]])
                found = k_smallest(k, *both)
            squared[rows], indices[rows] = found
            log.info("neighbors of %d of %d rows, among %d of %d", rows.stop, len(queries), chunk.stop, n)
    return indices, np.sqrt(squared)


def find_cells(projected: np.ndarray, count: int, rows_per_cell: int, seed: int) -> np.ndarray:
    """Return the centers (count, dimensions) of k-means cells of projected rows (n, dimensions) float32.

    k-means is fitted to a random sample of `rows_per_cell` rows a cell.
    """
    sample = np.random.default_rng(seed).permutation(len(projected))[: rows_per_cell * count]
    return fit_k_means(projected[sample], count, seed).cluster_centers_


def fit_k_means(rows: np.ndarray, count: int, seed: int) -> "KMeans":
    """Return scikit-learn's k-means with `count` cells, fitted to rows (n, dimensions) float32 on one thread."""
    from sklearn.cluster import KMeans  # takes seconds, which few jobs need

    with threadpool_limits(1):  # several threads would add in any order
        return KMeans(count, init="random", n_init=1, max_iter=8, random_state=seed).fit(rows)


def assign_cells(centers: np.ndarray, projected: np.ndarray, threads: int) -> np.ndarray:
    """Return the number of the nearest center of each projected row (m, dimensions), as (m,) int32."""
    return find_nearest(projected, centers, 1, threads)[1][:, 0]


class ProjectedSearch:
    """A search by the first principal components that ranks its candidates again by the full distance.

    Rows are divided into k-means cells, and each query searches the cells with the nearest centers, as in an inverted
    file (Jegou, Douze and Schmid 2011, https://doi.org/10.1109/TPAMI.2010.57). Queries that are near each other visit
    the cells together: a cell's rows are multiplied by all queries that search it.
    """

    def __init__(self, features: np.ndarray, seed: int, memory_mb: float, threads: int) -> None:
        """Build the index of `features` (n, d) float32, of which `memory_mb` megabytes are held at once."""
        self.features, self.memory_mb, self.threads = features, memory_mb, threads
        self.pca = fit_pca(features, min(DEPTHS[-1][0], features.shape[1]), seed, PCA_ROWS, PCA_ITERATIONS)
        projected, norms = project_and_measure(features, *self.pca)
        cells = CELLS_PER_ROOT * math.isqrt(len(projected))
        centers = find_cells(self.cell_coordinates(projected), cells, ROWS_PER_CELL, seed)
        neighborhoods = fit_k_means(centers, math.isqrt(cells), seed).labels_
        self.centers = centers[np.argsort(neighborhoods, kind="stable")]  # successive centers are mostly near
        self.cells = assign_cells(self.centers, self.cell_coordinates(projected), threads)
        self.order = np.argsort(self.cells, kind="stable").astype(np.int32)
        self.places = np.argsort(self.order)  # of the rows in this order
        self.projected = projected[self.order]
        self.bounds = np.searchsorted(self.cells[self.order], np.arange(cells + 1))
        self.norms = norms[self.order]

    def cell_coordinates(self, projected: np.ndarray) -> np.ndarray:
        """Return the coordinates of projected rows (m, dimensions) that decide on their cells, (m, CELL_DIMENSIONS)."""
        return np.ascontiguousarray(projected[:, :CELL_DIMENSIONS])

    def visits_needed(self, queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return how many cells each of the rows `queries` (m,) has to search to meet each of `rows` (m, k), (m, k)."""
        coordinates = self.cell_coordinates(self.projected[self.places[queries]])
        by_distance = np.argsort(cdist(coordinates, self.centers), axis=1)
        return 1 + np.take_along_axis(np.argsort(by_distance, axis=1), self.cells[rows], axis=1)

    def find_candidates(self, queries: np.ndarray, count: int, plan: Plan) -> np.ndarray:
        """Return `count` candidates (m, count), rows of the features, for projected queries (m, dimensions).

        It is faster if successive queries are near each other.
        """
        coordinates = self.cell_coordinates(queries)
        queries, rows = (np.ascontiguousarray(every[:, : plan.dimensions]) for every in (queries, self.projected))
        # Half the squared norm of what the projection omits improves the ranking: 128 components of the features of
        # MNIST's conv1 then lose 0.07 % of the neighbors instead of 0.20 %.
        norms, center_norms = (squared_norms(rows) + self.norms) / 2, squared_norms(self.centers)
        visits = min(max(plan.visits, math.ceil(4 * count / len(rows) * len(self.centers))), len(self.centers))
        candidates = np.empty((len(queries), count), np.int32)

        def search(block: slice) -> slice:
            some = queries[block]
            distances = center_norms - 2 * (coordinates[block] @ self.centers.T)  # squared, less the query's own norm
            nearest_cells = np.unique(distances.argmin(axis=1))
            near = np.concatenate([np.arange(*self.bounds[cell : cell + 2]) for cell in nearest_cells])
            near = near[:: max(1, len(near) // (8 * count))]
            nearest = RunningNearest(some, count, limits_at_rank(some, rows[near], norms[near], count - 1))
            last = np.partition(distances, visits - 1, axis=1)[:, visits - 1]
            visited, visitors = np.nonzero((distances <= last[:, None]).T)
            visitors_of = np.split(visitors, np.searchsorted(visited, np.arange(1, len(self.centers))))
            for cell in np.argsort(distances.min(axis=0)):  # near cells first, so that the limits soon are low
                if len(visitors_of[cell]):
                    members = slice(*self.bounds[cell : cell + 2])
                    nearest.compare(visitors_of[cell], rows[members], norms[members], members.start)
            nearest.complete(rows, norms)  # queries whose cells are nearly empty
            candidates[block] = self.order[nearest.result()[1]]
            return block

        for block in map_in_threads(search, chunks(len(queries), QUERY_BLOCK), self.threads):
            if block.stop // PROGRESS_BLOCK > block.start // PROGRESS_BLOCK:
                log.info("candidates of %d of %d rows", block.stop, len(queries))
        return candidates

    def find_known(self, rows: np.ndarray, exact: np.ndarray, plan: Plan) -> np.ndarray:
        """Return which of the `exact` neighbors (m, k) of the index's `rows` (m,) the search finds, (m, k) bool.

        Those are the candidates among them: the full distance ranks a true neighbor before all other candidates.
        """
        found, order = np.empty(exact.shape, bool), np.argsort(self.places[rows])
        candidates = self.find_candidates(
            self.projected[self.places[rows[order]]], self.candidate_count(exact.shape[1] + 1, plan), plan
        )
        for row, some in zip(order, candidates, strict=True):
            found[row] = np.isin(exact[row], some)
        return found

    def candidate_count(self, k: int, plan: Plan) -> int:
        """Return how many candidates are ranked by the full distance for k neighbors, a row itself among them."""
        return min(math.ceil(plan.candidates * k), len(self.features))

    def __call__(self, queries: np.ndarray, k: int, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
        """Return the k rows nearest to each of the queries (m, d): indices (m, k) int32, distances (m, k) float32."""
        projected = project(queries, *self.pca)
        order = np.argsort(assign_cells(self.centers, self.cell_coordinates(projected), self.threads), kind="stable")
        count = self.candidate_count(k, plan)
        indices, squared = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.float32)
        for block in chunks(len(queries), rows_that_fit(self.memory_mb, 2 * count)):
            rows = order[block]
            candidates = self.find_candidates(projected[rows], count, plan)
            distances = squared_distances(self.features, queries, rows, candidates, self.memory_mb, self.threads)

            def rank(
                some: slice,
                rows: np.ndarray = rows,
                distances: np.ndarray = distances,
                candidates: np.ndarray = candidates,
            ) -> None:
                squared[rows[some]], indices[rows[some]] = k_smallest(k, distances[some], candidates[some])

            for _ in map_in_threads(rank, chunks(len(rows), QUERY_BLOCK), self.threads):
                pass
        return indices, np.sqrt(squared)


def make_plans(search: ProjectedSearch, sample: np.ndarray, exact: np.ndarray) -> list[Plan]:
    """Return the fastest plan that reaches GOOD_RECALL and some that search more cells, or only the most accurate.

    The last one searches all cells. Recall is measured on the rows `sample` (m,) of the index and their `exact`
    neighbors (m, k).
    """
    for depth in DEPTHS:
        all_cells = Plan(*depth, visits=len(search.centers))
        found = search.find_known(sample, exact, all_cells)
        log.info("%d components, %g k candidates, all %d cells: recall %.4f", *all_cells, found.mean())
        if found.mean() >= FULL_RECALL:
            break
    if found.mean() < GOOD_RECALL:
        return [all_cells]
    # With fewer cells, a neighbor is lost only if its own cell is not searched.
    visits = np.sort(search.visits_needed(sample, exact)[found])[math.ceil(GOOD_RECALL * exact.size) - 1]
    return [all_cells._replace(visits=int(visits) * more) for more in (1, 2) if visits * more < all_cells.visits] + [
        all_cells
    ]


def search_others(search: Search, queries: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return search(queries, k) for queries that are the `rows` (m,) of the index, each row itself left out."""
    return drop_self(*search(queries, k + 1), rows)


def build_search(
    features: np.ndarray, k: int, seed: int, memory_mb: float, threads: int
) -> tuple[Search, dict[str, Any]]:
    """Return a search for k neighbors among `features` (n, d) float32 in Euclidean distance, its `method` and `recall`.

    A large, wide matrix is searched by principal components ("projected"), any other exactly ("exact"). The plan is
    made on a sample of exact queries, and the recall is measured on another sample; below MIN_RECALL the search is
    exact after all. Features of more than `memory_mb` megabytes are searched in chunks. Raises ValueError if there are
    not more than k rows.
    """
    n, d = features.shape
    if k >= n:
        raise ValueError(f"There are {n} rows, and {k} neighbors of each are needed. Give more rows or a smaller k.")
    if n <= rows_that_fit(memory_mb, d):
        features = features[:]  # what a view computes, it computes once
    exact = partial(search_exactly, features, memory_mb=memory_mb, threads=threads)
    if n > EXACT_ROWS and d > EXACT_DIMENSIONS:
        count = max(1, min(RECALL_SAMPLE, rows_that_fit(SAMPLE_MB, d) // 2))
        drawn = np.sort(np.random.default_rng(seed).choice(n, (2, count), replace=False))
        neighbors, _ = search_others(exact, features[drawn.ravel()], drawn.ravel(), k)
        planning, testing = drawn
        planning_neighbors, testing_neighbors = np.split(neighbors, 2)
        projected = ProjectedSearch(features, seed, memory_mb, threads)
        for plan in make_plans(projected, planning, planning_neighbors):
            share = float(projected.find_known(testing, testing_neighbors, plan).mean())
            log.info("%d components, %g k candidates, %d cells: recall %.4f on other rows", *plan, share)
            if share >= MIN_RECALL:
                return partial(projected, plan=plan), {"method": "projected", "recall": share}
        log.info("recall is below %.3f: searching exactly", MIN_RECALL)
    return exact, {"method": "exact", "recall": 1.0}
