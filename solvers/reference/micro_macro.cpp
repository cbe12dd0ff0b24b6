#include "solvers/reference/micro_macro.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "physics/error.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::VectorXd;

// rho at the nodes, g at midpoints x velocities; also their time derivatives.
struct State {
  ArrayXd rho;
  ArrayXXd g;
};

State operator+(const State& a, const State& b) {
  return {a.rho + b.rho, a.g + b.g};
}
State operator-(const State& a, const State& b) {
  return {a.rho - b.rho, a.g - b.g};
}
State operator*(double c, const State& a) {
  return {c * a.rho, c * a.g};
}

// ARS(2,2,2): the last stage is the new value.
const double kGamma = 1.0 - std::sqrt(0.5);
const double kDelta = 1.0 - 0.5 / kGamma;

class MicroMacro {
 public:
  MicroMacro(const TransportProblem& problem, const TransportOptions& options)
      : problem_(problem),
        n_(options.cells),
        h_((problem.b - problem.a) / options.cells),
        set_(double_gauss_velocities(options.half_range_nodes)),
        x_(VectorXd::LinSpaced(n_ + 1, problem.a, problem.b).head(problem.periodic ? n_ : n_ + 1)) {
    const VectorXd mid = (VectorXd::LinSpaced(n_, 0.5, n_ - 0.5) * h_).array() + problem.a;
    scattering_ = coefficient_values("scattering", problem.scattering, mid);
    g_absorption_ = coefficient_values("absorption", problem.absorption, mid);
    absorption_ = coefficient_values("absorption", problem.absorption, x_);
    source_ = coefficient_values("source", problem.source, x_, true);
    const VectorXd positive = set_.nodes.cwiseMax(0.0);
    mean_positive_ = set_.moment(positive);
  }

  const VectorXd& x() const { return x_; }
  const VelocitySet& velocities() const { return set_; }

  // From von Neumann's analysis at constant sigma_S, with a margin of a tenth or more: the limit is 0.95 eps
  // h for eps > h/2 sigma_S, at least 0.34 sigma_S h^2, and 0.85 sigma_S h^2 once eps < 0.05 sigma_S h.
  double largest_step() const {
    const double diffusive = scattering_.minCoeff() * h_ * h_, ballistic = problem_.eps * h_;
    return ballistic < 0.05 * diffusive ? 0.75 * diffusive : std::max(0.3 * diffusive, 0.85 * ballistic);
  }

  State initial() const {
    const VectorXd mid = (VectorXd::LinSpaced(n_, 0.5, n_ - 0.5) * h_).array() + problem_.a;
    const ArrayXXd f = initial_distribution(problem_, mid, set_);
    const ArrayXd mean = set_.moments(f.matrix()).array();
    return {set_.moments(initial_distribution(problem_, x_, set_).matrix()).array(),
            (f.colwise() - mean) / problem_.eps};
  }

  // Lemou and Mieussens' step: g first, rho with the new g.
  State first_step(double t, double dt, const State& u) const {
    State next{u.rho, u.g + dt * streaming(t, u)};
    relax_g(dt, u.rho, next.g);
    next.rho += dt * divergence(next.g);
    relax_rho(t + dt, dt, next.rho);
    return next;
  }

  State step(double t, double dt, const State& u) const {
    const double implicit = kGamma * dt;
    const State e1 = explicit_part(t, u);
    const State start = u + implicit * e1;
    const State middle = relaxed(t + implicit, implicit, start);
    // The implicit part at the middle stage is what its relaxation changed.
    const State relaxation = (1.0 / implicit) * (middle - start);
    const State e2 = explicit_part(t + implicit, middle);
    return relaxed(t + dt, implicit,
                   u + dt * (kDelta * e1 + (1.0 - kDelta) * e2 + (1.0 - kGamma) * relaxation));
  }

