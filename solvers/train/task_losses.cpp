#include "solvers/train/task_losses.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "operators/engine/jet_engine.h"
#include "physics/error.h"
#include "physics/multi_index.h"
#include "problems/term_program.h"

namespace torsor {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index kJacobianRows = 512;  // held at a time

/// The network's derivatives that a jet is made of: itself, or all up to it where a constraint multiplies the network.
std::vector<MultiIndex> parts_of(const FieldJet& jet, const TaskNetwork& network) {
  return network.constraint(jet.field) ? lower_closure({jet.orders}) : std::vector<MultiIndex>{jet.orders};
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

/// The jets of one set's term from the network's: J_c = lift_c + sum over its parts of factor times the network's jet.
struct TermJets {
  struct Part {
    Index jet, column;      ///< of the term, of a point's network jets (channels x outputs)
    Eigen::ArrayXd factor;  ///< at the set's points; empty: 1
  };
  std::vector<Part> parts;
  Eigen::MatrixXd lift;  ///< points x jets; empty: 0

  TermJets(const PointSet& set, const Term& term, const TaskNetwork& network,
           const std::vector<MultiIndex>& derivatives) {
    const Index n = set.points.rows();
    for (size_t c = 0; c < term.jets.size(); ++c) {
      const FieldJet& jet = term.jets[c];
      const HardConstraint* constraint = network.constraint(jet.field);
      const auto members = parts_of(jet, network);
      Eigen::MatrixXd factors;
      if (constraint) {
        factors = multiply_operator({jet.orders}, Eigen::MatrixXd::Ones(n, 1), members,
                                    constraint->factor(set.points, members));
        if (lift.size() == 0) lift = Eigen::MatrixXd::Zero(n, static_cast<Index>(term.jets.size()));
        lift.col(static_cast<Index>(c)) = constraint->lift(set.points, {jet.orders});
      }
      for (size_t p = 0; p < members.size(); ++p)
        parts.push_back({static_cast<Index>(c),
                         channel_of(derivatives, members[p]) * network.shape().outputs + network.output(set.task, jet.field),
                         constraint ? Eigen::ArrayXd(factors.col(static_cast<Index>(p))) : Eigen::ArrayXd()});
    }
  }

  /// From the network's jets (count x columns) at points first ... of the set to those of the term.
  template <class Jets>
  Eigen::MatrixXd of(const Jets& network, Index first, Index jets) const {
    const Index count = network.rows();
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(count, jets);
    if (lift.size() > 0) result = lift.middleRows(first, count);
    for (const Part& part : parts) {
      if (part.factor.size() == 0)
        result.col(part.jet) += network.col(part.column);
      else
        result.col(part.jet).array() += part.factor.segment(first, count) * network.col(part.column).array();
    }
    return result;
  }

  /// The transposed map: adds to derivatives by the network's jets those by the term's.
  template <class Jets>
  void add_adjoint(const Eigen::MatrixXd& by_term, Index first, Jets& by_network) const {
    for (const Part& part : parts) {
      if (part.factor.size() == 0)
        by_network.col(part.column) += by_term.col(part.jet);
      else
        by_network.col(part.column).array() += part.factor.segment(first, by_term.rows()) * by_term.col(part.jet).array();
    }
  }
};

}  // namespace

/// Sets whose terms ask for the same derivatives, one after the other.
struct TaskLosses::Batch {
  JetEngine<double> engine;
  std::vector<Index> sets, first;  ///< entries of sets_, and where their points begin; one more: the number of points
  std::vector<TermProgram> programs;
  std::vector<TermJets> term_jets;
  RowMajor points, constants;

  Batch(const NetworkShape& shape, const std::vector<MultiIndex>& derivatives) : engine(shape, {derivatives, {}}) {}

