#include "solvers/reference/transport_form.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "physics/error.h"
#include "physics/velocity_set.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/evolution_form.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/velocity_interpolation.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr double kSame = 1e-10;      // coefficients of one equation, relative to the largest of their kind
constexpr double kRounding = 1e-13;  // of matrices with entries of size 1

MatrixXd without_rounding(MatrixXd m) {
  const double negligible = kRounding * m.cwiseAbs().maxCoeff();
  return m.unaryExpr([negligible](double a) { return std::abs(a) <= negligible ? 0.0 : a; });
}

// ---- the distribution -------------------------------------------------------------------------------

// S of f(v_j) = sum_f S(j, f) u_f.
std::optional<MatrixXd> distribution_map(const Problem& problem) {
  const Index n = problem.velocity->size();
  if (static_cast<Index>(problem.fields.size()) != n) return std::nullopt;
  for (const Derived& derived : problem.derived)
    if (derived.name == "f" && !derived.formula && derived.map.cols() == n) return derived.map;
  for (const VelocityField& unknown : problem.velocity_fields)
    if (unknown.basis.cols() == n) return unknown.basis;
  return std::nullopt;
}

// T of m = T u and its inverse.
struct Moments {
  MatrixXd of_fields, to_fields;
};

std::optional<Moments> moments_of(const Problem& problem, const MatrixXd& distribution) {
  const VelocityBasis& basis = *problem.velocity;
  MatrixXd t = basis.polynomials.transpose() * basis.weights.asDiagonal() * distribution;
  const VectorXd size = t.cwiseAbs().colwise().maxCoeff().transpose();
  if (!(size.minCoeff() > 0.0)) return std::nullopt;
  t = without_rounding(t * size.cwiseInverse().asDiagonal());
  const Eigen::FullPivLU<MatrixXd> lu(t);
  if (!lu.isInvertible()) return std::nullopt;
  const MatrixXd inverse = without_rounding(lu.inverse());
  return Moments{t * size.asDiagonal(), size.cwiseInverse().asDiagonal() * inverse};
}

Moments known_moments(const Problem& problem) { return *moments_of(problem, *distribution_map(problem)); }

// V_kl = <p_k v p_l> for each component of v.
std::vector<MatrixXd> streaming_matrices(const VelocityBasis& basis) {
  std::vector<MatrixXd> matrices;
  for (Index i = 0; i < basis.dimension(); ++i) {
    const VectorXd flow = basis.weights.cwiseProduct(basis.nodes.col(i));
    matrices.push_back(without_rounding(basis.polynomials.transpose() * flow.asDiagonal() * basis.polynomials));
  }
  return matrices;
}

// ---- the interior terms ------------------------------------------------------------------------------

bool is_derivative(const FieldJet& jet, Index coordinate) {
  return coordinate >= 0 && total_order(jet.orders) == 1 && jet.orders[static_cast<size_t>(coordinate)] == 1;
}

// Of all interior terms at one point: terms x moments, and r.
struct Coefficients {
  MatrixXd rate, reaction;
  std::vector<MatrixXd> streaming;  // of each space coordinate
  VectorXd rest;

  MatrixXd& of(const Problem& problem, const FieldJet& jet) {
    if (total_order(jet.orders) == 0) return reaction;
    if (is_derivative(jet, problem.time())) return rate;
    const auto space = problem.space();
    for (size_t i = 0; i + 1 < space.size(); ++i)
      if (is_derivative(jet, space[i])) return streaming[i];
    return streaming.back();
  }
};

