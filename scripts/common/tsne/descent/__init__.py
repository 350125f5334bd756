"""A fast gradient descent for t-SNE in two dimensions on the CPU, for openTSNE's argument `optimizer`.

    embedding = openTSNE.TSNEEmbedding(start, affinities, optimizer=Descent(), n_jobs=2)
    embedding.optimize(500, inplace=True)

With w(r) = 1 / (1 + r^2) between two points and Z, its sum over all ordered pairs, the gradient of the KL divergence is
(van der Maaten and Hinton 2008, section 3), but for the factor 4 that openTSNE leaves out as well,

    sum_j p_ij w_ij (y_i - y_j)  -  1/Z sum_j w_ij^2 (y_i - y_j).

The first sum, the attraction, has few terms, since few p_ij are not 0. The second, the repulsion, is a derivative: with
the potential f(y) = sum_j w(|y - y_j|), it is -1/2 grad f(y_i), and Z = sum_i f(y_i) - n. So one potential is all that
is needed, computed on a grid by a fast Fourier transform (an idea of Linderman et al. 2019,
https://doi.org/10.1038/s41592-018-0308-4, who interpolate three or four of them, by polynomials).

As in the smooth particle mesh Ewald method (Essmann et al. 1995, https://doi.org/10.1063/1.470117), the points are
spread onto the grid by cubic B-splines, and the potential at a point is the spline through the grid's values, whose
derivative is exact: there is no difference of large sums, and single precision is enough. Seen as a function of the two
points, w is replaced by the tensor product spline that agrees with it wherever both are nodes of the grid; in the
Fourier domain, that is w's transform divided by the square of the sampled B-spline's (Unser, Aldroubi and Eden 1993,
https://doi.org/10.1109/78.193220). The grid is padded to twice its size, where the cyclic convolution is the true one;
rows and columns known to be 0, or of no interest, are not transformed. The error depends on where a point lies between
the nodes; its largest part has opposite signs on two grids that are half a node apart, of which the mean is taken
(interlacing: Hockney and Eastwood 1988, section 7-8). That halves the error on a dense map; where the map is thin, or
points lie on each other, it is a tenth.

Results are the same, to the bit, with any number of threads: each does whole blocks, which are always the same.
"""

from common.tsne.descent.optimizer import Descent
from common.tsne.descent.repulsion import EXACT_PAIRS, exact_normalization

__all__ = ["EXACT_PAIRS", "Descent", "exact_normalization"]
