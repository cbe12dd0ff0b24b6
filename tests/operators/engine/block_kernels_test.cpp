// The kernels' elementary functions against the standard library, their matrix products against Eigen, and
// the choice of the instruction set.
#include <new>

#include "../body_checks.h"
#include "operators/activation.h"
#include "operators/engine/kernel_table.h"

namespace torsor {
namespace {

using engine::Count;

/// Memory that begins at cache lines, as the kernels demand.
template <class Real>
struct LineAllocator {
  using value_type = Real;
  LineAllocator() = default;
  template <class Other>
  LineAllocator(const LineAllocator<Other>&) {}
  Real* allocate(size_t n) {
    return static_cast<Real*>(::operator new(n * sizeof(Real), std::align_val_t(64)));
  }
  void deallocate(Real* p, size_t) { ::operator delete(p, std::align_val_t(64)); }
  bool operator==(const LineAllocator&) const = default;
};

template <class Real>
using Aligned = std::vector<Real, LineAllocator<Real>>;

template <class Real>
std::vector<const engine::KernelTable<Real>*> all_kernels() {
  std::vector<const engine::KernelTable<Real>*> tables;
  for (const auto& name : engine::instruction_sets()) {
    engine::force_instruction_set(name);
    tables.push_back(&engine::kernels<Real>());
  }
  engine::force_instruction_set("");
  return tables;
}

/// s(z) by the kernel at many arguments, tiny, ordinary and huge ones of both signs.
template <class Real>
struct Evaluated {
  Aligned<Real> arguments, values;
};

template <class Real>
Evaluated<Real> evaluate(const engine::KernelTable<Real>& kernel, Activation activation, double greatest) {
  constexpr Count kCount = 4096, kLeast = -12;
  Evaluated<Real> result{Aligned<Real>(kCount), Aligned<Real>(kCount)};
  Random random(3);
  for (Real& x : result.arguments) {
    const double size = std::pow(10.0, random.uniform(kLeast, std::log10(greatest)));
    x = static_cast<Real>(random.uniform() < 0.5 ? -size : size);
  }
  Aligned<Real> z = result.arguments, state(kCount), bias(kCount, Real(0));
  kernel.activate[static_cast<size_t>(activation)](engine::ChannelPlan{},
                                                   {1, kCount / kernel.lanes, kCount, z.data(), state.data()},
                                                   bias.data(), nullptr, result.values.data());
  return result;
}

double exact(Activation activation, double z) {
  const long double x = z;
  switch (activation) {
    case Activation::tanh:
      return static_cast<double>(std::tanh(x));
    case Activation::sine:
      return static_cast<double>(std::sin(x));
    case Activation::swish:
      return static_cast<double>(x / (1 + std::exp(-x)));
    case Activation::softplus:
      return static_cast<double>(std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))));
  }
  return NAN;
}

template <class Real>
void expect_accurate() {
  const double epsilon = std::numeric_limits<Real>::epsilon();
  for (const auto* kernel : all_kernels<Real>())
    for (const auto& name : activation_names()) {
      const Activation activation = activation_from_name(name);
      const bool sine = activation == Activation::sine;
      const auto at = evaluate(*kernel, activation, sine ? 3e3 : 70);
      double worst = 0;
      for (size_t k = 0; k < at.arguments.size(); ++k) {
        const double expected = exact(activation, static_cast<double>(at.arguments[k]));
        const double scale = sine ? 1 : std::abs(expected);  // near the zeros of the sine: of 1
        worst = std::max(worst, std::abs(static_cast<double>(at.values[k]) - expected) / (scale * epsilon));
      }
      EXPECT_LT(worst, 4) << kernel->name << ", " << name << ": units of rounding";
    }
}

TEST(BlockKernels, ActivationsAreExactToAFewUnitsInFloat64) {
  expect_accurate<double>();
}
TEST(BlockKernels, ActivationsAreExactToAFewUnitsInFloat32) {
  expect_accurate<float>();
}

TEST(BlockKernels, ActivationsSaturateWithoutOverflow) {
  for (const auto* kernel : all_kernels<double>())
    for (const double size : {1e3, 1e300, static_cast<double>(INFINITY)}) {
      Aligned<double> z(8, -size), state(8), bias(8, 0.0), h(8);
      const auto value = [&](Activation activation, double at) {
        std::fill(z.begin(), z.end(), at);
        kernel->activate[static_cast<size_t>(activation)](
            engine::ChannelPlan{}, {1, 1, 8, z.data(), state.data()}, bias.data(), nullptr, h.data());
        return h[0];
      };
      EXPECT_EQ(value(Activation::tanh, size), 1);
      EXPECT_EQ(value(Activation::tanh, -size), -1);
      EXPECT_EQ(value(Activation::softplus, size), size);
      EXPECT_NEAR(value(Activation::softplus, -size), 0, 1e-300);
      EXPECT_EQ(value(Activation::swish, size), size);
      if (std::isfinite(size)) {
        EXPECT_NEAR(value(Activation::swish, -size), 0, 1e-6);
      }
    }
}

template <class Real>
struct AlignedMatrix {
  static constexpr Index kStride = 128;
  Aligned<Real> data;
  Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> map;

  explicit AlignedMatrix(Index rows)
      : data(static_cast<size_t>(rows * kStride)), map(data.data(), rows, kStride) {}
};

template <class Real>
void expect_products(double tolerance) {
  constexpr Count kStride = AlignedMatrix<Real>::kStride, kDepth = 13;
  for (const auto* kernel : all_kernels<Real>())
    for (const Count rows : {1, 5, 6, 7, 70})
      for (const Count columns : {1, 3, 8, 24, 65}) {
        const Count vectors = (columns + kernel->lanes - 1) / kernel->lanes;
        AlignedMatrix<Real> a(rows), b(rows), g(kDepth), sum(1);
        a.map.setRandom();
        b.map.setRandom();
        kernel->multiply_transposed(rows, kDepth, a.data.data(), kStride, b.data.data(), kStride, vectors,
                                    g.data.data(), kStride);
        const auto left = a.map.leftCols(kDepth), right = b.map.leftCols(columns);
        EXPECT_LT((g.map.leftCols(columns) - left.transpose() * right).cwiseAbs().maxCoeff(), tolerance)
            << kernel->name;
        kernel->add_rows(rows, b.data.data(), kStride, vectors, sum.data.data());
        EXPECT_LT((sum.map.leftCols(columns) - right.colwise().sum()).cwiseAbs().maxCoeff(), tolerance);
      }
}

TEST(BlockKernels, ProductsAgreeWithEigen) {
  expect_products<double>(1e-13);
  expect_products<float>(1e-4);
}

TEST(BlockKernels, AnUnknownInstructionSetIsAnError) {
  EXPECT_NE(error_of([] { engine::force_instruction_set("sse9"); }).find("unknown instruction set 'sse9'"),
            std::string::npos);
  EXPECT_EQ(engine::instruction_set(), engine::instruction_sets().back());
}

}  // namespace
}  // namespace torsor