  Index count() const { return points.rows(); }
  Index jets() const { return engine.request().channels() * engine.shape().outputs; }
  JetBatch<double> jet_batch(Index begin, Index number) const {
    return {number, points.data() + begin * points.cols(), constants.data() + begin * constants.cols(), nullptr, 1};
  }
  /// The entry of `sets` that a point belongs to.
  size_t set_of(Index point) const {
    return static_cast<size_t>(std::upper_bound(first.begin(), first.end(), point) - first.begin()) - 1;
  }
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

void TaskLosses::set_points(std::vector<PointSet> sets) {
  sets_ = std::move(sets);
  std::map<std::vector<MultiIndex>, std::vector<Index>> alike;
  for (size_t s = 0; s < sets_.size(); ++s)
    alike[derivatives_of(term_of(sets_[s]), network_)].push_back(static_cast<Index>(s));
  batches_.clear();
  for (const auto& [derivatives, members] : alike) {
    auto batch = std::make_unique<Batch>(network_.shape(), derivatives);
    Index count = 0;
    for (const Index s : members) {
      const PointSet& set = sets_[static_cast<size_t>(s)];
      batch->sets.push_back(s);
      batch->first.push_back(count);
      batch->programs.emplace_back(tasks_[static_cast<size_t>(set.task)], term_of(set), set.points, set.normals);
      batch->term_jets.emplace_back(set, term_of(set), network_, derivatives);
      count += set.points.rows();
    }
    batch->first.push_back(count);
    batch->points.resize(count, network_.shape().coordinates);
    batch->constants.resize(count, network_.shape().constants);
    for (size_t i = 0; i < members.size(); ++i) {
      const PointSet& set = sets_[static_cast<size_t>(members[i])];
      batch->points.middleRows(batch->first[i], set.points.rows()) = set.points;
      batch->constants.middleRows(batch->first[i], set.points.rows()).rowwise() =
          network_.constants(set.task).transpose();
    }
    batches_.push_back(std::move(batch));
  }
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

/// Residuals (count) of consecutive points of one set from their jets (count x jets, row by row) and, unless null,
/// their derivatives by those jets (as the jets).
void TaskLosses::linearise(const Batch& batch, Index first, Index count, const double* jets, double* residuals,
                           double* adjoints) const {
  const size_t i = batch.set_of(first);
  const PointSet& set = sets_[static_cast<size_t>(batch.sets[i])];
  const Term& term = term_of(set);
  const Eigen::Map<const RowMajor> all(jets, count, batch.jets());
  const Index begin = first - batch.first[i];
  const Eigen::MatrixXd own = batch.term_jets[i].of(all, begin, static_cast<Index>(term.jets.size()));
  Eigen::MatrixXd coefficients;
  Eigen::Map<Eigen::VectorXd> residual(residuals, count);
  batch.programs[i].evaluate(begin, own, residual, adjoints ? &coefficients : nullptr);
  if (!residual.allFinite()) {
    Index k = 0;
    while (std::isfinite(residual[k])) ++k;
    throw NumericalError("task " + std::to_string(set.task) + ": term '" + term.name + "' (" + term.text +
                         "): the residual is not finite at " +
                         point_text(tasks_[static_cast<size_t>(set.task)], set.points.row(begin + k)));
  }
  if (!adjoints) return;
  Eigen::Map<RowMajor> result(adjoints, count, batch.jets());
  result.setZero();
  batch.term_jets[i].add_adjoint(coefficients, begin, result);
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
    RowMajor jets(batch->count(), batch->jets());
    batch->engine.jets(batch->jet_batch(0, batch->count()), parameters.data(), jets.data());
    for (size_t i = 0; i < batch->sets.size(); ++i) {
      auto& own = result[static_cast<size_t>(batch->sets[i])];
      own.resize(batch->first[i + 1] - batch->first[i]);
      linearise(*batch, batch->first[i], own.size(), jets.row(batch->first[i]).data(), own.data(), nullptr);
    }
  }
  return result;
}

TaskLosses::Gradients TaskLosses::gradients(const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
                                            const std::vector<Index>& group_of_set, Index groups) const {
  Gradients result{Eigen::VectorXd::Zero(static_cast<Index>(sets_.size())),
                   Eigen::MatrixXd::Zero(network_.size(), groups), std::vector<Eigen::VectorXd>(sets_.size())};
  for (const auto& batch : batches_)
    for (size_t begin = 0; begin < batch->sets.size();) {
      // A run of sets that are wanted: consecutive points.
      size_t end = begin;
      while (end < batch->sets.size() && factors[batch->sets[end]] != 0) ++end;
      if (end > begin) add_gradients(*batch, begin, end, parameters, factors, group_of_set, result);
      begin = end + 1;
    }
  return result;
}

/// The sets [begin, end) of a batch.
void TaskLosses::add_gradients(const Batch& batch, size_t begin, size_t end, const Eigen::VectorXd& parameters,
                               const Eigen::VectorXd& factors, const std::vector<Index>& group_of_set,
                               Gradients& result) const {
  const Index start = batch.first[begin], count = batch.first[end] - start, groups = result.gradients.cols();
  RowMajor part(groups, network_.size());
  Eigen::VectorXd residual(count), ignored(groups);
  std::vector<Index> group(static_cast<size_t>(count));
  for (size_t i = begin; i < end; ++i)
    std::fill(group.begin() + batch.first[i] - start, group.begin() + batch.first[i + 1] - start,
              group_of_set[static_cast<size_t>(batch.sets[i])]);
  JetBatch<double> points = batch.jet_batch(start, count);
  points.groups = group.data();
  points.group_count = groups;
  batch.engine.value_and_gradients(
      points, parameters.data(),
      [&](const JetBlock<double>& block) {
        // A block's points are consecutive but for changes of the set.
        for (Index k = 0; k < block.count;) {
          const Index first = start + block.points[k];
          const size_t i = batch.set_of(first);
          Index n = 1;
          while (k + n < block.count && start + block.points[k + n] == first + n && first + n < batch.first[i + 1]) ++n;
          linearise(batch, first, n, block.jets + k * batch.jets(), residual.data() + first - start,
                    block.adjoints + k * batch.jets());
          // d/d jets of factor / N sum w r^2
          const PointSet& set = sets_[static_cast<size_t>(batch.sets[i])];
          const double scale = 2 * factors[batch.sets[i]] / static_cast<double>(set.points.rows());
          Eigen::Map<RowMajor> adjoints(block.adjoints + k * batch.jets(), n, batch.jets());
          for (Index j = 0; j < n; ++j) {
            adjoints.row(j) *= scale * weight_at(set, first - batch.first[i] + j) * residual[first - start + j];
            block.losses[k + j] = 0;  // summed below, for each set
          }
          k += n;
        }
      },
      ignored.data(), part.data());
  result.gradients += part.transpose();
  for (size_t i = begin; i < end; ++i) {
    const Index s = batch.sets[i];
    auto& own = result.residuals[static_cast<size_t>(s)];
    own = residual.segment(batch.first[i] - start, batch.first[i + 1] - batch.first[i]);
    result.losses[s] = mean_square(sets_[static_cast<size_t>(s)], own);
  }
}

void TaskLosses::residual_blocks(
    const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
    const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) const {
  RowMajor rows, jets, adjoints;
  Eigen::MatrixXd jacobian;
  for (const auto& batch : batches_) {
    for (size_t i = 0; i < batch->sets.size(); ++i) {
      const PointSet& set = sets_[static_cast<size_t>(batch->sets[i])];
      for (Index first = batch->first[i]; first < batch->first[i + 1]; first += kJacobianRows) {
        const Index n = std::min(kJacobianRows, batch->first[i + 1] - first);
        const JetBatch<double> points = batch->jet_batch(first, n);
        jets.resize(n, batch->jets());
        adjoints.resize(n, batch->jets());
        rows.resize(n, network_.size());
        Eigen::VectorXd residual(n), scale(n);
        batch->engine.jets(points, parameters.data(), jets.data());
        linearise(*batch, first, n, jets.data(), residual.data(), adjoints.data());
        batch->engine.jacobian(points, parameters.data(), adjoints.data(), rows.data());
        for (Index k = 0; k < n; ++k)
          scale[k] = std::sqrt(factors[batch->sets[i]] * weight_at(set, first - batch->first[i] + k) /
                               static_cast<double>(set.points.rows()));
        jacobian = scale.asDiagonal() * rows;
        residual.array() *= scale.array();
        take(residual, jacobian);
      }
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
