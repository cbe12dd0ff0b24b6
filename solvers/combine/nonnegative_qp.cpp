#include "solvers/combine/nonnegative_qp.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <limits>
#include <vector>

#include "solvers/combine/gram.h"

namespace torsor {
namespace {

// Gains below this, in units of the right side, are rounding errors.
constexpr double kSmallestGain = 1e-13;

// Solves Q_PP z_P = c_P for the passive set P; z is zero elsewhere.
Eigen::VectorXd solve_passive(const Eigen::MatrixXd& q, const Eigen::VectorXd& c, const std::vector<Index>& passive) {
  const Eigen::MatrixXd block = q(passive, passive);
  const Eigen::VectorXd z = block.ldlt().solve(Eigen::VectorXd(c(passive)));
  Eigen::VectorXd all = Eigen::VectorXd::Zero(c.size());
  for (size_t k = 0; k < passive.size(); ++k) all[passive[k]] = z[static_cast<Index>(k)];
  return all;
}

// Moves s towards z until the first entry would change sign, and takes what became zero out of the passive set.
void step_and_drop(const Eigen::VectorXd& z, std::vector<Index>& passive, Eigen::VectorXd& s) {
  double length = 1;
  Index first = -1;
  for (const Index i : passive) {
    if (z[i] > 0) continue;
    const double reach = s[i] / (s[i] - z[i]);
    if (first < 0 || reach < length) length = reach, first = i;
  }
  s += length * (z - s);
  s[first] = 0;
  std::erase_if(passive, [&](Index i) { return s[i] <= 0; });
}

}  // namespace

Eigen::VectorXd nonnegative_least_squares(const Eigen::MatrixXd& q, const Eigen::VectorXd& c) {
  const Index m = c.size();
  const double tolerance = kSmallestGain * c.cwiseAbs().maxCoeff();
  Eigen::VectorXd s = Eigen::VectorXd::Zero(m);
  std::vector<Index> passive;
  std::vector<bool> refused(static_cast<size_t>(m), false);
  for (Index round = 0; round < 20 * m; ++round) {
    const Eigen::VectorXd gain = c - q * s;
    Index best = -1;
    for (Index i = 0; i < m; ++i)
      if (s[i] == 0 && !refused[static_cast<size_t>(i)] && gain[i] > tolerance && (best < 0 || gain[i] > gain[best]))
        best = i;
    if (best < 0) break;
    passive.push_back(best);
    Eigen::VectorXd z = solve_passive(q, c, passive);
    // A gain that does not lead to a positive weight comes from rounding in a dependent column.
    if (!(z[best] > 0) || !z.allFinite()) {
      passive.pop_back();
      refused[static_cast<size_t>(best)] = true;
      continue;
    }
    while (!passive.empty()) {
      const bool inside = std::all_of(passive.begin(), passive.end(), [&](Index i) { return z[i] > 0; });
      if (inside) {
        s = z;
        break;
      }
      step_and_drop(z, passive, s);
      z = solve_passive(q, c, passive);
    }
    std::fill(refused.begin(), refused.end(), false);
  }
  return s;
}

// With unit gradients, C their cosines, h_i = 1 / |g_i| (scaled to a maximum of one) and b_i = a_i |g_i|, the problem is
//   min b^T C b  over b >= 0, h^T b = 1,   with the conditions  C b = k h + (something >= 0, complementary to b).
// The solution s of min s^T (C + h h^T) s / 2 - h^T s over s >= 0 fulfils them with k = (1 - h^T s) / (h^T s).
Eigen::VectorXd least_norm_weights(const Eigen::MatrixXd& gram) {
  const UnitGram unit(gram);
  if (unit.size() == 0) return Eigen::VectorXd::Zero(gram.rows());
  const Eigen::VectorXd h = unit.norms.minCoeff() * unit.norms.cwiseInverse();
  const Eigen::VectorXd s = nonnegative_least_squares(unit.cosines + h * h.transpose(), h);
  return unit.weights_of_gradients(s / s.cwiseQuotient(unit.norms).sum(), gram.rows());
}

// y = G (u + s) with s >= 0 and A (u + s) >= 0, complementary: the conditions of min (u + s)^T A (u + s) / 2.
Eigen::VectorXd dual_cone_weights(const Eigen::MatrixXd& gram, const Eigen::VectorXd& u) {
  const UnitGram unit(gram);
  if (unit.size() == 0) return u;
  const Eigen::VectorXd lengths = Eigen::VectorXd(u(unit.tasks)).cwiseProduct(unit.norms);
  const double scale = lengths.cwiseAbs().maxCoeff();
  if (scale == 0) return u;
  const Eigen::VectorXd s = nonnegative_least_squares(unit.cosines, -(unit.cosines * lengths) / scale);
  return u + unit.weights_of_gradients(scale * s, gram.rows());
}

}  // namespace torsor
