"""How many neighbors and rows the scores use. It is read with the configuration, so it imports no library."""

N_VOTERS = 10  # neighbors that vote on a label, and that trustworthiness and continuity count
N_PRESERVED = (10, 30)  # nearest neighbors whose preservation is measured
VOTER_COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)  # for which knn.csv has the accuracy
MAX_VOTERS = max(VOTER_COUNTS)
COMPONENTS = 50  # principal components, one of the metrics
N_QUERIES = 400  # rows of a split that are compared with all training rows
N_SAMPLES, SAMPLE_ROWS = 10, 500  # disjoint samples of a split whose distances are correlated, and their size
MIN_SAMPLE = 30  # rows; with smaller samples, all rows are one sample
MIN_ROWS = max(N_PRESERVED) + 1  # with fewer rows there are not enough neighbors
N_RESAMPLES = 1000  # of the bootstrap
BLOCK_ROWS, MIN_BLOCKS = 100, 20  # consecutive images that the bootstrap draws together; blocks of a split, at least