std::vector<Coefficients> interior_coefficients(const Problem& problem, const MatrixXd& to_fields,
                                                const MatrixXd& points) {
  const auto terms = terms_at(problem, Place::interior);
  const auto n_terms = static_cast<Index>(terms.size()), n = static_cast<Index>(problem.fields.size());
  const MatrixXd none = MatrixXd::Zero(n_terms, n);
  const std::vector<MatrixXd> no_streaming(problem.space().size(), none);
  std::vector<Coefficients> all(static_cast<size_t>(points.rows()),
                                {none, none, no_streaming, VectorXd::Zero(n_terms)});
  for (Index k = 0; k < n_terms; ++k) {
    const Term& term = *terms[static_cast<size_t>(k)];
    const auto n_jets = static_cast<Index>(term.jets.size());
    const LinearizedTerm linear = linearize(problem, term, points, {}, MatrixXd::Zero(points.rows(), n_jets));
    for (Index i = 0; i < points.rows(); ++i) {
      Coefficients& here = all[static_cast<size_t>(i)];
      here.rest(k) = linear.residual(i);
      for (Index c = 0; c < n_jets; ++c) {
        const FieldJet& jet = term.jets[static_cast<size_t>(c)];
        here.of(problem, jet)(k, jet.field) += linear.coefficients(i, c);
      }
    }
  }
  for (Coefficients& here : all) {
    for (MatrixXd* of : {&here.rate, &here.reaction}) *of = (*of * to_fields).eval();
    for (MatrixXd& of : here.streaming) of = (of * to_fields).eval();
  }
  return all;
}

// The matrix that takes `a` to `target`, by rows of size 1; nothing when `a` is singular.
std::optional<MatrixXd> left_factor(const MatrixXd& a, const MatrixXd& target) {
  const VectorXd size = a.cwiseAbs().rowwise().maxCoeff();
  if (!(size.minCoeff() > 0.0)) return std::nullopt;
  const Eigen::FullPivLU<MatrixXd> lu(size.cwiseInverse().asDiagonal() * a);
  if (!lu.isInvertible()) return std::nullopt;
  return MatrixXd(without_rounding(target * lu.inverse()) * size.cwiseInverse().asDiagonal());
}

// At one point: eps m_t + sum_i streaming_i dm/dx_i + reaction m + rest = 0.
struct NormalForm {
  double eps = 0.0;  // 0 without time
  std::vector<MatrixXd> streaming;
  MatrixXd reaction;
  VectorXd rest;
  double absorbed() const { return reaction(0, 0); }
  double scattered() const { return reaction(1, 1) - reaction(0, 0); }
};

std::optional<NormalForm> normal_form(const Coefficients& at, const std::vector<MatrixXd>& v, bool steady) {
  const auto n = v.front().rows();
  auto factor = steady ? left_factor(at.streaming.front(), v.front()) : left_factor(at.rate, MatrixXd::Identity(n, n));
  if (!factor) return std::nullopt;
  NormalForm form;
  if (!steady) {
    form.eps = v.front()(1, 0) / (factor->row(1) * at.streaming.front().col(0))(0);
    *factor *= form.eps;
  }
  for (const MatrixXd& streaming : at.streaming) form.streaming.emplace_back(*factor * streaming);
  form.reaction = *factor * at.reaction;
  form.rest = *factor * at.rest;
  return form;
}

std::string streaming_obstacle(const NormalForm& form, const std::vector<MatrixXd>& v, double eps, bool steady) {
  if (!steady && !(form.eps > 0.0 && std::isfinite(form.eps)))
    return "the x-derivatives are not v f_x: the ratio of f_t to v f_x is " + scientific(form.eps);
  if (!(std::abs(form.eps - eps) <= kSame * eps)) return "the Knudsen number is not constant";
  for (size_t i = 0; i < v.size(); ++i)
    if (!((form.streaming[i] - v[i]).cwiseAbs().maxCoeff() <= kSame * v[i].cwiseAbs().maxCoeff()))
      return "the x-derivatives are not v f_x";
  return {};
}

std::string collision_obstacle(const NormalForm& form) {
  const Index n = form.reaction.rows();
  MatrixXd expected = (form.scattered() + form.absorbed()) * MatrixXd::Identity(n, n);
  expected(0, 0) = form.absorbed();
  const double largest = form.reaction.cwiseAbs().maxCoeff();
  if (!((form.reaction - expected).cwiseAbs().maxCoeff() <= kSame * largest))
    return "what is left of the equation is not (sigma_S/eps)(<f> - f) - eps sigma_A f";
  if (form.scattered() < -kSame * largest) return "sigma_S is negative";
  if (form.absorbed() < -kSame * largest) return "sigma_A is negative";
  if (!(form.rest.tail(n - 1).cwiseAbs().maxCoeff() <= kSame * form.rest.cwiseAbs().maxCoeff()))
    return "the source depends on v";
  return {};
}

