"""Scores of a layer and of its embedding.

To add a score, add a function and an entry to `SCORES` in scores.py and a test, then run `make docs`. Tables, figures,
the report and the documentation read the registry.
"""
