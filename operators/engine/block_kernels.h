// The kernels of the derivative engine in GCC's vector extensions, compiled once for each instruction set by
// kernels_baseline.cpp, kernels_avx2.cpp and kernels_avx512.cpp, which define TORSOR_VECTOR_BYTES, TORSOR_PANEL_VECTORS,
// TORSOR_KERNELS and TORSOR_KERNEL_NAME. Everything has internal linkage, and nothing of the standard library is used:
// a function compiled for AVX-512 must never be the one copy that the linker keeps.
//
// Activation layers, h = s(z), with s_k the k-th derivative at z, partial derivatives z_i, and Z = Lap z, forward:
//   h_i = s_1 z_i,    h_ij = s_2 z_i z_j + s_1 z_ij,    Lap h = s_2 sum_i z_i^2 + s_1 Z,
//   h_iii = s_3 z_i^3 + 3 s_2 z_i z_ii + s_1 z_iii,
//   h_iiii = s_4 z_i^4 + 6 s_3 z_i^2 z_ii + s_2 (3 z_ii^2 + 4 z_i z_iii) + s_1 z_iiii.
// Reverse, with a the adjoints of h and every right side added to the adjoint on the left:
//   every channel  dz_c += s_1 a_c,                     dz += s_2 a_c z_c   for c not the value,
//   a_ij           dz_i += s_2 z_j a,  dz_j += s_2 z_i a,  dz += s_3 z_i z_j a,
//   a_Lap          dz_i += 2 s_2 z_i a,                 dz += s_3 sum_i z_i^2 a,
//   a_iii          dz_ii += 3 s_2 z_i a,  dz_i += 3 (s_3 z_i^2 + s_2 z_ii) a,  dz += (s_4 z_i^3 + 3 s_3 z_i z_ii) a,
//   a_iiii         dz_iii += 4 s_2 z_i a,  dz_ii += 6 (s_3 z_i^2 + s_2 z_ii) a,
//                  dz_i += 4 (s_4 z_i^3 + 3 s_3 z_i z_ii + s_2 z_iii) a,
//                  dz += (s_5 z_i^4 + 6 s_4 z_i^2 z_ii + s_3 (3 z_ii^2 + 4 z_i z_iii)) a.
// Sources: Faa di Bruno's formula; the collapsed Laplacian is Li et al., "Forward Laplacian", Nature Machine
// Intelligence 6, 2024; the shape of the matrix kernel is that of BLIS (Van Zee and van de Geijn, ACM TOMS 41, 2015).
#include "operators/engine/kernel_table.h"