bool same_medium(const NormalForm& a, const NormalForm& b) {
  const double largest = a.reaction.cwiseAbs().maxCoeff() + a.rest.cwiseAbs().maxCoeff();
  return (a.reaction - b.reaction).cwiseAbs().maxCoeff() <= kSame * largest &&
         (a.rest - b.rest).cwiseAbs().maxCoeff() <= kSame * largest;
}

// The same places at other times.
MatrixXd at_other_times(const Problem& problem, MatrixXd points) {
  if (problem.time() >= 0) points.col(problem.time()) = points.col(problem.time()).reverse().eval();
  return points;
}

std::string equation_obstacle(const Problem& problem, const Moments& moments) {
  const MatrixXd points = probe_points(problem);
  const std::vector<MatrixXd> v = streaming_matrices(*problem.velocity);
  const bool steady = problem.time() < 0;
  const auto now = interior_coefficients(problem, moments.to_fields, points);
  const auto later = interior_coefficients(problem, moments.to_fields, at_other_times(problem, points));
  double eps = 0.0;
  for (size_t i = 0; i < now.size(); ++i) {
    const auto form = normal_form(now[i], v, steady), other = normal_form(later[i], v, steady);
    if (!form || !other)
      return steady ? "the equations do not determine every f_x (a velocity node may be 0)"
                    : "the equations do not determine every f_t";
    if (i == 0) eps = form->eps;
    if (const auto reason = streaming_obstacle(*form, v, eps, steady); !reason.empty()) return reason;
    if (const auto reason = collision_obstacle(*form); !reason.empty()) return reason;
    if (!same_medium(*form, *other)) return "the medium changes in time";
  }
  return {};
}

std::string jet_obstacle(const Problem& problem) {
  for (const Term* term : terms_at(problem, Place::interior)) {
    const TermProbe probe = probe_term(problem, *term, probe_points(problem));
    for (size_t c = 0; c < term->jets.size(); ++c) {
      const FieldJet& jet = term->jets[c];
      if (total_order(jet.orders) > 1)
        return "residual '" + term->name + "' has " + problem.jet_text(jet) + ", beyond first order";
      if (!probe.linear[c]) return "residual '" + term->name + "' is not linear in " + problem.jet_text(jet);
    }
  }
  return {};
}

// ---- inflow ------------------------------------------------------------------------------------------

// A boundary term as a (f(v_j) - F) with coefficients a S(j, :), or nothing.
struct Incoming {
  Index node;
  double factor;
};

std::optional<Incoming> incoming_node(const VectorXd& coefficients, const MatrixXd& distribution) {
  const VectorXd size = distribution.cwiseAbs().colwise().maxCoeff().transpose();
  const VectorXd given = coefficients.cwiseQuotient(size);
  for (Index j = 0; j < distribution.rows(); ++j) {
    const VectorXd row = distribution.row(j).transpose().cwiseQuotient(size);
    const double factor = row.dot(given) / row.squaredNorm();
    if (factor != 0.0 && (given - factor * row).cwiseAbs().maxCoeff() <= kSame * given.cwiseAbs().maxCoeff())
      return Incoming{j, factor};
  }
  return std::nullopt;
}

MatrixXd field_coefficients(const Problem& problem, const Term& term, const LinearizedTerm& linear) {
  MatrixXd of_fields = MatrixXd::Zero(linear.residual.size(), static_cast<Index>(problem.fields.size()));
  for (size_t c = 0; c < term.jets.size(); ++c)
    of_fields.col(term.jets[c].field) += linear.coefficients.col(static_cast<Index>(c));
  return of_fields;
}

bool is_incoming(const Problem& problem, const BoxSide& side, Index node) {
  const auto space = problem.space();
  const Index component = std::find(space.begin(), space.end(), side.coordinate) - space.begin();
  return problem.velocity->nodes(node, component) * (side.upper ? 1.0 : -1.0) < 0.0;
}

