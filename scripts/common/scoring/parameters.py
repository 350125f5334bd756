"""How many neighbors and rows the scores use. It is read with the configuration, so it imports no library."""

N_VOTERS = 10  # neighbors that vote on a label, and that trustworthiness and continuity count
N_PRESERVED = (10, 30)  # nearest neighbors whose preservation is measured
MAX_SAMPLE = 3000  # rows, for scores that need all pairs
MAX_CORRELATED = 2000  # of these, for the correlation of distances
MIN_ROWS = max(N_PRESERVED) + 1  # with fewer rows there are not enough neighbors
