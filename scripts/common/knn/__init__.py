"""k-nearest-neighbor search in Euclidean distance, exact or by an index, on the CPU.

    search, facts = build_search(features, k=90, seed=0, memory_mb=2000, threads=2)  # knn.index
    indices, distances = search_others(search, features, np.arange(len(features)), k=90)

`features` is (n, d) float32 and may be memory-mapped and larger than memory. The result does not depend on the number
of threads. The package needs NumPy, SciPy, scikit-learn and numba; of this project it uses only common.numba_setup.
"""