std::string condition_obstacle(const Problem& problem, const BoxSide& side, const Term& term,
                               std::vector<bool>& given) {
  const std::string text = "boundary condition '" + term.name + "' ";
  for (const FieldJet& jet : term.jets)
    if (total_order(jet.orders) > 0) return text + "has " + problem.jet_text(jet) + ", a derivative";
  const MatrixXd points = on_side(problem, side, probe_points(problem));
  const TermProbe probe = probe_term(problem, term, points, side_normals(problem, side, points.rows()));
  if (!probe.is_linear()) return text + "is not linear";
  const MatrixXd coefficients = field_coefficients(problem, term, probe.at_zero);
  const MatrixXd distribution = *distribution_map(problem);
  for (Index i = 0; i < points.rows(); ++i) {
    const auto incoming = incoming_node(coefficients.row(i).transpose(), distribution);
    if (!incoming) return text + "is not f(v) = data for one velocity";
    if (!is_incoming(problem, side, incoming->node)) return text + "is for a velocity that leaves";
    given[static_cast<size_t>(incoming->node)] = true;
  }
  return {};
}

std::string velocity_text(const VelocityBasis& basis, Index node) {
  std::string text;
  for (const double component : basis.nodes.row(node)) text += (text.empty() ? "" : ", ") + scientific(component);
  return basis.dimension() == 1 ? text : "(" + text + ")";
}

std::string inflow_obstacle(const Problem& problem) {
  for (const BoxSide& side : box_sides(problem)) {
    if (problem.coordinates[static_cast<size_t>(side.coordinate)].periodic) continue;
    std::vector<bool> given(problem.fields.size(), false);
    for (const Term* term : terms_on(problem, side.piece))
      if (const auto reason = condition_obstacle(problem, side, *term, given); !reason.empty()) return reason;
    for (size_t j = 0; j < given.size(); ++j)
      if (!given[j] && is_incoming(problem, side, static_cast<Index>(j)))
        return "no boundary condition on " + side.piece + " for the velocity " +
               velocity_text(*problem.velocity, static_cast<Index>(j));
  }
  return {};
}

// F at the nodes of a side at points of it: N x nodes, 0 for those that leave.
MatrixXd inflow_at(const Problem& problem, const BoxSide& side, const MatrixXd& points) {
  const MatrixXd distribution = *distribution_map(problem);
  MatrixXd data = MatrixXd::Zero(points.rows(), distribution.rows());
  for (const Term* term : terms_on(problem, side.piece)) {
    const MatrixXd zero = MatrixXd::Zero(points.rows(), static_cast<Index>(term->jets.size()));
    const LinearizedTerm linear = linearize(problem, *term, points, side_normals(problem, side, points.rows()), zero);
    const MatrixXd coefficients = field_coefficients(problem, *term, linear);
    for (Index i = 0; i < points.rows(); ++i) {
      const auto incoming = incoming_node(coefficients.row(i).transpose(), distribution);
      data(i, incoming->node) = -linear.residual(i) / incoming->factor;
    }
  }
  return data;
}

// The data of one side as a function of t and v. Solvers ask for one time after another, for the same velocities: the
// last time and the weights of each velocity are kept.
class InflowData {
 public:
  InflowData(const Problem& problem, const BoxSide& side) : nodes_(problem.velocity->nodes.col(0)) {
    const Index time = problem.time();
    const MatrixXd probes = on_side(problem, side, probe_points(problem));
    values_ = inflow_at(problem, side, probes);
    const double largest = values_.cwiseAbs().maxCoeff();
    const bool constant = (values_.rowwise() - values_.row(0)).cwiseAbs().maxCoeff() <= 1e-14 * largest;
    if (time < 0 || constant)
      values_ = values_.topRows(1).eval();
    else
      resolve(problem, side, problem.coordinates[static_cast<size_t>(time)]);
  }

  double operator()(double t, double v) {
    if (values_.rows() > 1 && t != last_time_) {
      last_ = chebyshev_interpolation(static_cast<int>(values_.rows()) - 1, 0.0, duration_, VectorXd::Constant(1, t)) *
              values_;
      last_time_ = t;
    } else if (values_.rows() == 1) {
      last_ = values_;
    }
    const auto [found, is_new] = weights_.try_emplace(v);
    if (is_new) found->second = half_range_interpolation(nodes_, VectorXd::Constant(1, v));
    return last_.row(0).dot(found->second);
  }

