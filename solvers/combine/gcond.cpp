// GCond: PCGrad with arbitration on accumulated gradients. a_i is task i's running mean gradient. While the two gradients
// p_i, p_j (at first the a_i) with the smallest cosine c have c < weak, an arbitrator names the winner w and loser l, and
//
//   p_w <- p_w - sin(x)            (p_w . p_l / |p_l|^2) p_l,
//   p_l <- p_l - sin(min(x, pi/2)) (p_w . p_l / |p_w|^2) p_w      (both at once),
//
// with x(c) from 0 at `weak` over pi/2 at `main` to pi at `critical`: slight conflicts are resolved by both in part, hard
// ones by the loser alone. Then d = p_1 + ... + p_m. The winner has the larger score
//
//   0.8 max(0, cos(p_i, a_i one step before)) + 0.2 strength_i,    strength = |p_i| / running mean of |a_i|, shared out,
//
// unless one task has won the last `dominance` conflicts: then the other one wins.
#include <algorithm>
#include <cmath>

#include "physics/error.h"
#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/random_stream.h"

namespace torsor {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kStability = 0.8, kStrength = 0.2;  // weights in the score
constexpr double kNormMemory = 0.95;                 // of the running mean norms
// |p|^2 below this fraction of the squares it is made of is rounding: what is left of opposite gradients.
constexpr double kCancelled = 1e-14;

struct GCondOptions {
  double memory, weak, main, critical, power;
  Index dominance, tasks_per_step;
};

class GradientConductor final : public Combiner {
 public:
  GradientConductor(const GCondOptions& options, std::uint64_t seed) : options_(options), seed_(seed) {}

  // Drawn from seed and step alone, so that asking twice gives one answer.
  std::vector<Index> wanted(Index step, Index m) override {
    if (options_.tasks_per_step == 0 || options_.tasks_per_step >= m) return {};
    RandomStream random(seed_ ^ (0x9e3779b97f4a7c15ull * static_cast<std::uint64_t>(step + 1)));
    std::vector<Index> tasks = random.permutation(m);
    tasks.resize(static_cast<size_t>(options_.tasks_per_step));
    std::sort(tasks.begin(), tasks.end());
    return tasks;
  }

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Eigen::MatrixXd before = means_;
    accumulate(tasks);
    const Eigen::MatrixXd gram = gram_matrix(means_);
    const bool first = before.size() == 0;
    const Index m = gram.rows();
    const Eigen::MatrixXd with_before = first ? Eigen::MatrixXd(Eigen::MatrixXd::Zero(m, m)) : products(means_, before);
    const Eigen::VectorXd norms_before =
        first ? Eigen::VectorXd(Eigen::VectorXd::Zero(m)) : Eigen::VectorXd(before.colwise().norm().transpose());
    follow_norms(gram.diagonal().cwiseSqrt());
    Combination result;
    result.direction = weighted_sum(means_, resolved({gram, with_before, norms_before}).rowwise().sum());
    check_finite(tasks, result);
    return result;
  }

  State state() const override {
    State state;
    state.set("means", means_);
    state.set("seen", Eigen::MatrixXd(seen_));
    state.set("mean_norms", Eigen::MatrixXd(mean_norms_));
    state.set("last_winner", static_cast<double>(last_winner_));
    state.set("wins", static_cast<double>(wins_));
    return state;
  }
  void restore(const State& state) override {
    means_ = state.matrix("means");
    seen_ = state.vector("seen");
    mean_norms_ = state.vector("mean_norms");
    last_winner_ = static_cast<Index>(state.number("last_winner"));
    wins_ = static_cast<Index>(state.number("wins"));
  }

 private:
  // Products of the accumulated gradients among themselves and with those of the step before.
  struct Products {
    Eigen::MatrixXd gram, with_before;
    Eigen::VectorXd norms_before;
  };

  // a_i as means with weights memory^age, which need no bias correction.
  void accumulate(const TaskGradients& tasks) {
    const Index m = tasks.gradients.cols();
    if (means_.size() == 0) {
      means_ = Eigen::MatrixXd::Zero(tasks.gradients.rows(), m);
      seen_ = Eigen::VectorXd::Zero(m);
    }
    std::vector<Index> active = wanted(tasks.step, m);
    if (active.empty())
      for (Index i = 0; i < m; ++i) active.push_back(i);
    for (const Index i : active) {
      seen_[i] = 1 + options_.memory * seen_[i];
      means_.col(i) += (tasks.gradients.col(i) - means_.col(i)) / seen_[i];
    }
  }

  void follow_norms(const Eigen::VectorXd& norms) {
    mean_norms_ =
        mean_norms_.size() == 0 ? norms : Eigen::VectorXd(kNormMemory * mean_norms_ + (1 - kNormMemory) * norms);
  }

  // Weights of the resolved gradients p_i as columns.
  Eigen::MatrixXd resolved(const Products& known) {
    const Index m = known.gram.rows();
    Eigen::MatrixXd p = Eigen::MatrixXd::Identity(m, m);
    for (Index round = 0; round < 2 * m; ++round) {
      const Eigen::MatrixXd dots = p.transpose() * known.gram * p;
      const auto [i, j, cosine] = worst_pair(dots, kCancelled * p.cwiseAbs2().transpose() * known.gram.diagonal());
      if (i < 0) break;
      const Index winner = arbitrate(i, j, p, dots, known);
      const Index loser = winner == i ? j : i;
      const double angle = conflict_angle(cosine);
      const Eigen::VectorXd part_w = std::sin(angle) * dots(i, j) / dots(loser, loser) * p.col(loser);
      const Eigen::VectorXd part_l =
          std::sin(std::min(angle, kPi / 2)) * dots(i, j) / dots(winner, winner) * p.col(winner);
      p.col(winner) -= part_w;
      p.col(loser) -= part_l;
    }
    return p;
  }

