#include "problems/residual.h"

#include <torch/torch.h>

#include <cmath>
#include <set>

#include "physics/error.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {
namespace {

/// The tensors a residual may ask for by name. Jets are leaves of the differentiation.
class TermTensors {
 public:
  TermTensors(const Problem& problem, const Term& term, const Eigen::MatrixXd& points, const Eigen::MatrixXd& normals,
              const Eigen::MatrixXd& jets, bool differentiate) {
    for (Index i = 0; i < problem.dimension(); ++i)
      add(problem.coordinates[static_cast<size_t>(i)].name, points.col(i));
    const auto space = problem.space();
    if (normals.size() > 0)
      for (size_t i = 0; i < space.size(); ++i)
        add("n_" + problem.coordinates[static_cast<size_t>(space[i])].name, normals.col(space[i]));
    for (const auto& [name, values] : term.data) add(name, values(points));
    for (size_t c = 0; c < term.jets.size(); ++c) {
      leaves_.push_back(add(problem.jet_text(term.jets[c]), jets.col(static_cast<Index>(c))));
      if (differentiate) leaves_.back().requires_grad_(true);
    }
  }

  torch::Tensor operator()(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw std::logic_error("a residual asks for '" + name + "', which it did not declare");
    return found->second;
  }

  const std::vector<torch::Tensor>& leaves() const { return leaves_; }

 private:
  torch::Tensor& add(const std::string& name, const Eigen::Ref<const Eigen::MatrixXd>& column) {
    return tensors_[name] = to_tensor(column).squeeze(1);
  }

  std::map<std::string, torch::Tensor> tensors_;
  std::vector<torch::Tensor> leaves_;
};

void check_finite(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                  const Eigen::MatrixXd& values, const char* what) {
  if (values.allFinite()) return;
  for (Index k = 0; k < values.rows(); ++k) {
    if (values.row(k).allFinite()) continue;
    throw NumericalError("term '" + term.name + "' (" + term.text + "): the " + what + " is not finite at " +
                         point_text(problem, points.row(k)));
  }
}

torch::Tensor full_size(const torch::Tensor& values, Index n) { return values.expand({n}); }

}  // namespace

std::function<at::Tensor(const JetTensors&)> expression_residual(const Expression& formula) {
  return [formula](const JetTensors& tensors) { return formula.evaluate(TensorAlgebra{}, tensors); };
}

Term given_value_term(const Problem& problem, const std::string& name, Place place, const FieldJet& jet,
                      std::function<Eigen::VectorXd(const Eigen::MatrixXd& points)> values) {
  Term term{name, place, {}, problem.jet_text(jet) + " = given", {jet}, {}};
  term.formula = Expression::equation(term.text);
  term.residual = expression_residual(*term.formula);
  term.data["given"] = std::move(values);
  return term;
}

Term weighted_sum_term(const Problem& problem, const std::string& name, Place place, const std::vector<FieldJet>& jets,
                       const std::vector<double>& factors) {
  std::vector<std::string> names;
  for (const auto& jet : jets) names.push_back(problem.jet_text(jet));
  Term term{name, place, {}, name + " = 0", jets, {}};
  term.residual = [names, factors](const JetTensors& tensors) {
    torch::Tensor sum = factors.front() * tensors(names.front());
    for (size_t c = 1; c < names.size(); ++c) sum = sum + factors[c] * tensors(names[c]);
    return sum;
  };
  return term;
}

Term remembering_term(const Problem& problem, Term term, double start,
                      std::function<Eigen::VectorXd(const Eigen::MatrixXd& points)> factor,
                      const std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points)>& values) {
  const std::string time = problem.coordinates[static_cast<size_t>(problem.time())].name;
  const std::string kFactor = "factor of the past", kPast = "past ";  // no formula has such names
  std::set<std::string> jets;
  for (size_t c = 0; c < term.jets.size(); ++c) {
    jets.insert(problem.jet_text(term.jets[c]));
    term.data[kPast + problem.jet_text(term.jets[c])] = [values, c](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
      return values(points).col(static_cast<Index>(c));
    };
  }
  term.data[kFactor] = std::move(factor);
  term.residual = [=, residual = std::move(term.residual)](const JetTensors& tensors) {
    const torch::Tensor past = residual([&](const std::string& name) {
      if (name == time) return torch::full_like(tensors(name), start);
      return tensors(jets.count(name) ? kPast + name : name);
    });
    return residual(tensors) - tensors(kFactor) * past;
  };
  term.formula.reset();
  return term;
}

Term homogeneous_term(const Problem& problem, Term term) {
  std::set<std::string> jets;
  for (const auto& jet : term.jets) jets.insert(problem.jet_text(jet));
  term.residual = [jets, residual = std::move(term.residual)](const JetTensors& tensors) {
    return residual(tensors) - residual([&](const std::string& name) {
      const torch::Tensor value = tensors(name);
      return jets.count(name) ? torch::zeros_like(value) : value;
    });
  };
  term.formula.reset();
  term.text += ", homogeneous";
  return term;
}

LinearizedTerm linearize(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                         const Eigen::MatrixXd& normals, const Eigen::MatrixXd& jets) {
  const torch::AutoGradMode with_gradient(true);  // a term's data may come from another one's derivatives
  const TermTensors tensors(problem, term, points, normals, jets, true);
  const torch::Tensor residual = full_size(term.residual(tensors), points.rows());
  LinearizedTerm result;
  result.residual = to_matrix(residual.detach());
  check_finite(problem, term, points, result.residual, "residual");
  result.coefficients = Eigen::MatrixXd::Zero(jets.rows(), jets.cols());
  if (residual.requires_grad()) {
    const auto gradients = torch::autograd::grad({residual.sum()}, tensors.leaves(), {}, false, false, true);
    for (size_t c = 0; c < gradients.size(); ++c)
      if (gradients[c].defined())
        result.coefficients.col(static_cast<Index>(c)) = to_matrix(full_size(gradients[c], points.rows()));
  }
  check_finite(problem, term, points, result.coefficients, "derivative by the jets");
  return result;
}

Eigen::VectorXd evaluate_residual(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                                  const Eigen::MatrixXd& normals, const Eigen::MatrixXd& jets) {
  const torch::NoGradGuard no_gradient;
  const TermTensors tensors(problem, term, points, normals, jets, false);
  const Eigen::VectorXd residual = to_matrix(full_size(term.residual(tensors), points.rows()));
  check_finite(problem, term, points, residual, "residual");
  return residual;
}

}  // namespace torsor
