"""The rotation of an embedding to another one."""

import numpy as np
from align_map import align_map


def test_aligned_embedding_is_rotated_to_the_reference_and_not_scaled():
    generator = np.random.default_rng(0)
    reference = generator.normal(size=(200, 2)) * [3, 1] + [20, 5]
    angle = np.deg2rad(130)
    reflection = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])
    embedding = 2 * reference @ reflection + [7, -4]
    aligned = align_map(embedding, embedding, reference)
    assert np.allclose(aligned, 2 * (reference - reference.mean(axis=0)))


def test_other_points_move_with_the_embedding():
    generator = np.random.default_rng(1)
    embedding, reference, others = (generator.normal(size=(n, 2)) + 3 for n in (200, 200, 5))
    together = align_map(np.concatenate([embedding, others]), embedding, reference)
    moved = align_map(others, embedding, reference)
    assert np.allclose(moved, together[200:])
    assert np.allclose(np.linalg.norm(moved[0] - moved, axis=1), np.linalg.norm(others[0] - others, axis=1))