 private:
  // At Chebyshev times, as many as it takes.
  void resolve(const Problem& problem, const BoxSide& side, const Coordinate& axis) {
    duration_ = axis.high - axis.low;
    for (int degree = 16; degree <= 1024; degree *= 2) {
      MatrixXd points = MatrixXd::Zero(degree + 1, problem.dimension());
      points.col(problem.time()) = chebyshev_nodes(degree, axis.low, axis.high);
      values_ = inflow_at(problem, side, on_side(problem, side, points));
      const MatrixXd modes = chebyshev_coefficients(values_).cwiseAbs();
      if (modes.bottomRows(1 + degree / 10).maxCoeff() <= 1e-12 * modes.maxCoeff()) return;
    }
    throw NumericalError("the inflow on " + side.piece + " is not smooth in time");
  }

  VectorXd nodes_;
  MatrixXd values_;  // times x nodes
  double duration_ = 0.0, last_time_ = -1.0;
  MatrixXd last_;  // 1 x nodes
  std::map<double, RowVectorXd> weights_;
};

// ---- tables --------------------------------------------------------------------------------------------

// Rows of a function of x, for many x at once; others one by one.
class TableOfX {
 public:
  TableOfX(std::function<MatrixXd(const VectorXd&)> function, VectorXd places, double length)
      : function_(std::move(function)), places_(std::move(places)), slack_(1e-12 * length) {
    std::sort(places_.begin(), places_.end());
    rows_ = function_(places_);
  }

  RowVectorXd operator()(double x) const {
    const auto after = std::lower_bound(places_.begin(), places_.end(), x - slack_) - places_.begin();
    if (after < places_.size() && places_(after) <= x + slack_) return rows_.row(after);
    return function_(VectorXd::Constant(1, x)).row(0);
  }

 private:
  std::function<MatrixXd(const VectorXd&)> function_;
  VectorXd places_;
  MatrixXd rows_;
  double slack_;
};

std::string shape_obstacle(const Problem& problem) {
  if (!problem.velocity) return "the equation has no velocity";
  const auto space = problem.space();
  if (space.size() > 2 || !problem.box) return "an interval or a rectangle of the space coordinates is needed";
  if (problem.velocity->dimension() != static_cast<Index>(space.size()))
    return "a velocity with as many components as space coordinates is needed";
  if (problem.velocity->size() < 2) return "two velocity nodes are needed";
  if (problem.velocity->nodes.rowwise().norm().maxCoeff() > 1.0 + kSame)
    return "velocities of length 1 at most are needed";
  const auto map = distribution_map(problem);
  if (!map || !moments_of(problem, *map))
    return "what the distribution is of the unknowns is not known: a derived quantity 'f' is needed that determines "
           "them";
  if (terms_at(problem, Place::interior).size() != problem.fields.size())
    return "as many interior residuals as moments are needed";
  return {};
}

std::string side_obstacle(const Problem& problem) {
  if (problem.time() >= 0)
    if (auto reason = initial_obstacle(problem, evolution_states(problem)); !reason.empty()) return reason;
  return inflow_obstacle(problem);
}

}  // namespace

std::string TransportForm::obstacle_on_line(const Problem& problem) {
  if (problem.space().size() != 1) return "an interval of one space coordinate is needed";
  return obstacle(problem);
}

std::string TransportForm::obstacle_in_slab(const Problem& problem) {
  if (problem.time() < 0) return "it has no time";
  if (std::string reason = obstacle_on_line(problem); !reason.empty()) return reason;
  const auto space = static_cast<size_t>(problem.space().front());
  return problem.coordinates[space].periodic ? "the space coordinate is periodic" : "";
}

std::string TransportForm::obstacle(const Problem& problem) {
  if (auto reason = shape_obstacle(problem); !reason.empty()) return reason;
  if (auto reason = jet_obstacle(problem); !reason.empty()) return reason;
  if (auto reason = equation_obstacle(problem, known_moments(problem)); !reason.empty()) return reason;
  return side_obstacle(problem);
}

TransportForm::TransportForm(std::shared_ptr<const Problem> problem) : problem_(std::move(problem)) {
  const std::vector<MatrixXd> v = streaming_matrices(velocities());
  double largest = 0.0;
  for (const Coefficients& at :
       interior_coefficients(*problem_, known_moments(*problem_).to_fields, probe_points(*problem_))) {
    const NormalForm form = *normal_form(at, v, steady());
    if (!steady()) eps_ = form.eps;
    largest = std::max(largest, form.scattered());
  }
  if (steady()) eps_ = largest > 1.0 ? 1.0 / largest : 1.0;
}

