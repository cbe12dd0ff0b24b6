#include "solvers/train/task_losses.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "operators/engine/jet_engine.h"
#include "physics/error.h"

namespace torsor {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index kJacobianRows = 512;  // held at a time

std::vector<MultiIndex> derivatives_of(const Term& term) {
  std::vector<MultiIndex> result;
  for (const auto& jet : term.jets)
    if (std::find(result.begin(), result.end(), jet.orders) == result.end()) result.push_back(jet.orders);
  std::sort(result.begin(), result.end());
  return result;
}

Index channel_of(const std::vector<MultiIndex>& derivatives, const MultiIndex& orders) {
  return std::find(derivatives.begin(), derivatives.end(), orders) - derivatives.begin();
}

/// w_k, which is 1 where a set has no weights.
double weight_at(const PointSet& set, Index k) { return set.weights.size() > 0 ? set.weights[k] : 1.0; }

}  // namespace

/// Sets whose terms ask for the same derivatives, one after the other.
struct TaskLosses::Batch {
  JetEngine<double> engine;
  std::vector<Index> sets, first;  ///< entries of sets_, and where their points begin
  RowMajor points, constants;

  Batch(const NetworkShape& shape, const std::vector<MultiIndex>& derivatives) : engine(shape, {derivatives, {}}) {}

  Index count() const { return points.rows(); }
  Index outputs() const { return engine.shape().outputs; }
  const std::vector<MultiIndex>& derivatives() const { return engine.request().derivatives; }
  JetBatch<double> jet_batch() const { return {count(), points.data(), constants.data(), nullptr, 1}; }
};

/// Residuals of a batch's sets, and their derivatives by the network's jets.
struct TaskLosses::Linearised {
  std::vector<Eigen::VectorXd> residuals;
  RowMajor adjoints;  ///< count x (channels * outputs): d r / d jets
};

