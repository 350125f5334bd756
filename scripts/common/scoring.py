"""How many neighbors and rows the scores look at."""

VOTERS = 10  # neighbors that vote on a label, and whose places trustworthiness and continuity look at
KEPT = (10, 30)  # of so many nearest neighbors is counted how many are kept
SAMPLE = 3000  # rows, for what needs all their pairs
PAIRED = 2000  # of them, for the correlation of the distances
