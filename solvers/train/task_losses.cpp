#include "solvers/train/task_losses.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "physics/error.h"
#include "physics/exponential_jets.h"
#include "physics/multi_index.h"
#include "problems/term_program.h"
#include "solvers/train/field_engine.h"

namespace torsor {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index kJacobianRows = 512;  // held at a time

/// The network's derivatives that a jet may be made of: itself, or all up to it where a constraint or Fourier modes
/// multiply the network or the field is its exponential.
std::vector<MultiIndex> members_of(const FieldJet& jet, const TaskNetwork& network) {
  if (network.constraint(0, jet.field) || network.positive(jet.field) || network.modes()) return lower_closure({jet.orders});
  return {jet.orders};
}

/// Whether a derivative of the network is zero because a periodic coordinate is in the modes only.
bool is_zero(const MultiIndex& orders, const TaskNetwork& network) {
  return network.modes() && network.modes()->differentiates(orders);
}

/// Those that are evaluated.
std::vector<MultiIndex> parts_of(const FieldJet& jet, const TaskNetwork& network) {
  auto parts = members_of(jet, network);
  std::erase_if(parts, [&](const MultiIndex& orders) { return is_zero(orders, network); });
  return parts;
}

std::vector<MultiIndex> derivatives_of(const Term& term, const TaskNetwork& network) {
  std::vector<MultiIndex> result;
  for (const auto& jet : term.jets)
    for (auto& part : parts_of(jet, network))
      if (std::find(result.begin(), result.end(), part) == result.end()) result.push_back(std::move(part));
  std::sort(result.begin(), result.end());
  return result;
}

Index channel_of(const std::vector<MultiIndex>& derivatives, const MultiIndex& orders) {
  return std::find(derivatives.begin(), derivatives.end(), orders) - derivatives.begin();
}

/// w_k, which is 1 where a set has no weights.
double weight_at(const PointSet& set, Index k) { return set.weights.size() > 0 ? set.weights[k] : 1.0; }

/// The jets of one set's term from the network's: J_c = lift_c + sum over its parts of factor times the network's jet n_p,
/// or that of exp(n) where the field is positive.
class TermJets {
 public:
  TermJets(const PointSet& set, const Term& term, const TaskNetwork& network,
           const std::vector<MultiIndex>& derivatives) {
    for (size_t c = 0; c < term.jets.size(); ++c)
      for (Index mode = 0; mode < network.mode_count(); ++mode)
        add_parts(static_cast<Index>(c), mode, set, term, network, derivatives);
    add_lifts(set, term, network);
  }

  /// From the network's jets (count x columns) at points first ... of the set to those of the term.
  template <class Jets>
  Eigen::MatrixXd of(const Jets& network, Index first, Index jets) const {
    const Index count = network.rows();
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(count, jets);
    if (lift_.size() > 0) result = lift_.middleRows(first, count);
    std::vector<Eigen::ArrayXXd> exponentials;
    for (const Exponential& e : exponentials_) exponentials.push_back(e.jets.of(e.taken_from(network)));
    for (const Part& part : parts_) {
      const auto add = [&](const auto& source) {
        if (part.factor.size() == 0)
          result.col(part.jet).array() += source;
        else
          result.col(part.jet).array() += part.factor.segment(first, count) * source;
      };
      if (part.exponential == kNone)
        add(network.col(part.source).array());
      else
        add(exponentials[part.exponential].col(part.source));
    }
    return result;
  }

