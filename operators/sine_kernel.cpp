#include "operators/sine_kernel.h"

#include "physics/function_clones.h"

namespace torsor {
namespace {

using Eigen::Index;

// A block of points short enough that its temporaries stay in the first-level cache.
constexpr Index kBlock = 128;

struct SineCosine {
  double sine, cosine;
};

// Cody-Waite reduction by pi/2 in three parts, then the minimax polynomials of Cephes on [-pi/4, pi/4].
// Written without branches or integer conversions, so that the compiler vectorises loops over it.
__attribute__((always_inline)) inline SineCosine sine_cosine(double x) {
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to the nearest integer
  const double shifted = x * 0.63661977236758134308 + kMagic;
  const double q = shifted - kMagic;
  double r = x - q * 1.5707963267341256e+00;
  r -= q * 6.0771005063039660e-11;
  r -= q * 2.0222662487959506e-21;
  const double r2 = r * r;
  double s = 1.58962301576546568060e-10;
  s = s * r2 - 2.50507477628578072866e-8;
  s = s * r2 + 2.75573136213857245213e-6;
  s = s * r2 - 1.98412698295895385996e-4;
  s = s * r2 + 8.33333333332211858878e-3;
  s = s * r2 - 1.66666666666666307295e-1;
  s = r + r * r2 * s;
  double c = -1.13585365213876817300e-11;
  c = c * r2 + 2.08757008419747316778e-9;
  c = c * r2 - 2.75573141792967388112e-7;
  c = c * r2 + 2.48015872888517045348e-5;
  c = c * r2 - 1.38888888888730564116e-3;
  c = c * r2 + 4.16666666666665929218e-2;
  c = 1.0 - 0.5 * r2 + r2 * r2 * c;
  // Quadrant q mod 4 in floating point: odd = q is odd, half = floor(q / 2) is odd.
  const double half = (q * 0.5 - 0.25 + kMagic) - kMagic;  // floor(q / 2)
  const double odd = q - 2.0 * half;                       // 0 or 1
  const double quarter = (half * 0.5 - 0.25 + kMagic) - kMagic;
  const double sign = 1.0 - 2.0 * (half - 2.0 * quarter);  // +1 or -1
  return {sign * (odd * c + (1.0 - odd) * s), sign * ((1.0 - odd) * c - odd * s)};
}

}  // namespace

TORSOR_CLONES("arch=x86-64-v4", "arch=x86-64-v3", "default")
void sincos_kernel(Index n, const double* x, double* s, double* c) {
  for (Index k = 0; k < n; ++k) {
    const SineCosine value = sine_cosine(x[k]);
    s[k] = value.sine;
    c[k] = value.cosine;
  }
}

TORSOR_CLONES("arch=x86-64-v4", "arch=x86-64-v3", "default")
void sine_row_kernel(Index n, Index d, const double* x, Index ldx, const double* w, double b,
                                   Index n_even, Index n_odd, const double* m, const double* a, Index lda,
                                   double* out) {
  double phase[kBlock], even[kBlock], odd[kBlock];
  for (Index k0 = 0; k0 < n; k0 += kBlock) {
    const Index nb = n - k0 < kBlock ? n - k0 : kBlock;
    for (Index k = 0; k < nb; ++k) {
      phase[k] = b;
      even[k] = 0;
      odd[k] = 0;
    }
    for (Index i = 0; i < d; ++i)
      for (Index k = 0; k < nb; ++k) phase[k] += w[i] * x[i * ldx + k0 + k];
    for (Index c = 0; c < n_even; ++c)
      for (Index k = 0; k < nb; ++k) even[k] += m[c] * a[c * lda + k0 + k];
    for (Index c = n_even; c < n_even + n_odd; ++c)
      for (Index k = 0; k < nb; ++k) odd[k] += m[c] * a[c * lda + k0 + k];
    for (Index k = 0; k < nb; ++k) {
      const SineCosine value = sine_cosine(phase[k]);
      out[k0 + k] += value.sine * even[k] + value.cosine * odd[k];
    }
  }
}

TORSOR_CLONES("arch=x86-64-v4", "arch=x86-64-v3", "default")
void sine_jet_kernel(Index n, Index d, const double* x, Index ldx, const double* w, double b,
                                   Index n_even, Index n_odd, const double* m, double* out, Index ldo) {
  double sine[kBlock], cosine[kBlock];
  for (Index k0 = 0; k0 < n; k0 += kBlock) {
    const Index nb = n - k0 < kBlock ? n - k0 : kBlock;
    for (Index k = 0; k < nb; ++k) sine[k] = b;
    for (Index i = 0; i < d; ++i)
      for (Index k = 0; k < nb; ++k) sine[k] += w[i] * x[i * ldx + k0 + k];
    for (Index k = 0; k < nb; ++k) {
      const SineCosine value = sine_cosine(sine[k]);
      sine[k] = value.sine;
      cosine[k] = value.cosine;
    }
    for (Index c = 0; c < n_even; ++c)
      for (Index k = 0; k < nb; ++k) out[c * ldo + k0 + k] += m[c] * sine[k];
    for (Index c = n_even; c < n_even + n_odd; ++c)
      for (Index k = 0; k < nb; ++k) out[c * ldo + k0 + k] += m[c] * cosine[k];
  }
}

}  // namespace torsor
