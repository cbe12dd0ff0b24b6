// Vectorised kernels of the sine features: one pass computes sine and cosine of a phase and everything that is
// made of them, so that no intermediate array is written. Compiled for baseline x86-64, AVX2 and AVX-512 and chosen
// at run time.
#pragma once

#include <Eigen/Core>

namespace torsor {

/// phase[k] = b + sum_i w[i] x[i * ldx + k], then
/// out[k] += sin(phase[k]) * sum_{c in even} m[c] a[c * lda + k] + cos(phase[k]) * sum_{c in odd} m[c] a[c * lda + k],
/// for k < n. `even` columns of a come first (n_even), then n_odd.
void sine_row_kernel(Eigen::Index n, Eigen::Index d, const double* x, Eigen::Index ldx, const double* w, double b,
                     Eigen::Index n_even, Eigen::Index n_odd, const double* m, const double* a, Eigen::Index lda,
                     double* out);

/// out[c * ldo + k] += m[c] * sin(phase[k]) (c < n_even) or m[c] * cos(phase[k]) (the n_odd after them).
void sine_jet_kernel(Eigen::Index n, Eigen::Index d, const double* x, Eigen::Index ldx, const double* w, double b,
                     Eigen::Index n_even, Eigen::Index n_odd, const double* m, double* out, Eigen::Index ldo);

/// s[k] = sin(x[k]), c[k] = cos(x[k]); error below 2 ulp of 1 for |x| < 1e5.
void sincos_kernel(Eigen::Index n, const double* x, double* s, double* c);

}  // namespace torsor