  TransportSnapshot snapshot(double t, const State& u) const {
    const ArrayXXd g = at_nodes(t, u);
    const ArrayXXd f = (problem_.eps * g).colwise() + u.rho;
    return {t, u.rho.matrix(), set_.moments(g.matrix(), 1), f.matrix()};
  }

 private:
  double inflow(double t, Index m) const {
    const double v = set_.nodes(m);
    return v > 0.0 ? problem_.inflow_left(t, v) : problem_.inflow_right(t, v);
  }

  // -(1/eps) (I - Pi) v g_x at the midpoints.
  ArrayXXd streaming(double t, const State& u) const {
    ArrayXXd result(n_, set_.size());
    for (Index m = 0; m < set_.size(); ++m) {
      const ArrayXd face = upwind(t, u, m);
      result.col(m) = -set_.nodes(m) / (problem_.eps * h_) * (face.tail(n_) - face.head(n_));
    }
    const ArrayXd mean = set_.moments(result.matrix()).array();
    result.colwise() -= mean;
    return result;
  }

  // g of velocity m at the n + 1 nodes, from the side it comes from.
  ArrayXd upwind(double t, const State& u, Index m) const {
    const bool forward = set_.nodes(m) > 0.0;
    // Along the direction of flight.
    const ArrayXd g = forward ? ArrayXd(u.g.col(m)) : ArrayXd(u.g.col(m).reverse());
    ArrayXd face(n_ + 1);
    if (problem_.periodic) {
      face(1) = g(0) + 0.25 * (g(1) - g(n_ - 1));
      face(n_) = g(n_ - 1) + 0.25 * (g(0) - g(n_ - 2));
      face(0) = face(n_);
    } else {
      face(0) = (inflow(t, m) - (forward ? u.rho(0) : u.rho(n_))) / problem_.eps;
      face(1) = 0.5 * (g(0) + g(1));
      face(n_) = 1.5 * g(n_ - 1) - 0.5 * g(n_ - 2);
    }
    face.segment(2, n_ - 2) = g.segment(1, n_ - 2) + 0.25 * (g.tail(n_ - 2) - g.head(n_ - 2));
    if (forward) return face;
    return face.reverse();
  }

  // -<v g>_x at the nodes; at a wall the part that relax_rho has not taken.
  ArrayXd divergence(const ArrayXXd& g) const {
    const ArrayXd flux = set_.moments(g.matrix(), 1).array();
    ArrayXd result(x_.size());
    result.segment(1, n_ - 1) = -(flux.tail(n_ - 1) - flux.head(n_ - 1)) / h_;
    if (problem_.periodic) {
      result(0) = -(flux(0) - flux(n_ - 1)) / h_;
    } else {
      // Half cells: 2/h times the difference of the fluxes at the midpoint and at the wall.
      result(0) = -2.0 / h_ * (flux(0) - outgoing_flux(g, true));
      result(n_) = -2.0 / h_ * (outgoing_flux(g, false) - flux(n_ - 1));
    }
    return result;
  }

  // <v g> at a wall over the outgoing velocities.
  double outgoing_flux(const ArrayXXd& g, bool left) const {
    const Index first = left ? 0 : n_ - 1, second = left ? 1 : n_ - 2;
    const Index half = set_.size() / 2;
    const Index start = left ? 0 : half;
    const ArrayXd wall = (1.5 * g.row(first) - 0.5 * g.row(second)).transpose().segment(start, half);
    return ((set_.weights.array() * set_.nodes.array()).segment(start, half) * wall).sum();
  }

  // <|v| F> over the incoming velocities.
  double incoming_flux(double t, bool left) const {
    const Index half = set_.size() / 2;
    double flux = 0.0;
    for (Index m = left ? half : 0; m < (left ? 2 * half : half); ++m)
      flux += set_.weights(m) * std::abs(set_.nodes(m)) * inflow(t, m);
    return flux;
  }

  State explicit_part(double t, const State& u) const { return {divergence(u.g), streaming(t, u)}; }

