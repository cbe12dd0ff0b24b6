// Seeded pseudo-random numbers, the same bits on every platform.
//
// xoshiro256** (Blackman and Vigna 2021) started from splitmix64 (Steele, Lea and Flood 2014). The
// distributions of the standard library differ between implementations, so the draws are written out here,
// and products and sums are joined by explicit std::fma so that a compiler's own contraction cannot change a
// bit.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace torsor {

/// One step of splitmix64: advances `state` by the golden-ratio constant and returns the mixed state.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
inline std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// A seed for the independent stream number `stream` of `seed` (boundary pieces, epochs, axes, ...).
inline std::uint64_t stream_seed(std::uint64_t seed, std::uint64_t stream) {
  std::uint64_t state = seed;
  state = splitmix64(state) ^ stream;
  return splitmix64(state);
}

namespace random_detail {

/// c[0] + c[1] x + ... + c[n-1] x^(n-1) by Horner's rule, one rounding per step.
template <std::size_t n>
double polynomial(const std::array<double, n>& c, double x) {
  double value = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) value = std::fma(value, x, c[i]);
  return value;
}

/// ln x for normal x > 0 from correctly rounded operations alone (libm's log differs between platforms):
/// x = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh s, s = (m - 1)/(m + 1), |s| < 0.172.
inline double portable_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  double series = 1.0 / 23;
  for (int k = 21; k >= 1; k -= 2) series = std::fma(series, s * s, 1.0 / k);
  return std::fma(static_cast<double>(exponent), 0.69314718055994531, 2 * s * series);
}

}  // namespace random_detail

/// The inverse of the standard normal distribution function, Phi^{-1}(p), relative error about 1e-16;
/// -inf at p <= 0, +inf at p >= 1.
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Statist. 37,
/// 1988.
inline double normal_quantile(double p) {
  using random_detail::polynomial;
  static constexpr std::array<double, 8> a{
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
      4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr std::array<double, 8> b{1.0,
                                           4.2313330701600911252e1,
                                           6.8718700749205790830e2,
                                           5.3941960214247511077e3,
                                           2.1213794301586595867e4,
                                           3.9307895800092710610e4,
                                           2.8729085735721942674e4,
                                           5.2264952788528545610e3};
  static constexpr std::array<double, 8> c{1.42343711074968357734e0,  4.63033784615654529590e0,
                                           5.76949722146069140550e0,  3.64784832476320460504e0,
                                           1.27045825245236838258e0,  2.41780725177450611770e-1,
                                           2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array<double, 8> d{1.0,
                                           2.05319162663775882187e0,
                                           1.67638483018380384940e0,
                                           6.89767334985100004550e-1,
                                           1.48103976427480074590e-1,
                                           1.51986665636164571966e-2,
                                           5.47593808499534494600e-4,
                                           1.05075007164441684324e-9};
  static constexpr std::array<double, 8> e{6.65790464350110377720e0,  5.46378491116411436990e0,
                                           1.78482653991729133580e0,  2.96560571828504891230e-1,
                                           2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                           2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array<double, 8> f{1.0,
                                           5.99832206555887937690e-1,
                                           1.36929880922735805310e-1,
                                           1.48753612908506148525e-2,
                                           7.86869131145613259100e-4,
                                           1.84631831751005468180e-5,
                                           1.42151175831644588870e-7,
                                           2.04426310338993978564e-15};
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = std::fma(-q, q, 0.180625);
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-random_detail::portable_log(q < 0 ? p : 1 - p));
  const double tail = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                             : polynomial(e, r - 5.0) / polynomial(f, r - 5.0);
  return q < 0 ? -tail : tail;
}

/// The generator xoshiro256**: period 2^256 - 1, 64 bits a draw.
/// Source: Blackman, Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021.
class Random {
 public:
  /// The state is four draws of splitmix64 started at `seed`; every seed is good, 0 included.
  explicit Random(std::uint64_t seed) {
    for (auto& word : state_) word = splitmix64(seed);
  }

  /// Starts from the given state, which must not be all zero.
  explicit Random(const std::array<std::uint64_t, 4>& state) : state_(state) {}

  const std::array<std::uint64_t, 4>& state() const { return state_; }

  /// 64 uniform bits.
  std::uint64_t next() {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Uniform in [low, high); rounding may return high itself.
  double uniform(double low, double high) { return std::fma(high - low, uniform(), low); }

  /// Uniform in {0, ..., count - 1}, without bias (rejection); count >= 1.
  std::uint64_t below(std::uint64_t count) {
    const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / count * count;
    std::uint64_t draw = next();
    while (draw >= limit) draw = next();
    return draw % count;
  }

  /// Standard normal: Phi^{-1}(u) with u = (k + 1/2) 2^-52, so u is never 0 or 1; one draw each.
  double normal() { return normal_quantile((static_cast<double>(next() >> 12) + 0.5) * 0x1.0p-52); }

 private:
  static std::uint64_t rotate_left(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace torsor
