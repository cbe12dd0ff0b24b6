// Problems for the Volterra equation of periodic transport (transport_volterra.h): sigma_S constant, no absorption, no
// source. A constant sigma_S is taken into units: with eps' = eps/sigma_S and t' = t/sigma_S the equation is the one
// with sigma_S = 1, and j = j'/sigma_S.
//
// The modes are the Fourier modes of f0 at the velocity nodes, between them its polynomial in v. The solver keeps v
// continuous: where the Problem's nodes are too few for <f>, the two differ, and error_estimate says by how much.
//
// Up to t = 40 eps^2, where every value is an integral over the past, the amplitudes of the modes are tabulated at the
// Chebyshev times of pieces as short as the solver's; later they are formulas.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <numbers>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/fourier.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_form.h"
#include "solvers/reference/transport_volterra.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr int kDegree = 20;            // of the pieces of the table
constexpr double kPhase = 4.0;         // (1 + eps k) times the length of a piece over eps^2, as in the solver
constexpr double kNegligible = 1e-15;  // amplitudes relative to the largest

std::string obstacle(const Problem& problem) {
  if (const std::string reason = TransportForm::obstacle_on_line(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  if (form.steady()) return "it has no time";
  if (!form.periodic()) return "the space coordinate is not periodic";
  const MatrixXd medium = form.medium(probe_points(problem).col(problem.space().front()));
  const double sigma = medium(0, 0);
  if (!(sigma > 0.0) || (medium.col(0).array() - sigma).abs().maxCoeff() > 1e-10 * sigma)
    return "sigma_S must be constant and positive";
  if (medium.col(1).cwiseAbs().maxCoeff() > 1e-10 * sigma) return "there is absorption";
  if (medium.col(2).cwiseAbs().maxCoeff() > 1e-10 * sigma) return "there is a source";
  return {};
}

// f0 at the velocity nodes as Fourier modes: one row for each wave number 0, 1, ...
struct InitialModes {
  MatrixXcd rows;
  int nodes = 0;
  double tail = 0.0;  // the largest of the last third, relative to all
};

InitialModes modes_from(const TransportForm& form, int nodes) {
  const Coordinate& axis = form.space_axis();
  const MatrixXd values = form.initial(fourier_nodes(nodes, axis.low, axis.high));
  InitialModes modes{MatrixXcd::Zero((nodes + 1) / 2, values.cols()), nodes, 0.0};
  for (Index w = 0; w < modes.rows.rows(); ++w)
    for (Index j = 0; j < nodes; ++j) {
      // The phase modulo one turn first: no rounding of large angles.
      const double turn = static_cast<double>(w * j % nodes) / nodes;
      modes.rows.row(w) +=
          (w == 0 ? 1.0 : 2.0) / nodes * std::polar(1.0, -2.0 * std::numbers::pi * turn) * values.row(j);
    }
  const double largest = modes.rows.cwiseAbs().maxCoeff();
  const double last = modes.rows.bottomRows(modes.rows.rows() / 3).cwiseAbs().maxCoeff();
  modes.tail = largest > 0.0 ? last / largest : 0.0;
  return modes;
}

InitialModes initial_modes(const TransportForm& form, int cap) {
  InitialModes modes = modes_from(form, 32);
  while (modes.tail > 1e-14 && 2 * modes.nodes <= cap) modes = modes_from(form, 2 * modes.nodes);
  return modes;
}

std::vector<TransportMode> volterra_modes(const TransportForm& form, const InitialModes& initial) {
  const double negligible = kNegligible * initial.rows.cwiseAbs().maxCoeff();
  std::vector<TransportMode> modes;
  for (Index w = 0; w < initial.rows.rows(); ++w) {
    const VectorXcd values = initial.rows.row(w).transpose();
    if (values.cwiseAbs().maxCoeff() <= negligible) continue;
    modes.push_back({static_cast<int>(w), [form, values](double v) {
                       return Complex((form.between_velocities(VectorXd::Constant(1, v)) * values)(0));
                     }});
  }
  return modes;
}

// The modes' amplitudes, rho^, j^ and f^ at the nodes, at any time.
class Amplitudes {
 public:
  Amplitudes(const TransportVolterra& volterra, VectorXd nodes, double eps, double end)
      : volterra_(volterra), nodes_(std::move(nodes)) {
    end_ = std::min(end, volterra.memory());
    const VectorXd k = volterra.wave_numbers();
    const double kappa = k.size() > 0 ? eps * k.cwiseAbs().maxCoeff() : 0.0;
    const int pieces = std::max(1, static_cast<int>(std::ceil(end_ / (eps * eps) * (1.0 + kappa) / kPhase)));
    length_ = end_ / pieces;
    for (int p = 0; p < pieces; ++p) {
      const VectorXd times = chebyshev_nodes(kDegree, p * length_, p + 1 == pieces ? end_ : (p + 1) * length_);
      pieces_.emplace_back();
      for (const double t : times) pieces_.back().push_back(volterra.amplitudes(t, nodes_));
    }
  }

  MatrixXcd at(double t) const {
    if (t > end_) return volterra_.amplitudes(t, nodes_);
    const auto last = static_cast<Index>(pieces_.size()) - 1;
    const Index p = std::clamp<Index>(static_cast<Index>(t / length_), 0, last);
    const double start = static_cast<double>(p) * length_;
    const MatrixXd weights =
        chebyshev_interpolation(kDegree, start, p == last ? end_ : start + length_, VectorXd::Constant(1, t));
    const std::vector<MatrixXcd>& piece = pieces_[static_cast<size_t>(p)];
    MatrixXcd sum = weights(0, 0) * piece.front();
    for (size_t i = 1; i < piece.size(); ++i) sum += weights(0, static_cast<Index>(i)) * piece[i];
    return sum;
  }

 private:
  const TransportVolterra& volterra_;
  VectorXd nodes_;
  double end_ = 0.0, length_ = 1.0;
  std::vector<std::vector<MatrixXcd>> pieces_;  // of each piece, at its Chebyshev times
};

// Everything the solution needs when the solver is done.
struct Solved {
  TransportForm form;
  double sigma;
  TransportVolterra volterra;
  Amplitudes amplitudes;

  Solved(const TransportForm& of, double sigma_s, const std::vector<TransportMode>& modes)
      : form(of),
        sigma(sigma_s),
        volterra(of.space_axis().low, of.space_axis().high, of.eps() / sigma_s, modes, of.duration() / sigma_s),
        amplitudes(volterra, of.velocities().nodes.col(0), of.eps() / sigma_s, of.duration() / sigma_s) {}

  // rho, j and f at the nodes at points (x, t).
  MatrixXd evaluate(const MatrixXd& points) const {
    const VectorXd k = volterra.wave_numbers();
    MatrixXd values = MatrixXd::Zero(points.rows(), 2 + form.velocities().size());
    MatrixXcd now;
    for (Index i = 0; i < points.rows(); ++i) {
      const double t = std::clamp(points(i, 1) - form.start(), 0.0, form.duration());
      if (i == 0 || points(i, 1) != points(i - 1, 1)) now = amplitudes.at(t / sigma);
      for (Index m = 0; m < k.size(); ++m)
        values.row(i) += (std::polar(1.0, k(m) * (points(i, 0) - form.space_axis().low)) * now.row(m)).real();
    }
    values.col(1) /= sigma;
    return values;
  }
};

// How far the mean at the Problem's nodes is from the density, relative to max |f|, at a few points.
double velocity_misfit(const Solved& solved) {
  MatrixXd points = comparison_points(solved.form, 64, true);
  points.col(1).array() += solved.form.start();
  const MatrixXd values = solved.evaluate(points), f = values.rightCols(values.cols() - 2);
  const double largest = f.cwiseAbs().maxCoeff();
  return largest > 0.0 ? (f * solved.form.velocities().weights - values.col(0)).cwiseAbs().maxCoeff() / largest : 0.0;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TransportForm form(problem);
  const double sigma = form.medium(VectorXd::Constant(1, form.space_axis().low))(0, 0);
  const InitialModes initial =
      initial_modes(form, options.max_resolution > 0 ? std::max(32, options.max_resolution) : 512);
  const auto solved = std::make_shared<const Solved>(form, sigma, volterra_modes(form, initial));
  ReferenceSolution solution;
  solution.error_estimate = std::max({1e-14, initial.tail, velocity_misfit(*solved)});
  if (options.require_convergence && !(solution.error_estimate <= options.tolerance))
    throw NumericalError("transport-volterra: initial data at " + std::to_string(initial.nodes) +
                         " nodes and the mean over the velocity nodes leave a relative error of " +
                         scientific(solution.error_estimate) + ", tolerance " + scientific(options.tolerance));
  solution.evaluate = [problem, solved](const MatrixXd& points) {
    return solved->form.fields(solved->evaluate(space_time_columns(*problem, points)));
  };
  solution.detail = std::to_string(solved->volterra.wave_numbers().size()) + " Fourier modes";
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace

ReferenceAdapter transport_volterra_adapter() { return {"transport-volterra", obstacle, solve}; }

}  // namespace torsor
