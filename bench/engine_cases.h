// Loss and gradient by all weights of the residuals in bench/peers/operators.py with the derivative engine: what
// engine_worker and engine_benchmark time.
#pragma once

#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "operators/engine/jet_engine.h"

namespace torsor::bench {

inline const double kHalfRoot3 = std::sqrt(0.75);

/// r(jets) of one point and its adjoint. Jets are channels x outputs in the order of the request.
template <class Real>
using PointResidual = void (*)(const Real* jets, Index outputs, Real* residuals, Real* adjoints, Real scale);

struct Operator {
  Index coordinates, outputs;
  JetRequest request;
};

/// Linear combinations with one output.
template <class Real, int channels>
void linear(const Real* jets, const Real (&factors)[channels], Real right, Real* residuals, Real* adjoints, Real scale) {
  Real r = -right;
  for (int c = 0; c < channels; ++c) r += factors[c] * jets[c];
  residuals[0] = r;
  for (int c = 0; c < channels; ++c) adjoints[c] = 2 * scale * r * factors[c];
}

template <class Real>
void laplacian(const Real* jets, Index, Real* residuals, Real* adjoints, Real scale) {
  linear<Real, 1>(jets, {1}, 1, residuals, adjoints, scale);
}

template <class Real>
void wave(const Real* jets, Index, Real* residuals, Real* adjoints, Real scale) {
  linear<Real, 2>(jets, {1, -1}, 0, residuals, adjoints, scale);
}

// Lap^2 u = 8/9 (d_0^4 + d_60^4 + d_120^4) u along three directions 60 degrees apart.
template <class Real>
void biharmonic(const Real* jets, Index, Real* residuals, Real* adjoints, Real scale) {
  constexpr Real factor = Real(8) / 9;
  linear<Real, 3>(jets, {factor, factor, factor}, 1, residuals, adjoints, scale);
}

template <class Real>
void burgers(const Real* jets, Index, Real* residuals, Real* adjoints, Real scale) {
  constexpr Real nu = Real(0.01);
  const Real u = jets[0], u_t = jets[1], u_x = jets[2], u_xx = jets[3];
  const Real r = u_t + u * u_x - nu * u_xx;
  residuals[0] = r;
  adjoints[0] = 2 * scale * r * u_x;
  adjoints[1] = 2 * scale * r;
  adjoints[2] = 2 * scale * r * u;
  adjoints[3] = -2 * scale * r * nu;
}

// f_t + v f_x + f - mean f, one output for each velocity.
template <class Real>
void transport(const Real* jets, Index outputs, Real* residuals, Real* adjoints, Real scale) {
  const Real *f = jets, *f_t = jets + outputs, *f_x = jets + 2 * outputs;
  Real mean = 0, sum = 0;
  for (Index k = 0; k < outputs; ++k) mean += f[k];
  mean /= static_cast<Real>(outputs);
  const auto velocity = [outputs](Index k) { return (2 * static_cast<Real>(k) + 1) / static_cast<Real>(outputs) - 1; };
  for (Index k = 0; k < outputs; ++k) {
    const Real r = f_t[k] + velocity(k) * f_x[k] + f[k] - mean;
    residuals[k] = r;
    sum += r;
    adjoints[k] = adjoints[outputs + k] = 2 * scale * r;
    adjoints[2 * outputs + k] = 2 * scale * r * velocity(k);
  }
  for (Index k = 0; k < outputs; ++k) adjoints[k] -= 2 * scale * sum / static_cast<Real>(outputs);
}

inline const std::map<std::string, Operator>& operators() {
  static const std::map<std::string, Operator> all{
      {"laplacian", {2, 1, {{}, {0, 1}}}},
      {"laplacian-3d", {3, 1, {{}, {0, 1, 2}}}},
      {"burgers", {2, 1, {{{0, 0}, {1, 0}, {0, 1}, {0, 2}}, {}}}},
      {"wave", {2, 1, {{{2, 0}, {0, 2}}, {}}}},
      {"biharmonic", {3, 1, {{{4, 0, 0}, {0, 4, 0}, {0, 0, 4}}, {}}}},
      {"transport", {2, 32, {{{0, 0}, {1, 0}, {0, 1}}, {}}}},
  };
  return all;
}

template <class Real>
PointResidual<Real> residual_of(const std::string& name) {
  static const std::map<std::string, PointResidual<Real>> all{
      {"laplacian", laplacian<Real>}, {"laplacian-3d", laplacian<Real>}, {"burgers", burgers<Real>},
      {"wave", wave<Real>},           {"biharmonic", biharmonic<Real>},  {"transport", transport<Real>}};
  return all.at(name);
}

inline std::vector<double> read_numbers(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<double> values(static_cast<size_t>(file.tellg()) / sizeof(double));
  file.seekg(0).read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(double)));
  return values;
}

