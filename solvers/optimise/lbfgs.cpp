// Limited-memory BFGS with a Wolfe line search: d = -H g, H from the last `history` pairs (s_i, y_i) by two loops,
//
//     q = g;    for i = newest ... oldest:  a_i = r_i s_i^T q,  q <- q - a_i y_i           r_i = 1 / y_i^T s_i
//     q <- q (s^T y / y^T y of the newest pair)
//     for i = oldest ... newest:  q <- q + s_i (a_i - r_i y_i^T q);          d = -q.
//
// Sources: Nocedal, Math. Comp. 35 (1980) 773-782; Liu, Nocedal, Math. Program. 45 (1989) 503-528;
// Nocedal, Wright, Numerical Optimization, 2nd ed., algorithm 7.4.
#include <deque>

#include "solvers/optimise/quasi_newton.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

class Lbfgs final : public QuasiNewton {
 public:
  Lbfgs(const QuasiNewtonOptions& options, size_t history) : QuasiNewton(options), history_(history) {}

 protected:
  VectorXd direction(const VectorXd& gradient) override {
    VectorXd q = gradient;
    std::vector<double> a(pairs_.size());
    for (size_t i = pairs_.size(); i-- > 0;) {
      a[i] = pairs_[i].s.dot(q) / pairs_[i].product;
      q -= a[i] * pairs_[i].y;
    }
    if (!pairs_.empty()) q *= pairs_.back().product / pairs_.back().y.squaredNorm();
    for (size_t i = 0; i < pairs_.size(); ++i) q += pairs_[i].s * (a[i] - pairs_[i].y.dot(q) / pairs_[i].product);
    return -q;
  }

  bool is_fresh() const override { return pairs_.empty(); }

  void learn(const Displacement& step) override {
    if (pairs_.size() == history_) pairs_.pop_front();
    pairs_.push_back({step.s, step.y, step.y.dot(step.s)});
  }

  void forget() override { pairs_.clear(); }

  State memory() const override {
    const Index rows = pairs_.empty() ? 0 : pairs_.front().s.size();
    MatrixXd s(rows, static_cast<Index>(pairs_.size())), y(s.rows(), s.cols());
    for (size_t i = 0; i < pairs_.size(); ++i) {
      s.col(static_cast<Index>(i)) = pairs_[i].s;
      y.col(static_cast<Index>(i)) = pairs_[i].y;
    }
    State state;
    state.set("s", s);
    state.set("y", y);
    return state;
  }

  void restore_memory(const State& memory) override {
    const MatrixXd &s = memory.matrix("s"), &y = memory.matrix("y");
    pairs_.clear();
    for (Index i = 0; i < s.cols(); ++i) {
      Pair pair{s.col(i), y.col(i), 0};
      pair.product = pair.y.dot(pair.s);
      pairs_.push_back(std::move(pair));
    }
  }

 private:
  struct Pair {
    VectorXd s, y;
    double product;  // y^T s
  };

  size_t history_;
  std::deque<Pair> pairs_;  // oldest first
};

std::vector<Option> options() {
  std::vector<Option> list{{"history", "integer", "50", "pairs (s, y) that are remembered", ">= 1"}};
  for (const Option& option : quasi_newton_options()) list.push_back(option);
  return list;
}

const RegisterOptimiser registration({
    .name = "lbfgs",
    .title = "Limited-memory BFGS with strong Wolfe line search",
    .formula = "x <- x + t d,  d = -H g by the two-loop recursion over the last `history` pairs (s, y),\n"
               "H0 = s^T y / y^T y,  t with  f(x + t d) <= f(x) + c1 t g^T d,  |g(x + t d)^T d| <= c2 |g^T d|",
    .source = "Liu, Nocedal, Math. Program. 45 (1989) 503-528; Nocedal, Wright, Numerical Optimization, 2nd ed., "
              "algorithms 7.4, 3.5, 3.6; Hager, Zhang, SIAM J. Optim. 16 (2005) 170-192 (conditions within rounding)",
    .caveats = "For fixed training points: with points drawn anew in each step y measures the draw. After a failed line "
               "search it forgets its pairs once and tries the negative gradient; when that fails too it stops and says "
               "why. In losses with derivatives full-matrix methods (ssbroyden, gauss-newton) reach far smaller values.",
    .options = options(),
    .make = [](const OptionValues& values, const std::vector<std::pair<Index, Index>>&) -> std::unique_ptr<Optimiser> {
      const long history = values.integer("history");
      return std::make_unique<Lbfgs>(make_quasi_newton_options("lbfgs", values), static_cast<size_t>(history));
    },
});

}  // namespace
}  // namespace torsor