  struct Pair {
    Index i, j;
    double cosine;
  };
  Pair worst_pair(const Eigen::MatrixXd& dots, const Eigen::VectorXd& rounding) const {
    Pair worst{-1, -1, options_.weak};
    for (Index j = 0; j < dots.cols(); ++j) {
      for (Index i = 0; i < j; ++i) {
        if (!(dots(i, i) > rounding[i]) || !(dots(j, j) > rounding[j])) continue;
        const double cosine = dots(i, j) / std::sqrt(dots(i, i)) / std::sqrt(dots(j, j));
        if (cosine < worst.cosine) worst = {i, j, cosine};
      }
    }
    return worst;
  }

  double conflict_angle(double cosine) const {
    if (cosine >= options_.main) return kPi / 2 * (1 - (cosine - options_.main) / (options_.weak - options_.main));
    const double t = std::min(1.0, (cosine - options_.main) / (options_.critical - options_.main));
    return kPi / 2 * (1 + std::pow(t, options_.power));
  }

  Index arbitrate(Index i, Index j, const Eigen::MatrixXd& p, const Eigen::MatrixXd& dots, const Products& known) {
    Index winner = -1;
    if (options_.dominance > 0 && wins_ >= options_.dominance) {
      if (last_winner_ == i) winner = j;
      if (last_winner_ == j) winner = i;
    }
    if (winner < 0) winner = score(j, i, p, dots, known) > score(i, j, p, dots, known) ? j : i;
    wins_ = winner == last_winner_ ? wins_ + 1 : 1;
    last_winner_ = winner;
    return winner;
  }

  double score(Index i, Index other, const Eigen::MatrixXd& p, const Eigen::MatrixXd& dots,
               const Products& known) const {
    const double norm = std::sqrt(dots(i, i)), before = known.norms_before[i];
    const double stability = before > 0 ? p.col(i).dot(known.with_before.col(i)) / norm / before : 0;
    const double mine = norm / mean_norms_[i], theirs = std::sqrt(dots(other, other)) / mean_norms_[other];
    return kStability * std::max(0.0, stability) + kStrength * mine / (mine + theirs);
  }

  GCondOptions options_;
  std::uint64_t seed_;
  Eigen::MatrixXd means_;              // a_i as columns
  Eigen::VectorXd seen_, mean_norms_;  // total weight in a_i; running means of |a_i|
  Index last_winner_ = -1, wins_ = 0;  // who won the last conflict, and how many in a row
};

std::unique_ptr<Combiner> make(const OptionValues& values, std::uint64_t seed) {
  const GCondOptions options{.memory = values.real("memory"),
                             .weak = values.real("weak"),
                             .main = values.real("main"),
                             .critical = values.real("critical"),
                             .power = values.real("power"),
                             .dominance = values.integer("dominance"),
                             .tasks_per_step = values.integer("tasks_per_step")};
  if (!(options.critical < options.main && options.main < options.weak))
    throw InputError("the options of gcond must fulfil critical < main < weak");
  return std::make_unique<GradientConductor>(options, seed);
}

const RegisterCombiner registered({
    .name = "gcond",
    .title = "Gradient conductor (GCond)",
    .formula =
        R"(a_i = running mean of g_i, p_i = a_i; while the smallest cosine c of two p is < weak, winner w, loser l:
p_w <- p_w - sin(x) (p_w.p_l/|p_l|^2) p_l,   p_l <- p_l - sin(min(x, pi/2)) (p_w.p_l/|p_w|^2) p_w,   2 m times at most
x(c) = 0 at weak, pi/2 at main, pi at critical and below;   d = p_1 + ... + p_m)",
    .source =
        "GCond: gradient conflict resolution via accumulation-based stabilization (2025), and the authors' code (its "
        "smooth strategy)",
    .caveats =
        R"(The authors add up micro-batches before every step of the optimiser; here the running mean over steps takes
their place (memory = 0: this step's gradients alone). Their momentum and trust ratio are the optimiser's business and left
out. A task that has won `dominance` conflicts in a row loses the next one, as in their code; their text says the opposite.
tasks_per_step is our form of their stochastic mode.)",
    .options = {{"memory", "real", "0.9", "of the running mean gradients", "in [0, 1)"},
                {"weak", "real", "0", "cosine below which there is a conflict", "in [-1, 1]"},
                {"main", "real", "-0.5", "cosine below which the winner keeps more of its own", "in [-1, 1]"},
                {"critical", "real", "-0.8", "cosine below which the loser alone gives way", "in [-1, 1]"},
                {"power", "real", "2", "of the change between main and critical", "> 0"},
                {"dominance", "integer", "3", "conflicts won in a row after which the other task wins; 0: never",
                 ">= 0"},
                {"tasks_per_step", "integer", "0", "draw this many tasks in each step; 0: all", ">= 0"}},
    .make = make,
});

}  // namespace
}  // namespace torsor
