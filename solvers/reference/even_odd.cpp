#include "solvers/reference/even_odd.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::VectorXd;

// Cells x velocities v > 0.
struct Parities {
  ArrayXXd r, j;
};

// int_0^t exp(-p (t - s)) exp(-q s) ds for rates p, q >= 0: one of them may be huge.
double convolved_decay(double p, double q, double t) {
  const double slow = std::min(p, q), gap = std::abs(p - q);
  if (gap * t == 0.0) return t * std::exp(-slow * t);
  return std::exp(-slow * t) * -std::expm1(-gap * t) / gap;
}

// Van Leer's limited slope times the cell, from the differences on both sides.
double limited(double behind, double ahead) {
  const double product = behind * ahead;
  return product > 0.0 ? 2.0 * product / (behind + ahead) : 0.0;
}

class EvenOdd {
 public:
  EvenOdd(const TransportProblem& problem, const TransportOptions& options)
      : problem_(problem),
        n_(options.cells),
        h_((problem.b - problem.a) / options.cells),
        root_phi_(std::min(1.0, 1.0 / problem.eps)),
        half_(half_range_velocities(options.half_range_nodes)),
        x_((VectorXd::LinSpaced(n_, 0.5, n_ - 0.5) * h_).array() + problem.a),
        rate_(coefficient_values("scattering", problem.scattering, x_) / (problem.eps * problem.eps)),
        absorption_(coefficient_values("absorption", problem.absorption, x_)),
        source_(coefficient_values("source", problem.source, x_, true)) {}

  const VectorXd& x() const { return x_; }

  // Advection allows h/sqrt(phi); the diffusive limit 3/2 sigma h^2.
  double largest_step() const {
    const double sigma = rate_.minCoeff() * problem_.eps * problem_.eps;
    return 0.4 * std::min(h_ / root_phi_, std::max(1.5 * sigma * h_ * h_, problem_.eps * h_));
  }

  Parities initial(const VelocitySet& full) const {
    const ArrayXXd f = initial_distribution(problem_, x_, full);
    const Index n = half_.size();
    const ArrayXXd forward = f.rightCols(n), backward = f.leftCols(n).rowwise().reverse();
    return {0.5 * (forward + backward), (0.5 / problem_.eps) * (forward - backward)};
  }

  // The scattering steps' factors depend on the step alone.
  void set_step(double dt) {
    if (dt == dt_) return;
    dt_ = dt;
    const double t = 0.5 * dt;
    decay_ = (-rate_ * t).exp();
    own_.resize(n_);
    left_.resize(n_);
    right_.resize(n_);
    for (Index i = 0; i < n_; ++i) {
      own_(i) = convolved_decay(rate_(i), 0.0, t);
      left_(i) = convolved_decay(rate_(i), rate_(neighbour(i, -1)), t);
      right_(i) = convolved_decay(rate_(i), rate_(neighbour(i, 1)), t);
    }
    fade_ = (-absorption_ * t).exp();
    gain_ = source_;
    for (Index i = 0; i < n_; ++i) gain_(i) *= convolved_decay(absorption_(i), 0.0, t);
  }

  void step(double t, Parities& u) const {
    absorb(u);
    scatter(t, u);
    advect(t + 0.5 * dt_, u);
    scatter(t + dt_, u);
    absorb(u);
  }

  TransportSnapshot snapshot(double t, const Parities& u) const {
    const Index n = half_.size();
    Eigen::MatrixXd f(n_, 2 * n);
    f.rightCols(n) = (u.r + problem_.eps * u.j).matrix();
    f.leftCols(n) = (u.r - problem_.eps * u.j).rowwise().reverse().matrix();
    return {t, half_.moments(u.r.matrix()), half_.moments(u.j.matrix(), 1), f};
  }

 private:
  Index neighbour(Index i, int side) const {
    if (problem_.periodic) return (i + side + n_) % n_;
    return std::clamp<Index>(i + side, 0, n_ - 1);
  }

  // Half a step of r_t = -sigma_A r + Q, j_t = -sigma_A j.
  void absorb(Parities& u) const {
    u.r.colwise() *= fade_;
    u.r.colwise() += gain_;
    u.j.colwise() *= fade_;
  }

  // Half a step of r_t = rate (rho - r), j_t = -rate j - c v r_x: rho stays, r - rho decays, and both enter j
  // through the central difference, each neighbour with its own rate.
  void scatter(double t, Parities& u) const {
    const ArrayXd rho = half_.moments(u.r.matrix()).array();
    const double c = 1.0 / (problem_.eps * problem_.eps) - root_phi_ * root_phi_;
    for (Index m = 0; m < half_.size(); ++m) {
      const double factor = c * half_.nodes(m) / (2.0 * h_);
      const ArrayXd r = with_ghosts(t, u, m), excess = r.segment(1, n_) - rho;
      ArrayXd increase(n_);
      for (Index i = 0; i < n_; ++i) {
        const bool inner_left = problem_.periodic || i > 0, inner_right = problem_.periodic || i + 1 < n_;
        const double below = inner_left ? excess(neighbour(i, -1)) : 0.0;
        const double above = inner_right ? excess(neighbour(i, 1)) : 0.0;
        // The values at ghosts are held.
        increase(i) = own_(i) * (r(i + 2) - above - (r(i) - below)) + right_(i) * above - left_(i) * below;
      }
      u.j.col(m) = decay_ * u.j.col(m) - factor * increase;
      u.r.col(m) = rho + decay_ * excess;
    }
  }