namespace torsor::engine {
namespace {

#define TORSOR_INLINE __attribute__((always_inline)) inline

// --- Vectors ------------------------------------------------------------------------------------------------------

typedef double Doubles __attribute__((vector_size(TORSOR_VECTOR_BYTES), may_alias));
typedef float Floats __attribute__((vector_size(TORSOR_VECTOR_BYTES), may_alias));
typedef long long Longs __attribute__((vector_size(TORSOR_VECTOR_BYTES), may_alias));
typedef int Ints __attribute__((vector_size(TORSOR_VECTOR_BYTES), may_alias));
typedef double UnalignedDoubles __attribute__((vector_size(TORSOR_VECTOR_BYTES), may_alias, aligned(8)));
typedef float UnalignedFloats __attribute__((vector_size(TORSOR_VECTOR_BYTES), may_alias, aligned(4)));

template <class Real>
struct Vectors;
template <>
struct Vectors<double> {
  using Vector = Doubles;
  using Unaligned = UnalignedDoubles;
  using Bits = Longs;
  static constexpr int mantissa = 52, word = 64;
  static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to the nearest integer
  static constexpr double tanh_limit = 40, exp_limit = 708;
  static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  static constexpr double pi_high = 1.5707963267341256e+00, pi_middle = 6.0771005063039660e-11,
                          pi_low = 2.0222662487959506e-21;
};
template <>
struct Vectors<float> {
  using Vector = Floats;
  using Unaligned = UnalignedFloats;
  using Bits = Ints;
  static constexpr int mantissa = 23, word = 32;
  static constexpr float magic = 12582912.0f;  // 1.5 * 2^23
  static constexpr float tanh_limit = 20, exp_limit = 87;
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr float pi_high = 1.5703125f, pi_middle = 4.837512969970703125e-4f, pi_low = 7.54978995489188e-8f;
};

template <class Real>
using Vector = typename Vectors<Real>::Vector;
template <class Real>
using Bits = typename Vectors<Real>::Bits;
template <class Real>
constexpr int kLanes = TORSOR_VECTOR_BYTES / static_cast<int>(sizeof(Real));

template <class Real>
TORSOR_INLINE Vector<Real> load(const Real* p) {
  return *reinterpret_cast<const Vector<Real>*>(p);
}
template <class Real>
TORSOR_INLINE void store(Real* p, Vector<Real> v) {
  *reinterpret_cast<Vector<Real>*>(p) = v;
}
template <class Real>
TORSOR_INLINE Vector<Real> broadcast(Real x) {
  return x - Vector<Real>{};  // x + 0 would have to be computed: it turns -0 into 0
}

// --- Elementary functions -----------------------------------------------------------------------------------------

/// c[0] + c[1] x + ... by Horner's rule; the calls of a loop overlap in the processor.
template <class Real, int n>
TORSOR_INLINE Vector<Real> polynomial(const Real (&c)[n], Vector<Real> x) {
  Vector<Real> value = broadcast(c[n - 1]);
#pragma GCC unroll 20
  for (int k = n - 2; k >= 0; --k) value = value * x + c[k];
  return value;
}

template <class Real>
struct Series;
template <>
struct Series<double> {
  // (e^r - 1 - r) / r^2
  static constexpr double exp_tail[] = {
      1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
  // artanh(s) / s in s^2, s <= 1/3
  static constexpr double artanh[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                      1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23,
                                      1.0 / 25, 1.0 / 27, 1.0 / 29, 1.0 / 31, 1.0 / 33};
  // The minimax polynomials of Cephes (Moshier) for (sin r - r) / r^3 and (cos r - 1 + r^2/2) / r^4, |r| <= pi/4.
  static constexpr double sine[] = {-1.66666666666666307295e-1, 8.33333333332211858878e-3,
                                    -1.98412698295895385996e-4, 2.75573136213857245213e-6,
                                    -2.50507477628578072866e-8, 1.58962301576546568060e-10};
  static constexpr double cosine[] = {4.16666666666665929218e-2, -1.38888888888730564116e-3,
                                      2.48015872888517045348e-5, -2.75573141792967388112e-7,
                                      2.08757008419747316778e-9, -1.13585365213876817300e-11};
};
template <>
struct Series<float> {
  static constexpr float exp_tail[] = {1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720, 1.0f / 5040};
  static constexpr float artanh[] = {1.0f,     1.0f / 3,  1.0f / 5,  1.0f / 7,
                                     1.0f / 9, 1.0f / 11, 1.0f / 13, 1.0f / 15};
  static constexpr float sine[] = {-1.6666654611e-1f, 8.3321608736e-3f, -1.9515295891e-4f};
  static constexpr float cosine[] = {4.166664568298827e-2f, -1.388731625493765e-3f, 2.443315711809948e-5f};
};

template <class Real>
struct Exponential {
  Vector<Real> minus_one, scale;  ///< e^r - 1 and 2^k
};

/// x = k ln 2 + r with |r| <= ln 2 / 2, for |x| <= exp_limit.
template <class Real>
TORSOR_INLINE Exponential<Real> exponential(Vector<Real> x) {
  using V = Vectors<Real>;
  const Vector<Real> shifted = x * static_cast<Real>(1.44269504088896340736) + V::magic;
  const Vector<Real> k = shifted - V::magic;
  const Vector<Real> r = (x - k * V::ln2_high) - k * V::ln2_low;
  // The low bits of `shifted` hold k in two's complement: added to the exponent of 1.0 they make 2^k.
  const Bits<Real> scale = ((Bits<Real>)shifted << V::mantissa) + (Bits<Real>)broadcast<Real>(1);
  return {r + r * r * polynomial<Real>(Series<Real>::exp_tail, r), (Vector<Real>)scale};
}

template <class Real>
TORSOR_INLINE Vector<Real> tanh(Vector<Real> z) {
  const Real limit = Vectors<Real>::tanh_limit;
  Vector<Real> x = z < Real(0) ? Real(-2) * z : Real(2) * z;
  x = x > limit ? broadcast(limit) : x;  // in this order a NaN stays one
  const Exponential<Real> exp = exponential<Real>(x);
  const Vector<Real> e = exp.scale * exp.minus_one + (exp.scale - Real(1));  // e^|2z| - 1 without cancellation
  const Vector<Real> t = e / (e + Real(2));
  return z < Real(0) ? -t : t;
}

/// e^-|z|, not below the smallest normal number.
template <class Real>
TORSOR_INLINE Vector<Real> decay(Vector<Real> z) {
  const Real limit = -Vectors<Real>::exp_limit;
  Vector<Real> x = z < Real(0) ? z : -z;
  x = x < limit ? broadcast(limit) : x;
  const Exponential<Real> exp = exponential<Real>(x);
  return exp.scale * exp.minus_one + exp.scale;
}

/// 1 / (1 + e^-z) from decay = e^-|z|.
template <class Real>
TORSOR_INLINE Vector<Real> logistic(Vector<Real> z, Vector<Real> decay) {
  const Vector<Real> reciprocal = Real(1) / (Real(1) + decay);
  return z < Real(0) ? decay * reciprocal : reciprocal;
}

/// ln(1 + y) = 2 artanh(y / (2 + y)), 0 <= y <= 1.
template <class Real>
TORSOR_INLINE Vector<Real> log_one_plus(Vector<Real> y) {
  const Vector<Real> s = y / (Real(2) + y);
  return Real(2) * s * polynomial<Real>(Series<Real>::artanh, s * s);
}

template <class Real>
struct SineCosine {
  Vector<Real> sine, cosine;
};

/// Cody-Waite reduction by pi/2 in three parts; error below 2 ulp of 1 for |x| < 1e5 (float32: 5e3).
template <class Real>
TORSOR_INLINE SineCosine<Real> sine_cosine(Vector<Real> x) {
  using V = Vectors<Real>;
  const Vector<Real> shifted = x * static_cast<Real>(0.63661977236758134308) + V::magic;
  const Vector<Real> q = shifted - V::magic;
  const Vector<Real> r = ((x - q * V::pi_high) - q * V::pi_middle) - q * V::pi_low;
  const Vector<Real> r2 = r * r;
  const Vector<Real> s = r + r * r2 * polynomial<Real>(Series<Real>::sine, r2);
  const Vector<Real> c = Real(1) - Real(0.5) * r2 + r2 * r2 * polynomial<Real>(Series<Real>::cosine, r2);
  // The low bits of `shifted` hold q in two's complement; the quadrant is q mod 4.
  const Bits<Real> quadrant = (Bits<Real>)shifted;
  const auto swapped = (quadrant & 1) != 0;
  const Bits<Real> sine_sign = (quadrant & 2) << (V::word - 2);
  const Bits<Real> cosine_sign = ((quadrant + 1) & 2) << (V::word - 2);
  const Vector<Real> sine = swapped ? c : s, cosine = swapped ? s : c;
  return {(Vector<Real>)((Bits<Real>)sine ^ sine_sign), (Vector<Real>)((Bits<Real>)cosine ^ cosine_sign)};
}

// --- Activations --------------------------------------------------------------------------------------------------
// evaluate: s(z), and u (kept in the row of z's value) and v (kept in `state` where kState) from which
// derivatives<n>(u, v, s) makes s[1] ... s[n].

template <class Real>
struct Activated {
  Vector<Real> value, u, v;
};

template <class RealType>
struct Tanh {
  using Real = RealType;
  using V = Vector<Real>;
  static constexpr bool kState = false;
  static TORSOR_INLINE Activated<Real> evaluate(V z) {
    const V t = tanh<Real>(z);
    return {t, t, t};
  }
  template <int order>
  static TORSOR_INLINE void derivatives(V t, V, V* s) {
    const V t2 = t * t, slope = Real(1) - t2;
    if constexpr (order >= 1) s[1] = slope;
    if constexpr (order >= 2) s[2] = Real(-2) * t * slope;
    if constexpr (order >= 3) s[3] = (Real(6) * t2 - Real(2)) * slope;
    if constexpr (order >= 4) s[4] = (Real(16) - Real(24) * t2) * t * slope;
    if constexpr (order >= 5) s[5] = ((Real(120) * t2 - Real(120)) * t2 + Real(16)) * slope;
  }
};

template <class RealType>
struct Sine {
  using Real = RealType;
  using V = Vector<Real>;
  static constexpr bool kState = true;
  static TORSOR_INLINE Activated<Real> evaluate(V z) {
    const SineCosine<Real> at = sine_cosine<Real>(z);
    return {at.sine, at.sine, at.cosine};
  }
  template <int order>
  static TORSOR_INLINE void derivatives(V sine, V cosine, V* s) {
    if constexpr (order >= 1) s[1] = cosine;
    if constexpr (order >= 2) s[2] = -sine;
    if constexpr (order >= 3) s[3] = -cosine;
    if constexpr (order >= 4) s[4] = sine;
    if constexpr (order >= 5) s[5] = cosine;
  }
};

/// f = 1 / (1 + e^-z), p = f (1 - f), q = 1 - 2 f: the derivatives are p, p q, p (1 - 6 p), p q (1 - 12 p), ...
template <class Real, int order>
TORSOR_INLINE void logistic_derivatives(Vector<Real> f, Vector<Real>* s) {
  const Vector<Real> p = f * (Real(1) - f), q = Real(1) - Real(2) * f;
  s[0] = f;
  if constexpr (order >= 1) s[1] = p;
  if constexpr (order >= 2) s[2] = p * q;
  if constexpr (order >= 3) s[3] = p * (Real(1) - Real(6) * p);
  if constexpr (order >= 4) s[4] = p * q * (Real(1) - Real(12) * p);
  if constexpr (order >= 5) s[5] = p * ((Real(120) * p - Real(30)) * p + Real(1));
}

template <class RealType>
struct Swish {
  using Real = RealType;
  using V = Vector<Real>;
  static constexpr bool kState = true;
  static TORSOR_INLINE Activated<Real> evaluate(V z) {
    const V f = logistic<Real>(z, decay<Real>(z));
    return {z * f, z, f};
  }
  template <int order>
  static TORSOR_INLINE void derivatives(V z, V f, V* s) {
    V l[order + 1];
    logistic_derivatives<Real, order>(f, l);
#pragma GCC unroll 8
    for (int k = 1; k <= order; ++k) s[k] = z * l[k] + static_cast<Real>(k) * l[k - 1];
  }
};

template <class RealType>
struct Softplus {
  using Real = RealType;
  using V = Vector<Real>;
  static constexpr bool kState = false;
  static TORSOR_INLINE Activated<Real> evaluate(V z) {
    const V e = decay<Real>(z), f = logistic<Real>(z, e);
    return {(z < Real(0) ? V{} : z) + log_one_plus<Real>(e), f, f};
  }
  template <int order>
  static TORSOR_INLINE void derivatives(V f, V, V* s) {
    V l[order];
    logistic_derivatives<Real, order - 1>(f, l);
#pragma GCC unroll 8
    for (int k = 1; k <= order; ++k) s[k] = l[k - 1];
  }
};

// --- Activation layers --------------------------------------------------------------------------------------------

/// Value, kFirsts first partial derivatives and the Laplacian over all of them, in registers.
template <class Act, int kFirsts>
void activate_laplacian(const ActivationBlock<typename Act::Real>& block, const typename Act::Real* bias,
                        const typename Act::Real* skip, typename Act::Real* h) {
  using Real = typename Act::Real;
  using V = Vector<Real>;
  constexpr int kChannels = kFirsts + 2;
  const Count ld = block.ld, end = block.vectors * kLanes<Real>;
  for (Count p = 0; p < block.points; ++p) {
    for (Count j = 0; j < end; j += kLanes<Real>) {
      const Count row = p * kChannels * ld + j;
      Real* z = block.z + row;
      const Activated<Real> at = Act::evaluate(load(z) + load(bias + j));
      store(z, at.u);
      if constexpr (Act::kState) store(block.state + p * ld + j, at.v);
      V s[3], out[kChannels], sum{};
      Act::template derivatives<2>(at.u, at.v, s);
      out[0] = at.value;
#pragma GCC unroll 8
      for (int i = 1; i <= kFirsts; ++i) {
        const V zi = load(z + i * ld);
        sum += zi * zi;
        out[i] = s[1] * zi;
      }
      out[kFirsts + 1] = s[2] * sum + s[1] * load(z + (kFirsts + 1) * ld);
      if (skip) {
#pragma GCC unroll 8
        for (int c = 0; c < kChannels; ++c) out[c] += load(skip + row + c * ld);
      }
#pragma GCC unroll 8
      for (int c = 0; c < kChannels; ++c) store(h + row + c * ld, out[c]);
    }
  }
}

template <class Act, int kFirsts>
void reverse_laplacian(const ActivationBlock<typename Act::Real>& block, const typename Act::Real* dh,
                       typename Act::Real* dz) {
  using Real = typename Act::Real;
  using V = Vector<Real>;
  constexpr int kChannels = kFirsts + 2;
  const Count ld = block.ld, end = block.vectors * kLanes<Real>;
  for (Count p = 0; p < block.points; ++p) {
    for (Count j = 0; j < end; j += kLanes<Real>) {
      const Count row = p * kChannels * ld + j;
      const Real *z = block.z + row, *a = dh + row;
      V s[4], sum{}, dot{};
      Act::template derivatives<3>(load(z), Act::kState ? load(block.state + p * ld + j) : V{}, s);
      const V top = load(a + (kFirsts + 1) * ld), twice = Real(2) * s[2] * top;
#pragma GCC unroll 8
      for (int i = 1; i <= kFirsts; ++i) {
        const V zi = load(z + i * ld), ai = load(a + i * ld);
        sum += zi * zi;
        dot += ai * zi;
        store(dz + row + i * ld, s[1] * ai + twice * zi);
      }
      store(dz + row + (kFirsts + 1) * ld, s[1] * top);
      dot += load(z + (kFirsts + 1) * ld) * top;
      store(dz + row, s[1] * load(a) + s[2] * dot + s[3] * sum * top);
    }
  }
}

/// out[c] of every channel but the value, for a plan whose derivatives reach order kOrder.
template <class Real, int kOrder>
TORSOR_INLINE void compose(const ChannelPlan& plan, const Real* z, Count ld, const Vector<Real>* s, Vector<Real>* out) {
  using V = Vector<Real>;
  const auto zc = [&](int c) __attribute__((always_inline)) { return load(z + c * ld); };
  for (int c = 1; c < plan.channels; ++c) out[c] = s[1] * zc(c);
  if constexpr (kOrder >= 2) {
    for (int k = 0; k < plan.seconds_count; ++k) {
      const ChannelPlan::Second& t = plan.seconds[k];
      out[t.channel] += s[2] * zc(t.first_i) * zc(t.first_j);
    }
    if (plan.laplacian > 0) {
      V sum{};
      for (int i = 1; i <= plan.laplacian_firsts; ++i) sum += zc(i) * zc(i);
      out[plan.laplacian] += s[2] * sum;
    }
  }
  if constexpr (kOrder >= 3) {
    for (int k = 0; k < plan.pures_count; ++k) {
      const ChannelPlan::Pure& t = plan.pures[k];
      const V z1 = zc(t.first), z2 = zc(t.second);
      out[t.third] += (s[3] * z1 * z1 + Real(3) * s[2] * z2) * z1;
      if constexpr (kOrder >= 4)
        if (t.fourth > 0)
          out[t.fourth] += (s[4] * z1 * z1 + Real(6) * s[3] * z2) * z1 * z1 +
                           s[2] * (Real(3) * z2 * z2 + Real(4) * z1 * zc(t.third));
    }
  }
}

template <class Act, int kOrder>
void activate_general(const ChannelPlan& plan, const ActivationBlock<typename Act::Real>& block,
                      const typename Act::Real* bias, const typename Act::Real* skip, typename Act::Real* h) {
  using Real = typename Act::Real;
  const Count ld = block.ld, end = block.vectors * kLanes<Real>;
  for (Count p = 0; p < block.points; ++p) {
    for (Count j = 0; j < end; j += kLanes<Real>) {
      const Count row = p * plan.channels * ld + j;
      Real* z = block.z + row;
      const Activated<Real> at = Act::evaluate(load(z) + load(bias + j));
      store(z, at.u);
      if constexpr (Act::kState) store(block.state + p * ld + j, at.v);
      Vector<Real> s[kOrder + 1], out[ChannelPlan::kMaxChannels];
      out[0] = at.value;
      if constexpr (kOrder >= 1) {
        Act::template derivatives<kOrder>(at.u, at.v, s);
        compose<Real, kOrder>(plan, z, ld, s, out);
      }
      for (int c = 0; c < plan.channels; ++c)
        store(h + row + c * ld, skip ? out[c] + load(skip + row + c * ld) : out[c]);
    }
  }
}

template <class Real, int kOrder>
TORSOR_INLINE void compose_reverse(const ChannelPlan& plan, const Real* z, const Real* a, Count ld,
                                   const Vector<Real>* s, Vector<Real>* dz) {
  using V = Vector<Real>;
  const auto zc = [&](int c) __attribute__((always_inline)) { return load(z + c * ld); };
  const auto ac = [&](int c) __attribute__((always_inline)) { return load(a + c * ld); };
  dz[0] = s[1] * ac(0);
  if constexpr (kOrder >= 1) {
    V dot{};
    for (int c = 1; c < plan.channels; ++c) {
      dz[c] = s[1] * ac(c);
      dot += ac(c) * zc(c);
    }
    dz[0] += s[2] * dot;
  }
  if constexpr (kOrder >= 2) {
    for (int k = 0; k < plan.seconds_count; ++k) {
      const ChannelPlan::Second& t = plan.seconds[k];
      const V top = ac(t.channel), zi = zc(t.first_i), zj = zc(t.first_j);
      dz[t.first_i] += s[2] * zj * top;
      dz[t.first_j] += s[2] * zi * top;
      dz[0] += s[3] * zi * zj * top;
    }
    if (plan.laplacian > 0) {
      const V top = ac(plan.laplacian);
      V sum{};
      for (int i = 1; i <= plan.laplacian_firsts; ++i) {
        const V zi = zc(i);
        sum += zi * zi;
        dz[i] += Real(2) * s[2] * zi * top;
      }
      dz[0] += s[3] * sum * top;
    }
  }
  if constexpr (kOrder >= 3) {
    for (int k = 0; k < plan.pures_count; ++k) {
      const ChannelPlan::Pure& t = plan.pures[k];
      const V z1 = zc(t.first), z2 = zc(t.second);
      const V second = s[3] * z1 * z1 + s[2] * z2, third = (s[4] * z1 * z1 + Real(3) * s[3] * z2) * z1;
      const V top = ac(t.third);
      dz[t.second] += Real(3) * s[2] * z1 * top;
      dz[t.first] += Real(3) * second * top;
      dz[0] += third * top;
      if constexpr (kOrder >= 4)
        if (t.fourth > 0) {
          const V last = ac(t.fourth), z3 = zc(t.third);
          dz[t.third] += Real(4) * s[2] * z1 * last;
          dz[t.second] += Real(6) * second * last;
          dz[t.first] += Real(4) * (third + s[2] * z3) * last;
          dz[0] += ((s[5] * z1 * z1 + Real(6) * s[4] * z2) * z1 * z1 +
                    s[3] * (Real(3) * z2 * z2 + Real(4) * z1 * z3)) * last;
        }
    }
  }
}

template <class Act, int kOrder>
void reverse_general(const ChannelPlan& plan, const ActivationBlock<typename Act::Real>& block,
                     const typename Act::Real* dh, typename Act::Real* dz) {
  using Real = typename Act::Real;
  const Count ld = block.ld, end = block.vectors * kLanes<Real>;
  for (Count p = 0; p < block.points; ++p) {
    for (Count j = 0; j < end; j += kLanes<Real>) {
      const Count row = p * plan.channels * ld + j;
      Vector<Real> s[kOrder + 2], out[ChannelPlan::kMaxChannels];
      Act::template derivatives<kOrder + 1>(load(block.z + row),
                                            Act::kState ? load(block.state + p * ld + j) : Vector<Real>{}, s);
      compose_reverse<Real, kOrder>(plan, block.z + row, dh + row, ld, s, out);
      for (int c = 0; c < plan.channels; ++c) store(dz + row + c * ld, out[c]);
    }
  }
}

bool is_plain_laplacian(const ChannelPlan& plan) {
  return plan.laplacian > 0 && plan.laplacian_firsts == plan.firsts && plan.seconds_count == 0 &&
         plan.pures_count == 0;
}

template <class Act>
void activate(const ChannelPlan& plan, const ActivationBlock<typename Act::Real>& block,
              const typename Act::Real* bias, const typename Act::Real* skip, typename Act::Real* h) {
  if (is_plain_laplacian(plan)) {
    switch (plan.firsts) {
      case 1: return activate_laplacian<Act, 1>(block, bias, skip, h);
      case 2: return activate_laplacian<Act, 2>(block, bias, skip, h);
      case 3: return activate_laplacian<Act, 3>(block, bias, skip, h);
      default: return activate_laplacian<Act, 4>(block, bias, skip, h);
    }
  }
  switch (plan.order) {
    case 0: return activate_general<Act, 0>(plan, block, bias, skip, h);
    case 1: return activate_general<Act, 1>(plan, block, bias, skip, h);
    case 2: return activate_general<Act, 2>(plan, block, bias, skip, h);
    case 3: return activate_general<Act, 3>(plan, block, bias, skip, h);
    default: return activate_general<Act, 4>(plan, block, bias, skip, h);
  }
}

template <class Act>
void activate_reverse(const ChannelPlan& plan, const ActivationBlock<typename Act::Real>& block,
                      const typename Act::Real* dh, typename Act::Real* dz) {
  if (is_plain_laplacian(plan)) {
    switch (plan.firsts) {
      case 1: return reverse_laplacian<Act, 1>(block, dh, dz);
      case 2: return reverse_laplacian<Act, 2>(block, dh, dz);
      case 3: return reverse_laplacian<Act, 3>(block, dh, dz);
      default: return reverse_laplacian<Act, 4>(block, dh, dz);
    }
  }
  switch (plan.order) {
    case 0: return reverse_general<Act, 0>(plan, block, dh, dz);
    case 1: return reverse_general<Act, 1>(plan, block, dh, dz);
    case 2: return reverse_general<Act, 2>(plan, block, dh, dz);
    case 3: return reverse_general<Act, 3>(plan, block, dh, dz);
    default: return reverse_general<Act, 4>(plan, block, dh, dz);
  }
}

// --- Matrix products ----------------------------------------------------------------------------------------------

constexpr int kTileRows = 6;        // with TORSOR_PANEL_VECTORS vectors a row: what fits the registers
constexpr Count kDepthChunk = 256;  // rows of a packed panel that stay in the first-level cache
constexpr Count kReduceChunk = 64;  // rows that G += A^T B passes over at a time, for the same reason

/// C (+)= sum_k a[i * row_step + k * depth_step] B[k], C kRows x kColumns vectors.
template <class Real, int kRows, int kColumns>
TORSOR_INLINE void multiply_tile(Count depth, const Real* a, Count row_step, Count depth_step, const Real* b, Count ldb,
                                 Real* c, Count ldc, bool accumulate) {
  using V = Vector<Real>;
  V sum[kRows][kColumns];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) sum[i][j] = accumulate ? load(c + i * ldc + j * kLanes<Real>) : V{};
  for (Count k = 0; k < depth; ++k) {
    V right[kColumns];
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) right[j] = load(b + k * ldb + j * kLanes<Real>);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V left = broadcast(a[i * row_step + k * depth_step]);
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) sum[i][j] += left * right[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) store(c + i * ldc + j * kLanes<Real>, sum[i][j]);
}

/// As multiply_tile for any number of rows, cut into the fewest tiles of nearly equal height.
template <class Real, int kColumns, bool kTransposed>
void multiply_strip(Count rows, Count depth, const Real* a, Count lda, const Real* b, Count ldb, Real* c, Count ldc,
                    bool accumulate) {
  const Count row_step = kTransposed ? 1 : lda, depth_step = kTransposed ? lda : 1;
  const Count tiles = panel_count(rows, kTileRows);
  for (Count t = 0; t < tiles; ++t) {
    const Count first = panel_begin(t, tiles, rows), height = panel_begin(t + 1, tiles, rows) - first;
    const Real* left = a + first * row_step;
    Real* out = c + first * ldc;
#define TORSOR_TILE(n)                                                                                         \
  case n:                                                                                                      \
    multiply_tile<Real, n, kColumns>(depth, left, row_step, depth_step, b, ldb, out, ldc, accumulate); \
    break;
    switch (height) {
      TORSOR_TILE(1)
      TORSOR_TILE(2)
      TORSOR_TILE(3)
      TORSOR_TILE(4)
      TORSOR_TILE(5)
      TORSOR_TILE(6)
    }
#undef TORSOR_TILE
  }
}

template <class Real, bool kTransposed>
void multiply_panel(Count width, Count rows, Count depth, const Real* a, Count lda, const Real* b, Count ldb, Real* c,
                    Count ldc, bool accumulate) {
  switch (width) {
    case 1: return multiply_strip<Real, 1, kTransposed>(rows, depth, a, lda, b, ldb, c, ldc, accumulate);
    case 2: return multiply_strip<Real, 2, kTransposed>(rows, depth, a, lda, b, ldb, c, ldc, accumulate);
#if TORSOR_PANEL_VECTORS > 2
    case 3: return multiply_strip<Real, 3, kTransposed>(rows, depth, a, lda, b, ldb, c, ldc, accumulate);
    case 4: return multiply_strip<Real, 4, kTransposed>(rows, depth, a, lda, b, ldb, c, ldc, accumulate);
#endif
  }
}

template <class Real>
void multiply(Count rows, Count depth, const Real* a, Count lda, const Real* packed, Count vectors, Real* c, Count ldc,
              bool accumulate) {
  const Count panels = panel_count(vectors, TORSOR_PANEL_VECTORS);
  for (Count p = 0; p < panels; ++p) {
    const Count first = panel_begin(p, panels, vectors), width = panel_begin(p + 1, panels, vectors) - first;
    const Real* panel = packed + first * kLanes<Real> * depth;
    for (Count k = 0; k < depth; k += kDepthChunk)
      multiply_panel<Real, false>(width, rows, depth - k < kDepthChunk ? depth - k : kDepthChunk, a + k, lda,
                                  panel + k * width * kLanes<Real>, width * kLanes<Real>, c + first * kLanes<Real>, ldc,
                                  accumulate || k > 0);
  }
}

template <class Real>
void multiply_transposed(Count rows, Count columns, const Real* a, Count lda, const Real* b, Count ldb, Count vectors,
                         Real* g, Count ldg) {
  const Count panels = panel_count(vectors, TORSOR_PANEL_VECTORS);
  for (Count r = 0; r < rows; r += kReduceChunk) {
    const Count n = rows - r < kReduceChunk ? rows - r : kReduceChunk;
    for (Count p = 0; p < panels; ++p) {
      const Count first = panel_begin(p, panels, vectors), width = panel_begin(p + 1, panels, vectors) - first;
      multiply_panel<Real, true>(width, columns, n, a + r * lda, lda, b + r * ldb + first * kLanes<Real>, ldb,
                                 g + first * kLanes<Real>, ldg, true);
    }
  }
}

template <class Real>
void add_rows(Count rows, const Real* a, Count lda, Count vectors, Real* sum) {
  for (Count j = 0; j < vectors * kLanes<Real>; j += kLanes<Real>) {
    Vector<Real> total = load(sum + j);
    for (Count r = 0; r < rows; ++r) total += load(a + r * lda + j);
    store(sum + j, total);
  }
}

template <class Real>
void outer_product(Count channels, Count outputs, const Real* dz, Count ldz, Count inputs, const Real* h, Count ldh,
                   Real* out, Count stride) {
  using Unaligned = typename Vectors<Real>::Unaligned;
  const Count whole = inputs - inputs % kLanes<Real>;
  for (Count o = 0; o < outputs; ++o) {
    Real* row = out + o * stride;
    for (Count i = 0; i < whole; i += kLanes<Real>) {
      Vector<Real> sum{};
      for (Count c = 0; c < channels; ++c) sum += broadcast(dz[c * ldz + o]) * load(h + c * ldh + i);
      *reinterpret_cast<Unaligned*>(row + i) = sum;
    }
    for (Count i = whole; i < inputs; ++i) {
      Real sum = 0;
      for (Count c = 0; c < channels; ++c) sum += dz[c * ldz + o] * h[c * ldh + i];
      row[i] = sum;
    }
  }
}

template <class Real>
void sine_cosine_rows(Count vectors, const Real* x, Real* sines, Real* cosines) {
  for (Count j = 0; j < vectors * kLanes<Real>; j += kLanes<Real>) {
    const SineCosine<Real> at = sine_cosine<Real>(load(x + j));
    store(sines + j, at.sine);
    store(cosines + j, at.cosine);
  }
}

template <class Real>
constexpr KernelTable<Real> make_table() {
  return {TORSOR_KERNEL_NAME,
          kLanes<Real>,
          TORSOR_PANEL_VECTORS,
          multiply<Real>,
          multiply_transposed<Real>,
          add_rows<Real>,
          {activate<Tanh<Real>>, activate<Sine<Real>>, activate<Swish<Real>>, activate<Softplus<Real>>},
          {activate_reverse<Tanh<Real>>, activate_reverse<Sine<Real>>, activate_reverse<Swish<Real>>,
           activate_reverse<Softplus<Real>>},
          outer_product<Real>,
          sine_cosine_rows<Real>};
}

}  // namespace

// External linkage, which a constant needs said.
extern const KernelTable<double> TORSOR_KERNELS(double);
extern const KernelTable<float> TORSOR_KERNELS(float);
const KernelTable<double> TORSOR_KERNELS(double) = make_table<double>();
const KernelTable<float> TORSOR_KERNELS(float) = make_table<float>();

}  // namespace torsor::engine
