// Problems for the exact solution of periodic transport at discrete velocities, mode by mode (transport_modes.h): one
// or two space coordinates, sigma_S and sigma_A constant, no source. Units as in problem_transport_volterra.cpp: eps' =
// eps/sigma_S, t' = t/sigma_S; absorption is a factor exp(-sigma_A t).
//
// The velocities are the Problem's, so that nothing is left of the error but the Fourier modes of the initial data that
// the grid does not resolve: the estimate is the largest coefficient in the last third, relative to the largest of all.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "physics/error.h"
#include "solvers/reference/fourier.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_form.h"
#include "solvers/reference/transport_modes.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr int kFirstNodes = 16;
constexpr double kResolved = 1e-14;    // of the last third of the modes
constexpr double kNegligible = 1e-15;  // of a mode
constexpr double kRounding = 2e-16;

std::string obstacle(const Problem& problem) {
  if (const std::string reason = TransportForm::obstacle(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  if (form.steady()) return "it has no time";
  if (!form.periodic()) return "a space coordinate is not periodic";
  if (!has_mirror_images(form.velocities())) return "the velocities are not symmetric";
  const MatrixXd medium = form.medium(probe_points(problem)(Eigen::all, problem.space()));
  const double sigma = medium(0, 0);
  if (!(sigma > 0.0)) return "sigma_S must be positive";
  if ((medium.leftCols(2).rowwise() - medium.row(0).leftCols(2)).cwiseAbs().maxCoeff() > 1e-10 * sigma)
    return "sigma_S and sigma_A must be constant";
  if (medium.col(2).cwiseAbs().maxCoeff() > 1e-10 * sigma) return "there is a source";
  return {};
}

// The moments of f0 by Fourier modes; row i + n j belongs to the waves (i, j), taken modulo n.
struct InitialModes {
  int nodes = 0;
  MatrixXcd rows;
  double density = 0.0, deviation = 0.0;            // largest of l = 0 and of l >= 1
  double density_tail = 0.0, deviation_tail = 0.0;  // the same in the last third of the waves

  bool resolved() const {
    return density_tail <= kResolved * density &&
           deviation_tail <= std::max(kResolved * deviation, kRounding * density);
  }
};

int signed_wave(Index i, int nodes) { return static_cast<int>(i <= nodes / 2 ? i : i - nodes); }

void transform_axis(MatrixXcd& values, int nodes, Index stride) {
  Eigen::FFT<double> fft;
  VectorXcd line(nodes), modes;
  for (Index column = 0; column < values.cols(); ++column)
    for (Index start = 0; start < values.rows(); ++start) {
      if (start / stride % nodes != 0) continue;
      for (Index i = 0; i < nodes; ++i) line(i) = values(start + i * stride, column);
      fft.fwd(modes, line);
      for (Index i = 0; i < nodes; ++i) values(start + i * stride, column) = modes(i) / static_cast<double>(nodes);
    }
}

MatrixXd grid_of(const TransportForm& form, int nodes) {
  const VectorXd x = fourier_nodes(nodes, form.space_axis().low, form.space_axis().high);
  if (form.dimension() == 1) return x;
  const VectorXd y = fourier_nodes(nodes, form.space_axis(1).low, form.space_axis(1).high);
  MatrixXd grid(nodes * nodes, 2);
  for (Index j = 0; j < nodes; ++j) {
    grid.block(j * nodes, 0, nodes, 1) = x;
    grid.block(j * nodes, 1, nodes, 1).setConstant(y(j));
  }
  return grid;
}

InitialModes modes_from(const TransportForm& form, int nodes) {
  InitialModes modes;
  modes.nodes = nodes;
  modes.rows = form.initial_moments(grid_of(form, nodes)).cast<Complex>();
  transform_axis(modes.rows, nodes, 1);
  if (form.dimension() == 2) transform_axis(modes.rows, nodes, nodes);
  for (Index i = 0; i < modes.rows.rows(); ++i) {
    const int wave = std::max(std::abs(signed_wave(i % nodes, nodes)), std::abs(signed_wave(i / nodes, nodes)));
    const double density = std::abs(modes.rows(i, 0));
    const double deviation = modes.rows.row(i).tail(modes.rows.cols() - 1).cwiseAbs().maxCoeff();
    modes.density = std::max(modes.density, density);
    modes.deviation = std::max(modes.deviation, deviation);
    if (wave <= nodes / 3) continue;
    modes.density_tail = std::max(modes.density_tail, density);
    modes.deviation_tail = std::max(modes.deviation_tail, deviation);
  }
  return modes;
}

InitialModes initial_modes(const TransportForm& form, int most) {
  InitialModes modes = modes_from(form, std::min(kFirstNodes, most));
  while (!modes.resolved() && 2 * modes.nodes <= most) modes = modes_from(form, 2 * modes.nodes);
  return modes;
}

class Solved {
 public:
  Solved(const TransportForm& form, const InitialModes& initial, double scattering, double absorption)
      : form_(form), scattering_(scattering), absorption_(absorption) {
    const double rho = std::max(kNegligible * initial.density, initial.density_tail);
    // What the last third holds of the deviation is rounding of the data.
    const double deviation = std::max(kNegligible * std::max(initial.deviation, form.eps() * initial.density),
                                      2.0 * initial.deviation_tail);
    for (Index i = 0; i < initial.rows.rows(); ++i) {
      const VectorXcd row = initial.rows.row(i).transpose();
      if (std::abs(row(0)) <= rho && row.tail(row.size() - 1).cwiseAbs().maxCoeff() <= deviation) continue;
      add(signed_wave(i % initial.nodes, initial.nodes), signed_wave(i / initial.nodes, initial.nodes), row);
    }
  }

  size_t size() const { return modes_.size(); }

  // The moments at places (N x space coordinates) at one time.
  MatrixXd moments(const MatrixXd& places, double t) const {
    constexpr Index kPlaces = 2048;  // at once
    const Index n = form_.velocities().size();
    MatrixXcd now(static_cast<Index>(modes_.size()), n);
    for (Index k = 0; k < now.rows(); ++k)
      now.row(k) = std::exp(-absorption_ * t) * modes_[static_cast<size_t>(k)].moments(t / scattering_).transpose();
    MatrixXd values = MatrixXd::Zero(places.rows(), n);
    for (Index i = 0; i < places.rows(); i += kPlaces) {
      const Index count = std::min(kPlaces, places.rows() - i);
      const MatrixXd phases = places.middleRows(i, count) * waves_.leftCols(now.rows());
      values.middleRows(i, count) =
          phases.array().cos().matrix() * now.real() - phases.array().sin().matrix() * now.imag();
    }
    return values;
  }

 private:
  // Waves (i, j) and (-i, -j) are complex conjugate: one of them, twice.
  void add(int i, int j, const VectorXcd& row) {
    if (i < 0 || (i == 0 && j < 0)) return;
    VectorXd wave(form_.dimension());
    Complex shift = i == 0 && j == 0 ? 1.0 : 2.0;
    for (Index c = 0; c < wave.size(); ++c) {
      const Coordinate& axis = form_.space_axis(c);
      wave(c) = 2.0 * std::numbers::pi * (c == 0 ? i : j) / (axis.high - axis.low);
      shift *= std::polar(1.0, -wave(c) * axis.low);
    }
    if (static_cast<Index>(modes_.size()) >= waves_.cols())
      waves_.conservativeResize(wave.size(), std::max<Index>(16, 2 * waves_.cols()));
    waves_.col(static_cast<Index>(modes_.size())) = wave;
    modes_.emplace_back(form_.velocities(), form_.eps() / scattering_, wave, shift * row);
  }

  TransportForm form_;
  double scattering_, absorption_;
  MatrixXd waves_;  // one in each column; more columns than modes
  std::vector<OrdinatesMode> modes_;
};

// Points by their time.
std::map<double, std::vector<Index>> by_time(const Problem& problem, const MatrixXd& points) {
  std::map<double, std::vector<Index>> groups;
  for (Index i = 0; i < points.rows(); ++i) groups[points(i, problem.time())].push_back(i);
  return groups;
}

MatrixXd evaluate(const Problem& problem, const TransportForm& form, const Solved& solved, const MatrixXd& points) {
  if (points.cols() != problem.dimension())
    throw InputError("the reference solution takes points with " + std::to_string(problem.dimension()) +
                     " columns, not " + std::to_string(points.cols()));
  MatrixXd fields(points.rows(), static_cast<Index>(problem.fields.size()));
  for (const auto& [t, rows] : by_time(problem, points))
    fields(rows, Eigen::all) = form.fields_of_moments(
        solved.moments(points(rows, problem.space()), std::clamp(t - form.start(), 0.0, form.duration())));
  return fields;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TransportForm form(problem);
  const MatrixXd medium = form.medium(probe_points(*problem)(Eigen::all, problem->space()));
  const int standard = form.dimension() == 1 ? 1024 : 256;
  const int most = options.max_resolution > 0 ? std::max(8, options.max_resolution) : standard;
  const InitialModes initial = initial_modes(form, most);
  const double largest = std::max(initial.density, initial.deviation);
  ReferenceSolution solution;
  solution.error_estimate = std::max(
      kResolved, largest > 0.0 ? std::max(initial.density_tail, initial.deviation_tail) / largest : 0.0);
  if (options.require_convergence && !(solution.error_estimate <= options.tolerance))
    throw NumericalError("transport-modes: initial data at " + std::to_string(initial.nodes) +
                         " nodes of each coordinate leave a relative error of " + scientific(solution.error_estimate) +
                         ", tolerance " + scientific(options.tolerance));
  const auto solved = std::make_shared<const Solved>(form, initial, medium(0, 0), medium(0, 1));
  solution.evaluate = [problem, form, solved](const MatrixXd& points) {
    return evaluate(*problem, form, *solved, points);
  };
  solution.detail = std::to_string(solved->size()) + " Fourier modes";
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace

ReferenceAdapter transport_modes_adapter() { return {"transport-modes", obstacle, solve}; }

}  // namespace torsor
