"""t-SNE: affinities, start, optimization on the CPU or the GPU, and the placement of new points."""