  // Solves u' = u + dt (implicit part at u'), where the part of g needs the new rho.
  State relaxed(double t, double dt, State u) const {
    relax_rho(t, dt, u.rho);
    relax_g(dt, u.rho, u.g);
    return u;
  }

  // rho' = rho + dt (-sigma_A rho' + Q), at walls also + dt 2/(h eps) (<|v| F> - <|v|> rho').
  void relax_rho(double t, double dt, ArrayXd& rho) const {
    ArrayXd decay = absorption_, gain = source_;
    if (!problem_.periodic) {
      const double rate = 2.0 / (h_ * problem_.eps);
      for (bool left : {true, false}) {
        const Index wall = left ? 0 : n_;
        decay(wall) += rate * mean_positive_;
        gain(wall) += rate * incoming_flux(t, left);
      }
    }
    rho = (rho + dt * gain) / (1.0 + dt * decay);
  }

  // g' = g - dt/eps^2 (v rho_x + sigma_S g') - dt sigma_A g'.
  void relax_g(double dt, const ArrayXd& rho, ArrayXXd& g) const {
    const double stiff = dt / (problem_.eps * problem_.eps);
    const ArrayXd divisor = 1.0 + stiff * scattering_ + dt * g_absorption_;
    ArrayXd slope(n_);
    slope.head(n_ - 1) = (rho.segment(1, n_ - 1) - rho.head(n_ - 1)) / h_;
    slope(n_ - 1) = ((problem_.periodic ? rho(0) : rho(n_)) - rho(n_ - 1)) / h_;
    for (Index m = 0; m < set_.size(); ++m) g.col(m) = (g.col(m) - stiff * set_.nodes(m) * slope) / divisor;
  }

  // g at the nodes, by means inside; at walls the incoming data and the extrapolated rest.
  ArrayXXd at_nodes(double t, const State& u) const {
    ArrayXXd g(x_.size(), set_.size());
    g.middleRows(1, n_ - 1) = 0.5 * (u.g.topRows(n_ - 1) + u.g.bottomRows(n_ - 1));
    if (problem_.periodic) {
      g.row(0) = 0.5 * (u.g.row(0) + u.g.row(n_ - 1));
      return g;
    }
    const Index half = set_.size() / 2;
    for (Index m = 0; m < set_.size(); ++m) {
      const ArrayXd face = upwind(t, u, m);
      g(0, m) = m < half ? 1.5 * u.g(0, m) - 0.5 * u.g(1, m) : face(0);
      g(n_, m) = m < half ? face(n_) : 1.5 * u.g(n_ - 1, m) - 0.5 * u.g(n_ - 2, m);
    }
    return g;
  }

  const TransportProblem& problem_;
  Index n_;
  double h_;
  VelocitySet set_;
  VectorXd x_;
  ArrayXd scattering_, g_absorption_;  // at the midpoints
  ArrayXd absorption_, source_;        // at the nodes
  double mean_positive_ = 0.0;         // <max(v, 0)>
};

}  // namespace

TransportSolution solve_micro_macro(const TransportProblem& problem, const TransportOptions& options) {
  check_transport("micro_macro", problem, options);
  const Clock::time_point start = Clock::now();
  const MicroMacro scheme(problem, options);
  TransportSolution solution;
  solution.x = scheme.x();
  solution.velocities = scheme.velocities();
  State u = scheme.initial();
  const auto step = [&](double t, double dt) {
    // The start is of first order, and short for that.
    const double ahead = solution.time_steps == 0 ? dt / 16.0 : 0.0;
    if (ahead > 0.0) u = scheme.first_step(t, ahead, u);
    u = scheme.step(t + ahead, dt - ahead, u);
  };
  march_transport("micro_macro", options, scheme.largest_step(), step, [&](double t) { return scheme.snapshot(t, u); },
                  solution);
  solution.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return solution;
}

}  // namespace torsor