TaskLosses::TaskLosses(const std::vector<Problem>& tasks, const TaskNetwork& network)
    : tasks_(tasks), network_(network) {
  for (const auto& term : tasks.front().terms) {
    try {
      const JetPlan plan({derivatives_of(term), {}}, network.shape().coordinates);
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
    alike[derivatives_of(tasks_[static_cast<size_t>(sets_[s].task)].terms[static_cast<size_t>(sets_[s].term)])]
        .push_back(static_cast<Index>(s));
  batches_.clear();
  for (const auto& [derivatives, members] : alike) {
    auto batch = std::make_unique<Batch>(network_.shape(), derivatives);
    Index count = 0;
    for (const Index s : members) {
      batch->sets.push_back(s);
      batch->first.push_back(count);
      count += sets_[static_cast<size_t>(s)].points.rows();
    }
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

TaskLosses::Linearised TaskLosses::linearise(const Batch& batch, const Eigen::VectorXd& parameters,
                                             bool coefficients) const {
  const Index channels = static_cast<Index>(batch.derivatives().size()), outputs = batch.outputs();
  RowMajor jets(batch.count(), channels * outputs);
  batch.engine.jets(batch.jet_batch(), parameters.data(), jets.data());
  Linearised result;
  if (coefficients) result.adjoints = RowMajor::Zero(batch.count(), channels * outputs);
  for (size_t i = 0; i < batch.sets.size(); ++i) {
    const PointSet& set = sets_[static_cast<size_t>(batch.sets[i])];
    const Problem& problem = tasks_[static_cast<size_t>(set.task)];
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    const Index n = set.points.rows();
    std::vector<Index> columns;
    for (const auto& jet : term.jets)
      columns.push_back(channel_of(batch.derivatives(), jet.orders) * outputs + network_.output(set.task, jet.field));
    const auto rows = jets.middleRows(batch.first[i], n);
    Eigen::MatrixXd own(n, static_cast<Index>(columns.size()));
    for (size_t c = 0; c < columns.size(); ++c) own.col(static_cast<Index>(c)) = rows.col(columns[c]);
    try {
      if (!coefficients) {
        result.residuals.push_back(evaluate_residual(problem, term, set.points, set.normals, own));
        continue;
      }
      LinearizedTerm linear = linearize(problem, term, set.points, set.normals, own);
      result.residuals.push_back(std::move(linear.residual));
      for (size_t c = 0; c < columns.size(); ++c)
        result.adjoints.middleRows(batch.first[i], n).col(columns[c]) += linear.coefficients.col(static_cast<Index>(c));
    } catch (const NumericalError& error) {
      throw NumericalError("task " + std::to_string(set.task) + ": " + error.what());
    }
  }
  return result;
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
    Linearised values = linearise(*batch, parameters, false);
    for (size_t i = 0; i < batch->sets.size(); ++i)
      result[static_cast<size_t>(batch->sets[i])] = std::move(values.residuals[i]);
  }
  return result;
}

TaskLosses::Gradients TaskLosses::gradients(const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
                                            const std::vector<Index>& group_of_set, Index groups) const {
  Gradients result{Eigen::VectorXd(static_cast<Index>(sets_.size())), Eigen::MatrixXd::Zero(network_.size(), groups),
                   std::vector<Eigen::VectorXd>(sets_.size())};
  RowMajor part(groups, network_.size());
  for (const auto& batch : batches_) {
    Linearised values = linearise(*batch, parameters, true);
    std::vector<Index> group(static_cast<size_t>(batch->count()));
    for (size_t i = 0; i < batch->sets.size(); ++i) {
      const auto s = static_cast<size_t>(batch->sets[i]);
      const Index n = sets_[s].points.rows();
      result.losses[batch->sets[i]] = mean_square(sets_[s], values.residuals[i]);
      std::fill_n(group.begin() + batch->first[i], n, group_of_set[s]);
      // d/d jets of factor / N sum w r^2
      const double scale = 2 * factors[batch->sets[i]] / static_cast<double>(n);
      Eigen::VectorXd by_residual = scale * values.residuals[i];
      if (sets_[s].weights.size() > 0) by_residual.array() *= sets_[s].weights.array();
      auto rows = values.adjoints.middleRows(batch->first[i], n);
      rows.array().colwise() *= by_residual.array();
      result.residuals[s] = std::move(values.residuals[i]);
    }
    JetBatch<double> points = batch->jet_batch();
    points.groups = group.data();
    points.group_count = groups;
    batch->engine.gradients(points, parameters.data(), values.adjoints.data(), part.data());
    result.gradients += part.transpose();
  }
  return result;
}

void TaskLosses::residual_blocks(
    const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
    const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) const {
  RowMajor rows;
  Eigen::MatrixXd jacobian;
  for (const auto& batch : batches_) {
    const Linearised values = linearise(*batch, parameters, true);
    Eigen::VectorXd residual(batch->count()), scale(batch->count());
    for (size_t i = 0; i < batch->sets.size(); ++i) {
      const PointSet& set = sets_[static_cast<size_t>(batch->sets[i])];
      const Index n = set.points.rows(), first = batch->first[i];
      for (Index k = 0; k < n; ++k)
        scale[first + k] = std::sqrt(factors[batch->sets[i]] * weight_at(set, k) / static_cast<double>(n));
      residual.segment(first, n) = values.residuals[i];
    }
    residual.array() *= scale.array();
    for (Index first = 0; first < batch->count(); first += kJacobianRows) {
      const Index n = std::min(kJacobianRows, batch->count() - first);
      rows.resize(n, network_.size());
      JetBatch<double> points = batch->jet_batch();
      points.count = n;
      points.points += first * batch->points.cols();
      points.constants += first * batch->constants.cols();
      batch->engine.jacobian(points, parameters.data(), values.adjoints.row(first).data(), rows.data());
      jacobian = scale.segment(first, n).asDiagonal() * rows;
      Eigen::VectorXd r = residual.segment(first, n);
      take(r, jacobian);
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