const Coordinate& TransportForm::space_axis(Index i) const {
  return problem_->coordinates[static_cast<size_t>(problem_->space()[static_cast<size_t>(i)])];
}

bool TransportForm::periodic() const {
  for (Index i = 0; i < dimension(); ++i)
    if (!space_axis(i).periodic) return false;
  return true;
}

std::vector<MatrixXd> TransportForm::streaming() const { return streaming_matrices(velocities()); }

double TransportForm::start() const {
  return steady() ? 0.0 : problem_->coordinates[static_cast<size_t>(problem_->time())].low;
}

double TransportForm::duration() const {
  return steady() ? 0.0 : problem_->coordinates[static_cast<size_t>(problem_->time())].high - start();
}

int TransportForm::double_gauss_nodes() const {
  const VelocityBasis& basis = velocities();
  if (basis.size() % 2 != 0) return 0;
  const int half = static_cast<int>(basis.size()) / 2;
  return (double_gauss_velocities(half).nodes - basis.nodes.col(0)).cwiseAbs().maxCoeff() <= 1e-12 ? half : 0;
}

MatrixXd TransportForm::medium(const MatrixXd& x) const {
  const std::vector<MatrixXd> v = streaming_matrices(velocities());
  const MatrixXd points = steady() ? x : points_at_time(*problem_, x, start());
  const auto coefficients = interior_coefficients(*problem_, known_moments(*problem_).to_fields, points);
  // Nothing but rounding is negative: the solvers refuse any negative number.
  const auto not_rounding = [](double a, double largest) { return std::abs(a) <= kRounding * largest ? 0.0 : a; };
  MatrixXd result(x.rows(), 3);
  for (Index i = 0; i < x.rows(); ++i) {
    const auto form = normal_form(coefficients[static_cast<size_t>(i)], v, steady());
    if (!form) throw NumericalError("the transport equation degenerates at " + point_text(*problem_, points.row(i)));
    const double largest = form->reaction.cwiseAbs().maxCoeff();
    result(i, 0) = eps_ * not_rounding(form->scattered(), largest);
    result(i, 1) = form->absorbed() < 0.0 ? not_rounding(form->absorbed(), largest) : form->absorbed();
    result(i, 1) /= eps_;
    result(i, 2) = -form->rest(0) / eps_;
  }
  return result;
}

MatrixXd TransportForm::initial(const MatrixXd& x) const {
  return initial_values(*problem_, evolution_states(*problem_), x) * distribution_map(*problem_)->transpose();
}

MatrixXd TransportForm::initial_moments(const MatrixXd& x) const {
  constexpr Index kPoints = 512;  // at once: each has matrices of its own
  const MatrixXd to_moments = known_moments(*problem_).of_fields.transpose();
  MatrixXd moments(x.rows(), velocities().size());
  for (Index i = 0; i < x.rows(); i += kPoints) {
    const Index n = std::min(kPoints, x.rows() - i);
    moments.middleRows(i, n) = initial_values(*problem_, evolution_states(*problem_), x.middleRows(i, n)) * to_moments;
  }
  return moments;
}

MatrixXd TransportForm::inflow(const BoxSide& side, const MatrixXd& points) const {
  return inflow_at(*problem_, side, points);
}

MatrixXd TransportForm::between_velocities(const VectorXd& points) const {
  const VectorXd nodes = velocities().nodes.col(0);
  return double_gauss_nodes() > 0 ? half_range_interpolation(nodes, points) : velocity_interpolation(nodes, points);
}

MatrixXd TransportForm::probed_medium() const {
  return medium(probe_points(*problem_)(Eigen::all, problem_->space()));
}

// f that comes in through both walls at probe points: points x nodes.
MatrixXd TransportForm::probed_inflow() const {
  const MatrixXd points = probe_points(*problem_);
  MatrixXd values = MatrixXd::Zero(points.rows(), velocities().size());
  for (const BoxSide& side : box_sides(*problem_)) values += inflow(side, on_side(*problem_, side, points));
  return values;
}