  // r of velocity m with a ghost on both sides.
  ArrayXd with_ghosts(double t, const Parities& u, Index m) const {
    ArrayXd r(n_ + 2);
    r.segment(1, n_) = u.r.col(m);
    if (problem_.periodic) {
      r(0) = u.r(n_ - 1, m);
      r(n_ + 1) = u.r(0, m);
      return r;
    }
    for (bool left : {true, false}) {
      const Index cell = left ? 0 : n_ - 1;
      const Wall w = wall(t, u, m, left);
      r(left ? 0 : n_ + 1) = (w.incoming + w.outgoing) - u.r(cell, m);  // 2 r_wall - r
    }
    return r;
  }

  // The two waves r +- j/sqrt(phi) at a wall: the outgoing one extrapolated, the incoming one from
  // r + eps j = F (at the left; r - eps j = F at the right), which for eps -> 0 is r = F.
  struct Wall {
    double incoming, outgoing;
  };
  Wall wall(double t, const Parities& u, Index m, bool left) const {
    const double sign = left ? -1.0 : 1.0, v = half_.nodes(m);
    const Index first = left ? 0 : n_ - 1, second = left ? 1 : n_ - 2;
    const auto wave = [&](Index i) { return u.r(i, m) + sign * u.j(i, m) / root_phi_; };
    const double outgoing = 1.5 * wave(first) - 0.5 * wave(second);
    const double data = left ? problem_.inflow_left(t, v) : problem_.inflow_right(t, -v);
    const double ratio = problem_.eps * root_phi_;
    return {(2.0 * data - (1.0 - ratio) * outgoing) / (1.0 + ratio), outgoing};
  }

  // A step of r_t + v j_x = 0, j_t + phi v r_x = 0, with the inflow at its middle t.
  void advect(double t, Parities& u) const {
    for (Index m = 0; m < half_.size(); ++m) {
      const double c = half_.nodes(m) * root_phi_ * dt_ / h_;
      const Wall left = problem_.periodic ? Wall{} : wall(t, u, m, true);
      const Wall right = problem_.periodic ? Wall{} : wall(t, u, m, false);
      const ArrayXd plus = moved(u.r.col(m) + u.j.col(m) / root_phi_, c, left.incoming);
      const ArrayXd minus =
          moved((u.r.col(m) - u.j.col(m) / root_phi_).reverse(), c, right.incoming).reverse();
      u.r.col(m) = 0.5 * (plus + minus);
      u.j.col(m) = 0.5 * root_phi_ * (plus - minus);
    }
  }

  // w after a step with Courant number c to the right; `inflow` enters at the first face.
  ArrayXd moved(const ArrayXd& w, double c, double inflow) const {
    ArrayXd flux(n_ + 1);
    for (Index i = 0; i < n_; ++i) {
      const bool first = i == 0, last = i + 1 == n_;
      double behind = w(i) - w(neighbour(i, -1)), ahead = w(neighbour(i, 1)) - w(i);
      if (!problem_.periodic && first) behind = 2.0 * (w(i) - inflow);  // half a cell away
      if (!problem_.periodic && last) ahead = behind;
      flux(i + 1) = w(i) + 0.5 * (1.0 - c) * limited(behind, ahead);
    }
    flux(0) = problem_.periodic ? flux(n_) : inflow;
    return w - c * (flux.tail(n_) - flux.head(n_));
  }

  const TransportProblem& problem_;
  Index n_;
  double h_, root_phi_;
  VelocitySet half_;
  VectorXd x_;
  ArrayXd rate_, absorption_, source_;  // sigma_S/eps^2, sigma_A, Q at the centres
  double dt_ = -1.0;
  ArrayXd decay_, own_, left_, right_, fade_, gain_;  // of half a step
};

}  // namespace

TransportSolution solve_even_odd(const TransportProblem& problem, const TransportOptions& options) {
  check_transport("even_odd", problem, options);
  const Clock::time_point start = Clock::now();
  EvenOdd scheme(problem, options);
  TransportSolution solution;
  solution.x = scheme.x();
  solution.velocities = double_gauss_velocities(options.half_range_nodes);
  Parities u = scheme.initial(solution.velocities);
  const auto step = [&](double t, double dt) {
    scheme.set_step(dt);
    scheme.step(t, u);
  };
  march_transport("even_odd", options, scheme.largest_step(), step, [&](double t) { return scheme.snapshot(t, u); },
                  solution);
  solution.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return solution;
}

}  // namespace torsor
