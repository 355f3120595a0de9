"""Ridge regression on class targets in its dual form, for few cases with many features.

Shape suffixes: N cases, D features, K classes.

Not here: where the features come from (``minirocket``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.models.class_weights import inverse_frequency_weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ridge:
    """Ridge regression on ±1 targets in its dual form: one Gram matrix for every penalty."""

    z_ND: NDArray[np.float32]
    mean_D: NDArray[np.float64]
    spread_D: NDArray[np.float64]
    root_weight_N: NDArray[np.float64]
    target_NK: NDArray[np.float64]
    target_mean_K: NDArray[np.float64]
    gram_NN: NDArray[np.float64]

    @classmethod
    def of(cls, x_ND: NDArray[np.float32], y_N: NDArray[np.int64], n_classes: int) -> "Ridge":
        """Standardise the features, centre the targets, weigh both by inverse class frequency."""
        weight_N = inverse_frequency_weights(y_N, n_classes)[y_N]
        weight_N /= weight_N.sum()
        mean_D = weight_N @ x_ND
        spread_D = np.sqrt(np.maximum(weight_N @ (x_ND - mean_D.astype(np.float32)) ** 2, 1e-6))
        root_weight_N = np.sqrt(weight_N * y_N.size)
        target_NK = 2.0 * np.eye(n_classes)[y_N] - 1.0
        target_mean_K = weight_N @ target_NK
        z_ND = ((x_ND - mean_D) / spread_D * root_weight_N[:, None]).astype(np.float32)
        return cls(
            z_ND=z_ND,
            mean_D=mean_D,
            spread_D=spread_D,
            root_weight_N=root_weight_N,
            target_NK=(target_NK - target_mean_K) * root_weight_N[:, None],
            target_mean_K=target_mean_K,
            gram_NN=(z_ND @ z_ND.T).astype(np.float64),
        )

    def solve(self, penalty: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return coefficients ``[D, K]`` and intercepts for the features as they come."""
        from scipy.linalg import cho_factor, cho_solve

        ridge_NN = self.gram_NN.copy()
        ridge_NN[np.diag_indices_from(ridge_NN)] += penalty * self.z_ND.shape[1]
        dual_NK = cho_solve(cho_factor(ridge_NN, overwrite_a=True), self.target_NK)
        coefficient_DK = (self.z_ND.T @ dual_NK.astype(np.float32)) / self.spread_D[:, None]
        return coefficient_DK, self.target_mean_K - self.mean_D @ coefficient_DK