  /// Adds to the derivatives by the network's jets, at points first ..., those by the term's: the transposed derivative
  /// of the map at these jets.
  template <class Jets, class Adjoints>
  void add_adjoint(const Jets& network, const Eigen::MatrixXd& by_term, Index first, Adjoints& by_network) const {
    const Index count = by_term.rows();
    std::vector<Eigen::ArrayXXd> by_exponential;
    for (const Exponential& e : exponentials_)
      by_exponential.push_back(Eigen::ArrayXXd::Zero(count, static_cast<Index>(e.columns.size())));
    for (const Part& part : parts_) {
      const auto add = [&](auto&& adjoint) {
        if (part.factor.size() == 0)
          adjoint += by_term.col(part.jet).array();
        else
          adjoint += part.factor.segment(first, count) * by_term.col(part.jet).array();
      };
      if (part.exponential == kNone)
        add(by_network.col(part.source).array());
      else
        add(by_exponential[part.exponential].col(part.source));
    }
    for (size_t i = 0; i < exponentials_.size(); ++i) exponentials_[i].add_adjoint(network, by_exponential[i], by_network);
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  /// A positive field's derivatives up to those that the term asks for, and the network's columns that they are made of.
  struct Exponential {
    Index field;
    ExponentialJets jets;
    std::vector<Index> columns;

    template <class Jets>
    Eigen::ArrayXXd taken_from(const Jets& network) const {
      Eigen::ArrayXXd n(network.rows(), static_cast<Index>(columns.size()));
      for (size_t c = 0; c < columns.size(); ++c) n.col(static_cast<Index>(c)) = network.col(columns[c]).array();
      return n;
    }
    template <class Jets, class Adjoints>
    void add_adjoint(const Jets& network, Eigen::ArrayXXd by_e, Adjoints& by_network) const {
      const Eigen::ArrayXXd n = taken_from(network), by_n = jets.adjoint(n, jets.of(n), std::move(by_e));
      for (size_t c = 0; c < columns.size(); ++c) by_network.col(columns[c]).array() += by_n.col(static_cast<Index>(c));
    }
  };

  struct Part {
    Index jet, source;      ///< of the term; a column of a point's network jets (channels x outputs) or of an exponential
    size_t exponential;     ///< kNone: of the network
    Eigen::ArrayXd factor;  ///< at the set's points; empty: 1
  };

  /// What one mode of a jet's field (the only one without modes) adds to it.
  void add_parts(Index c, Index mode, const PointSet& set, const Term& term, const TaskNetwork& network,
                 const std::vector<MultiIndex>& derivatives) {
    const FieldJet& jet = term.jets[static_cast<size_t>(c)];
    const auto column = [&](const MultiIndex& orders) {
      return channel_of(derivatives, orders) * network.outputs() + network.output(set.task, jet.field, mode);
    };
    const auto exponential = network.positive(jet.field) ? exponential_of(term, jet.field, column) : kNone;
    const auto members = members_of(jet, network);
    const Eigen::MatrixXd factors = factors_of(set, jet, network, members, mode);
    for (size_t p = 0; p < members.size(); ++p) {
      if (is_zero(members[p], network)) continue;
      const Index source = exponential == kNone ? column(members[p])
                                                : find_index(exponentials_[exponential].jets.closure(), members[p]);
      if (factors.size() > 0)
        parts_.push_back({c, source, exponential, factors.col(static_cast<Index>(p))});
      else if (members[p] == jet.orders)
        parts_.push_back({c, source, exponential, {}});
    }
  }

  template <class Column>
  size_t exponential_of(const Term& term, Index field, const Column& column) {
    const auto known = std::find_if(exponentials_.begin(), exponentials_.end(),
                                    [field](const Exponential& e) { return e.field == field; });
    if (known != exponentials_.end()) return static_cast<size_t>(known - exponentials_.begin());
    std::vector<MultiIndex> asked;
    for (const auto& jet : term.jets)
      if (jet.field == field) asked.push_back(jet.orders);
    Exponential e{field, ExponentialJets(lower_closure(asked)), {}};
    for (const auto& orders : e.jets.closure()) e.columns.push_back(column(orders));
    exponentials_.push_back(std::move(e));
    return exponentials_.size() - 1;
  }

  /// Of every part of a jet, at the set's points: constraint times mode; empty without either.
  static Eigen::MatrixXd factors_of(const PointSet& set, const FieldJet& jet, const TaskNetwork& network,
                                    const std::vector<MultiIndex>& members, Index mode) {
    const HardConstraint* constraint = network.constraint(set.task, jet.field);
    if (!constraint && !network.modes()) return {};
    Eigen::MatrixXd factor;
    if (network.modes()) factor = network.modes()->jets(set.points, mode, members);
    if (constraint) {
      const Eigen::MatrixXd of_constraint = constraint->factor(set.points, members);
      factor = network.modes() ? product_jets(members, members, of_constraint, factor) : of_constraint;
    }
    return multiply_operator({jet.orders}, Eigen::MatrixXd::Ones(set.points.rows(), 1), members, factor);
  }

  void add_lifts(const PointSet& set, const Term& term, const TaskNetwork& network) {
    for (size_t c = 0; c < term.jets.size(); ++c) {
      const HardConstraint* constraint = network.constraint(set.task, term.jets[c].field);
      if (!constraint) continue;
      if (lift_.size() == 0) lift_ = Eigen::MatrixXd::Zero(set.points.rows(), static_cast<Index>(term.jets.size()));
      lift_.col(static_cast<Index>(c)) = constraint->lift(set.points, {term.jets[c].orders});
    }
  }

  std::vector<Exponential> exponentials_;
  std::vector<Part> parts_;
  Eigen::MatrixXd lift_;  // points x jets; empty: 0
};

}  // namespace

/// Stretches of points that ask for the same derivatives, one after the other. At a stretch's points one set is evaluated,
/// or several that share them.
struct TaskLosses::Batch {
  struct Member {
    Index set;  ///< entry of sets_
    TermProgram program;
    TermJets jets;
  };
  Index jets;  ///< at a point: derivatives x outputs
  std::unique_ptr<const FieldEngine> engine;
  std::vector<std::vector<Member>> stretches;
  std::vector<Index> first;  ///< where a stretch's points begin; one more: the number of points
  RowMajor points, constants;