std::string TransportForm::obstacle_to_constant_slab() const {
  const auto constant = [](const MatrixXd& values, double slack) {
    return (values.rowwise() - values.row(0)).cwiseAbs().maxCoeff() <= slack * values.cwiseAbs().maxCoeff();
  };
  const MatrixXd medium = probed_medium();
  if (!(medium(0, 0) > 0.0)) return "sigma_S must be positive";
  if (!constant(medium, 1e-10)) return "sigma_S, sigma_A and the source must be constant";
  return constant(probed_inflow(), 1e-13) ? "" : "the inflow must be constant in time";
}

TransportSlab TransportForm::constant_slab() const {
  const RowVectorXd medium = probed_medium().row(0);
  VectorXd inflow = probed_inflow().row(0).transpose();
  // Without the rounding of values that are the same: it would be 1e-16/eps of a layer at the wall.
  const VectorXd v = velocities().nodes.col(0);
  const double largest = inflow.cwiseAbs().maxCoeff();
  for (Index j = 1; j < inflow.size(); ++j)
    if (v(j) * v(j - 1) > 0.0 && std::abs(inflow(j) - inflow(j - 1)) <= 1e-14 * largest) inflow(j) = inflow(j - 1);
  return {space_axis().low, space_axis().high, eps_, medium(0), medium(1), medium(2), inflow};
}

TransportProblem TransportForm::transport(const VectorXd& places) const {
  const TransportForm form = *this;
  TransportProblem transport;
  transport.a = space_axis().low;
  transport.b = space_axis().high;
  transport.eps = eps_;
  transport.periodic = periodic();
  const double length = transport.b - transport.a;
  const auto medium =
      std::make_shared<const TableOfX>([form](const VectorXd& x) { return form.medium(x); }, places, length);
  transport.scattering = [medium](double x) { return (*medium)(x)(0); };
  transport.absorption = [medium](double x) { return (*medium)(x)(1); };
  transport.source = [medium](double x) { return (*medium)(x)(2); };
  if (!steady()) {
    const auto f0 =
        std::make_shared<const TableOfX>([form](const VectorXd& x) { return form.initial(x); }, places, length);
    const auto weights = std::make_shared<std::map<double, RowVectorXd>>();
    transport.initial = [form, f0, weights](double x, double v) {
      const auto [found, is_new] = weights->try_emplace(v);
      if (is_new) found->second = form.between_velocities(VectorXd::Constant(1, v));
      return (*f0)(x).dot(found->second);
    };
  }
  if (!periodic()) {
    const auto sides = box_sides(*problem_);
    const auto left = std::make_shared<InflowData>(*problem_, sides[0]);
    const auto right = std::make_shared<InflowData>(*problem_, sides[1]);
    transport.inflow_left = [left](double t, double v) { return (*left)(t, v); };
    transport.inflow_right = [right](double t, double v) { return (*right)(t, v); };
  }
  return transport;
}

MatrixXd TransportForm::fields(const MatrixXd& values) const {
  const VelocityBasis& basis = velocities();
  const MatrixXd deviation = values.rightCols(basis.size()).colwise() - values.col(0);
  MatrixXd moments = deviation * basis.weights.asDiagonal() * basis.polynomials;
  moments.col(0) = values.col(0);
  moments.col(1) = values.col(1) * (eps_ / streaming_matrices(basis).front()(1, 0));
  return fields_of_moments(moments);
}

MatrixXd TransportForm::fields_of_moments(const MatrixXd& moments) const {
  return moments * known_moments(*problem_).to_fields.transpose();
}

VectorXd cell_places(const Coordinate& axis, int cells) {
  return VectorXd::LinSpaced(2 * cells + 1, axis.low, axis.high);
}

MatrixXd comparison_points(const TransportForm& form, Index count, bool with_start) {
  const Coordinate& axis = form.space_axis();
  const Index first = with_start ? 0 : 1, steps = with_start ? count - 1 : count;
  MatrixXd points(count, 2);
  for (Index i = 0; i < count; ++i)
    points.row(i) << axis.low + (axis.high - axis.low) * std::fmod(0.6180339887498949 * static_cast<double>(i), 1.0),
        form.duration() * static_cast<double>(first + i) / static_cast<double>(steps);
  return points;
}

}  // namespace torsor