class Case {
 public:
  virtual ~Case() = default;
  virtual double loss_and_gradient() = 0;
  virtual double gradient_norm() const = 0;
};

template <class Real>
class TypedCase : public Case {
 public:
  TypedCase(const std::string& name, Index width, Index depth, const std::vector<double>& weights,
            std::vector<double> points)
      : residual_(residual_of<Real>(name)),
        outputs_(operators().at(name).outputs),
        engine_(shape_of(name, width, depth), operators().at(name).request),
        weights_(weights.begin(), weights.end()),
        gradient_(weights.size()) {
    if (name == "biharmonic") points = along_directions(points);
    points_.assign(points.begin(), points.end());
  }

  double loss_and_gradient() override {
    const auto channels = engine_.request().channels();
    const Index count = static_cast<Index>(points_.size()) / engine_.shape().coordinates;
    const JetBatch<Real> batch{count, points_.data()};
    const Real scale = 1 / static_cast<Real>(count * outputs_);
    double loss;
    engine_.value_and_gradients(
        batch, weights_.data(),
        [&](const JetBlock<Real>& block) {
          Real residuals[32];
          for (Index k = 0; k < block.count; ++k) {
            const Index at = k * channels * outputs_;
            residual_(block.jets + at, outputs_, residuals, block.adjoints + at, scale);
            block.losses[k] = 0;
            for (Index o = 0; o < outputs_; ++o) block.losses[k] += residuals[o] * residuals[o] * scale;
          }
        },
        &loss, gradient_.data());
    return loss;
  }

  double gradient_norm() const override {
    double sum = 0;
    for (const Real g : gradient_) sum += static_cast<double>(g) * g;
    return std::sqrt(sum);
  }

 private:
  static NetworkShape shape_of(const std::string& name, Index width, Index depth) {
    const Operator& op = operators().at(name);
    NetworkShape shape;
    shape.coordinates = op.coordinates;
    shape.widths.assign(static_cast<size_t>(depth), width);
    shape.outputs = op.outputs;
    shape.inputs = raw_inputs(Eigen::VectorXd::Zero(op.coordinates));
    // The engine's coordinates are lengths along the three directions; x and y are combinations of them.
    if (name == "biharmonic")
      shape.inputs = {{InputColumn::Kind::linear, Eigen::Vector3d(1, 0.5, -0.5), 0},
                      {InputColumn::Kind::linear, Eigen::Vector3d(0, kHalfRoot3, kHalfRoot3), 0}};
    return shape;
  }

  static std::vector<double> along_directions(const std::vector<double>& points) {
    std::vector<double> result;
    for (size_t k = 0; k < points.size(); k += 2) {
      const double second = points[k + 1] / kHalfRoot3;
      result.insert(result.end(), {points[k] - second / 2, second, 0});
    }
    return result;
  }

  PointResidual<Real> residual_;
  Index outputs_;
  JetEngine<Real> engine_;
  std::vector<Real> weights_, points_, gradient_;
};

/// "float32" or "float64".
inline std::unique_ptr<Case> make_case(const std::string& type, const std::string& name, Index width, Index depth,
                                       const std::vector<double>& weights, const std::vector<double>& points) {
  if (type == "float32") return std::make_unique<TypedCase<float>>(name, width, depth, weights, points);
  return std::make_unique<TypedCase<double>>(name, width, depth, weights, points);
}

}  // namespace torsor::bench