  Batch(const TaskNetwork& network, const std::vector<MultiIndex>& derivatives)
      : jets(static_cast<Index>(derivatives.size()) * network.outputs()), engine(make_field_engine(network, {derivatives, {}})) {}

  Index count() const { return points.rows(); }
  JetBatch<double> jet_batch(Index begin, Index number) const {
    return {number, points.data() + begin * points.cols(), constants.data() + begin * constants.cols(), nullptr, 1};
  }
  /// The stretch that a point belongs to.
  size_t stretch_of(Index point) const {
    return static_cast<size_t>(std::upper_bound(first.begin(), first.end(), point) - first.begin()) - 1;
  }
  Index size(size_t stretch) const { return first[stretch + 1] - first[stretch]; }
};

TaskLosses::TaskLosses(const std::vector<Problem>& tasks, const TaskNetwork& network)
    : tasks_(tasks), network_(network) {
  for (const auto& term : tasks.front().terms) {
    try {
      const JetPlan plan({derivatives_of(term, network), {}}, network.shape().coordinates);
    } catch (const InputError& error) {
      throw InputError("term '" + term.name + "' (" + term.text + ") cannot be trained: " + error.what());
    }
  }
}

TaskLosses::~TaskLosses() = default;

/// The sets that share their points: those of one task and group at the same points.
std::vector<std::vector<Index>> TaskLosses::stretches() const {
  std::vector<std::vector<Index>> result;
  for (size_t s = 0; s < sets_.size(); ++s) {
    const auto shared = std::find_if(result.begin(), result.end(), [&](const std::vector<Index>& stretch) {
      const auto other = static_cast<size_t>(stretch.front());
      return !groups_.empty() && groups_[other] == groups_[s] && sets_[other].task == sets_[s].task &&
             sets_[other].points.rows() == sets_[s].points.rows() && sets_[other].points == sets_[s].points;
    });
    if (shared == result.end())
      result.push_back({static_cast<Index>(s)});
    else
      shared->push_back(static_cast<Index>(s));
  }
  return result;
}

void TaskLosses::set_points(std::vector<PointSet> sets, std::vector<Index> groups) {
  sets_ = std::move(sets);
  groups_ = std::move(groups);
  make_batches();
}

void TaskLosses::share_points(std::vector<Index> groups) {
  if (groups == groups_) return;
  groups_ = std::move(groups);
  make_batches();
}

void TaskLosses::make_batches() {
  std::map<std::vector<MultiIndex>, std::vector<std::vector<Index>>> alike;
  for (const auto& stretch : stretches()) {
    std::vector<MultiIndex> derivatives;
    for (const Index s : stretch)
      for (auto& orders : derivatives_of(term_of(sets_[static_cast<size_t>(s)]), network_))
        if (std::find(derivatives.begin(), derivatives.end(), orders) == derivatives.end())
          derivatives.push_back(std::move(orders));
    std::sort(derivatives.begin(), derivatives.end());
    alike[derivatives].push_back(stretch);
  }
  batches_.clear();
  for (const auto& [derivatives, members] : alike) batches_.push_back(make_batch(derivatives, members));
}

std::unique_ptr<TaskLosses::Batch> TaskLosses::make_batch(const std::vector<MultiIndex>& derivatives,
                                                          const std::vector<std::vector<Index>>& stretches) const {
  auto batch = std::make_unique<Batch>(network_, derivatives);
  Index count = 0;
  for (const auto& stretch : stretches) {
    auto& members = batch->stretches.emplace_back();
    for (const Index s : stretch) {
      const PointSet& set = sets_[static_cast<size_t>(s)];
      members.push_back({s, TermProgram(tasks_[static_cast<size_t>(set.task)], term_of(set), set.points, set.normals),
                         TermJets(set, term_of(set), network_, derivatives)});
    }
    batch->first.push_back(count);
    count += sets_[static_cast<size_t>(stretch.front())].points.rows();
  }
  batch->first.push_back(count);
  batch->points.resize(count, network_.shape().coordinates);
  batch->constants.resize(count, network_.constants(0).size());
  for (size_t i = 0; i < stretches.size(); ++i) {
    const PointSet& set = sets_[static_cast<size_t>(stretches[i].front())];
    batch->points.middleRows(batch->first[i], set.points.rows()) = set.points;
    batch->constants.middleRows(batch->first[i], set.points.rows()).rowwise() = network_.constants(set.task).transpose();
  }
  return batch;
}

const Term& TaskLosses::term_of(const PointSet& set) const {
  return tasks_[static_cast<size_t>(set.task)].terms[static_cast<size_t>(set.term)];
}

std::string TaskLosses::name(Index set) const {
  const PointSet& s = sets_[static_cast<size_t>(set)];
  const std::string& term = tasks_.front().terms[static_cast<size_t>(s.term)].name;
  return tasks_.size() == 1 ? term : term + "." + std::to_string(s.task);
}

Index TaskLosses::residual_count() const {
  Index count = 0;
  for (const auto& set : sets_) count += set.points.rows();
  return count;
}

/// Residuals (count) of one set at its points begin ... from the network's jets there (count x jets, row by row) and,
/// unless null, their derivatives by the term's jets (count x jets of the term).
void TaskLosses::linearise(const Batch& batch, size_t stretch, size_t member, Index begin, Index count,
                           const double* jets, double* residuals, Eigen::MatrixXd* coefficients) const {
  const Batch::Member& own = batch.stretches[stretch][member];
  const PointSet& set = sets_[static_cast<size_t>(own.set)];
  const Term& term = term_of(set);
  const Eigen::Map<const RowMajor> all(jets, count, batch.jets);
  Eigen::Map<Eigen::VectorXd> residual(residuals, count);
  own.program.evaluate(begin, own.jets.of(all, begin, static_cast<Index>(term.jets.size())), residual, coefficients);
  if (residual.allFinite()) return;
  Index k = 0;
  while (std::isfinite(residual[k])) ++k;
  throw NumericalError("task " + std::to_string(set.task) + ": term '" + term.name + "' (" + term.text +
                       "): the residual is not finite at " +
                       point_text(tasks_[static_cast<size_t>(set.task)], set.points.row(begin + k)));
}

namespace {

double mean_square(const PointSet& set, const Eigen::VectorXd& residual) {
  const double sum = set.weights.size() > 0 ? residual.cwiseAbs2().dot(set.weights) : residual.squaredNorm();
  return sum / static_cast<double>(residual.size());
}

}  // namespace

Eigen::VectorXd TaskLosses::losses(const Eigen::VectorXd& parameters) const {
  const auto all = residuals(parameters);
  Eigen::VectorXd result(static_cast<Index>(sets_.size()));
  for (size_t s = 0; s < sets_.size(); ++s) result[static_cast<Index>(s)] = mean_square(sets_[s], all[s]);
  return result;
}

std::vector<Eigen::VectorXd> TaskLosses::residuals(const Eigen::VectorXd& parameters) const {
  std::vector<Eigen::VectorXd> result(sets_.size());
  for (const auto& batch : batches_) {
    RowMajor jets(batch->count(), batch->jets);
    batch->engine->jets(batch->jet_batch(0, batch->count()), parameters.data(), jets.data());
    for (size_t i = 0; i < batch->stretches.size(); ++i)
      for (size_t m = 0; m < batch->stretches[i].size(); ++m) {
        auto& own = result[static_cast<size_t>(batch->stretches[i][m].set)];
        own.resize(batch->size(i));
        linearise(*batch, i, m, 0, own.size(), jets.row(batch->first[i]).data(), own.data(), nullptr);
      }
  }
  return result;
}

TaskLosses::Gradients TaskLosses::gradients(const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
                                            const std::vector<Index>& group_of_set, Index groups) const {
  Gradients result{Eigen::VectorXd::Zero(static_cast<Index>(sets_.size())),
                   Eigen::MatrixXd::Zero(network_.size(), groups), std::vector<Eigen::VectorXd>(sets_.size())};
  for (size_t s = 0; s < sets_.size(); ++s)
    if (factors[static_cast<Index>(s)] != 0) result.residuals[s].resize(sets_[s].points.rows());
  for (const auto& batch : batches_) {
    std::vector<size_t> wanted;
    for (size_t i = 0; i < batch->stretches.size(); ++i) {
      const auto& members = batch->stretches[i];
      if (std::any_of(members.begin(), members.end(), [&](const auto& member) { return factors[member.set] != 0; }))
        wanted.push_back(i);
    }
    if (!wanted.empty()) add_gradients(*batch, wanted, parameters, factors, group_of_set, result);
  }
  for (size_t s = 0; s < sets_.size(); ++s)
    if (result.residuals[s].size() > 0) result.losses[static_cast<Index>(s)] = mean_square(sets_[s], result.residuals[s]);
  return result;
}

/// These stretches of a batch, in one pass.
void TaskLosses::add_gradients(const Batch& batch, const std::vector<size_t>& stretches,
                               const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
                               const std::vector<Index>& group_of_set, Gradients& result) const {
  const Index groups = result.gradients.cols();
  std::vector<Index> chosen, group;  // points of the batch, and their groups
  for (const size_t i : stretches)
    for (Index k = batch.first[i]; k < batch.first[i + 1]; ++k) {
      chosen.push_back(k);
      group.push_back(group_of_set[static_cast<size_t>(batch.stretches[i].front().set)]);
    }
  const RowMajor coordinates = batch.points(chosen, Eigen::all), constants = batch.constants(chosen, Eigen::all);
  const JetBatch<double> points{coordinates.rows(), coordinates.data(), constants.data(), group.data(), groups};
  RowMajor part(groups, network_.size());
  Eigen::VectorXd ignored(groups);
  batch.engine->value_and_gradients(
      points, parameters.data(),
      [&](const JetBlock<double>& block) {
        // A block's points are consecutive but for changes of the stretch.
        for (Index k = 0; k < block.count;) {
          const auto point = [&](Index j) { return chosen[static_cast<size_t>(block.points[j])]; };
          const Index first = point(k);
          const size_t i = batch.stretch_of(first);
          Index n = 1;
          while (k + n < block.count && point(k + n) == first + n && first + n < batch.first[i + 1]) ++n;
          std::fill(block.losses + k, block.losses + k + n, 0.0);  // summed for each set
          add_adjoints(batch, i, first - batch.first[i], n, block.jets + k * batch.jets, factors, result.residuals,
                       block.adjoints + k * batch.jets);
          k += n;
        }
      },
      ignored.data(), part.data());
  result.gradients += part.transpose();
}

/// Residuals of a stretch's sets at its points begin ..., and the derivatives of sum_s factor_s / N_s sum_k w_sk r_s^2 by
/// the network's jets there. Called by several threads, for different points.
void TaskLosses::add_adjoints(const Batch& batch, size_t stretch, Index begin, Index count, const double* jets,
                              const Eigen::VectorXd& factors, std::vector<Eigen::VectorXd>& residuals,
                              double* adjoints) const {
  const Eigen::Map<const RowMajor> network(jets, count, batch.jets);
  Eigen::Map<RowMajor> result(adjoints, count, batch.jets);
  result.setZero();
  Eigen::MatrixXd coefficients;
  for (size_t m = 0; m < batch.stretches[stretch].size(); ++m) {
    const Batch::Member& member = batch.stretches[stretch][m];
    if (factors[member.set] == 0) continue;
    const PointSet& set = sets_[static_cast<size_t>(member.set)];
    double* residual = residuals[static_cast<size_t>(member.set)].data() + begin;
    linearise(batch, stretch, m, begin, count, jets, residual, &coefficients);
    const double scale = 2 * factors[member.set] / static_cast<double>(set.points.rows());
    for (Index j = 0; j < count; ++j) coefficients.row(j) *= scale * weight_at(set, begin + j) * residual[j];
    member.jets.add_adjoint(network, coefficients, begin, result);
  }
}

void TaskLosses::residual_blocks(
    const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
    const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) const {
  RowMajor rows, jets, adjoints;
  Eigen::MatrixXd jacobian, coefficients;
  for (const auto& batch : batches_)
    for (size_t i = 0; i < batch->stretches.size(); ++i)
      for (Index begin = 0; begin < batch->size(i); begin += kJacobianRows) {
        const Index n = std::min(kJacobianRows, batch->size(i) - begin);
        const JetBatch<double> points = batch->jet_batch(batch->first[i] + begin, n);
        jets.resize(n, batch->jets);
        adjoints.resize(n, batch->jets);
        rows.resize(n, network_.size());
        batch->engine->jets(points, parameters.data(), jets.data());
        for (size_t m = 0; m < batch->stretches[i].size(); ++m) {
          const Batch::Member& member = batch->stretches[i][m];
          const PointSet& set = sets_[static_cast<size_t>(member.set)];
          Eigen::VectorXd residual(n), scale(n);
          linearise(*batch, i, m, begin, n, jets.data(), residual.data(), &coefficients);
          adjoints.setZero();
          member.jets.add_adjoint(jets, coefficients, begin, adjoints);
          batch->engine->jacobian(points, parameters.data(), adjoints.data(), rows.data());
          for (Index k = 0; k < n; ++k)
            scale[k] = std::sqrt(factors[member.set] * weight_at(set, begin + k) / static_cast<double>(set.points.rows()));
          jacobian = scale.asDiagonal() * rows;
          residual.array() *= scale.array();
          take(residual, jacobian);
        }
      }
}

double TaskLosses::tangent_kernel(Index set, const Eigen::VectorXd& parameters) const {
  constexpr Index kPoints = 256;
  PointSet sample = sets_[static_cast<size_t>(set)];
  const Index n = std::min(kPoints, sample.points.rows()), stride = sample.points.rows() / n;
  for (Index k = 0; k < n; ++k) {
    sample.points.row(k) = Eigen::RowVectorXd(sample.points.row(k * stride));
    if (sample.normals.size() > 0) sample.normals.row(k) = Eigen::RowVectorXd(sample.normals.row(k * stride));
  }
  sample.points.conservativeResize(n, Eigen::NoChange);
  if (sample.normals.size() > 0) sample.normals.conservativeResize(n, Eigen::NoChange);
  sample.weights.resize(0);
  TaskLosses alone(tasks_, network_);
  alone.set_points({std::move(sample)});
  double sum = 0;
  alone.residual_blocks(parameters, Eigen::VectorXd::Constant(1, 1),
                        [&](Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd> rows) { sum += rows.squaredNorm(); });
  return sum;  // the rows are divided by the root of their number
}

}  // namespace torsor
