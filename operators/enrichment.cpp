#include "operators/enrichment.h"

#include <cmath>
#include <map>
#include <numbers>
#include <optional>

#include "physics/error.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
constexpr Complex kI{0, 1};
// Highest j of |zeta|^2j at corners: a term of zeroth order in the equation couples one to the next.
constexpr int kModuli = 3, kModuliWithLogarithm = 1;

/// c zeta^p conj(zeta)^q (log zeta)^l; derivatives of a PolyanalyticTerm are sums of these.
struct Monomial {
  Complex coefficient;
  double power;
  int conjugate_power;
  bool logarithm;
};

void add(std::vector<Monomial>& sum, const Monomial& m) {
  if (m.coefficient != Complex(0)) sum.push_back(m);
}

std::vector<Monomial> differentiate(const std::vector<Monomial>& sum, bool by_y) {
  std::vector<Monomial> result;
  const Complex along = by_y ? kI : Complex(1), conjugate_along = by_y ? -kI : Complex(1);
  for (const auto& m : sum) {
    add(result, {along * m.coefficient * m.power, m.power - 1, m.conjugate_power, m.logarithm});
    if (m.logarithm) add(result, {along * m.coefficient, m.power - 1, m.conjugate_power, false});
    add(result, {conjugate_along * m.coefficient * static_cast<double>(m.conjugate_power), m.power,
                 m.conjugate_power - 1, m.logarithm});
  }
  return result;
}

std::vector<Monomial> derivative(const PolyanalyticTerm& term, int by_x, int by_y) {
  std::vector<Monomial> sum{{term.coefficient, term.power, term.conjugate_power, term.logarithm}};
  for (int i = 0; i < by_x; ++i) sum = differentiate(sum, false);
  for (int i = 0; i < by_y; ++i) sum = differentiate(sum, true);
  return sum;
}

/// zeta^n and log zeta at all points; the terms of one centre share them, for they cost far more than a product.
class CentredPowers {
 public:
  CentredPowers(const Eigen::Ref<const Eigen::MatrixXd>& points, std::array<Index, 2> plane,
                const PolyanalyticTerm& term)
      : centre_(term.centre), direction_(term.direction), zeta_(points.rows()) {
    for (Index k = 0; k < points.rows(); ++k) {
      zeta_[k] = {points(k, plane[0]) - centre_[0], points(k, plane[1]) - centre_[1]};
      // The limit at the centre itself; only terms that are continuous there are asked for at such points.
      if (zeta_[k] == Complex(0)) zeta_[k] = std::polar(1e-150, direction_);
    }
    powers_[0] = Eigen::ArrayXcd::Ones(points.rows());
  }

  bool serves(const PolyanalyticTerm& term) const {
    return term.centre == centre_ && term.direction == direction_;
  }

  /// Whole powers are products; others go by the logarithm.
  const Eigen::ArrayXcd& power(double n) {
    const auto found = powers_.find(n);
    if (found != powers_.end()) return found->second;
    Eigen::ArrayXcd value;
    if (n != std::round(n)) {
      value = (n * log()).exp();
    } else {
      value = power(n > 0 ? n - 1 : n + 1);
      if (n > 0) value *= zeta_;
      else value /= zeta_;
    }
    return powers_[n] = std::move(value);
  }

  /// The branch whose cut lies opposite to the direction.
  const Eigen::ArrayXcd& log() {
    if (log_.size() > 0) return log_;
    log_.resize(zeta_.size());
    const Complex turn = std::polar(1.0, -direction_);
    for (Index k = 0; k < zeta_.size(); ++k)
      log_[k] = {0.5 * std::log(std::norm(zeta_[k])), std::arg(zeta_[k] * turn) + direction_};
    return log_;
  }

  Eigen::ArrayXd evaluate(const std::vector<Monomial>& sum) {
    Eigen::ArrayXd value = Eigen::ArrayXd::Zero(zeta_.size());
    for (const auto& m : sum) {
      Eigen::ArrayXcd product = m.coefficient * power(m.power);
      if (m.conjugate_power != 0) product *= power(m.conjugate_power).conjugate();
      if (m.logarithm) product *= log();
      value += product.real();
    }
    return value;
  }

 private:
  Eigen::Vector2d centre_;
  double direction_;
  Eigen::ArrayXcd zeta_, log_;
  std::map<double, Eigen::ArrayXcd> powers_;
};

}  // namespace

PolyanalyticFeatures::PolyanalyticFeatures(std::vector<PolyanalyticTerm> terms, Index dimension,
                                           std::array<Index, 2> plane)
    : terms_(std::move(terms)), dimension_(dimension), plane_(plane) {
  if (terms_.empty()) throw InputError("polyanalytic features: at least one term is needed");
}

void PolyanalyticFeatures::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                    const std::vector<MultiIndex>& indices,
                                    const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out,
                                    Index ld) const {
  std::optional<CentredPowers> powers;
  for (size_t j = 0; j < terms_.size(); ++j) {
    if (!powers || !powers->serves(terms_[j])) powers.emplace(points, plane_, terms_[j]);
    Eigen::Map<Eigen::ArrayXd> column(out + static_cast<Index>(j) * ld, points.rows());
    for (size_t c = 0; c < indices.size(); ++c) {
      const int by_x = indices[c][static_cast<size_t>(plane_[0])], by_y = indices[c][static_cast<size_t>(plane_[1])];
      if (total_order(indices[c]) != by_x + by_y) continue;  // constant in the other coordinates
      column += coefficients.col(static_cast<Index>(c)).array() * powers->evaluate(derivative(terms_[j], by_x, by_y));
    }
  }
}

JoinedBody::JoinedBody(std::vector<std::shared_ptr<const Body>> bodies) : bodies_(std::move(bodies)) {
  if (bodies_.empty()) throw InputError("joined body: at least one body is needed");
  for (const auto& body : bodies_)
    if (body->dimension() != bodies_.front()->dimension())
      throw InputError("joined body: the bodies differ in the number of coordinates");
}

Index JoinedBody::features() const {
  Index sum = 0;
  for (const auto& body : bodies_) sum += body->features();
  return sum;
}

void JoinedBody::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                          const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  for (const auto& body : bodies_) {
    body->add_rows(points, indices, coefficients, out, ld);
    out += body->features() * ld;
  }
}

Eigen::MatrixXd JoinedBody::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                       const std::vector<MultiIndex>& indices,
                                       const Eigen::Ref<const Eigen::VectorXd>& w) const {
  Eigen::MatrixXd jets = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(indices.size()));
  Index first = 0;
  for (const auto& body : bodies_) {
    jets += body->field_jets(points, indices, w.segment(first, body->features()));
    first += body->features();
  }
  return jets;
}

std::vector<PolyanalyticTerm> corner_terms(const Eigen::Vector2d& corner, double start, double opening, double scale,
                                           int orders) {
  constexpr double kPi = std::numbers::pi;
  const double direction = start + 0.5 * opening;
  std::vector<PolyanalyticTerm> terms;
  // c turns the power so that the side at `start` comes to the real axis.
  const auto add_term = [&](double power, int j, bool logarithm, Complex part) {
    const Complex turned = part * std::polar(std::pow(scale, -(power + 2 * j)), -power * start);
    terms.push_back({corner, turned, power + j, j, logarithm, direction});
  };
  // Powers k pi / opening belong to Dirichlet or Neumann data on both sides, those between them to mixed data.
  const double step = kPi / (2 * opening);
  for (int k = 1; k * step <= 2 * orders + 1e-6; ++k) {
    const double power = k * step, nearest = std::round(power);
    if (std::abs(power - nearest) > 1e-6) {
      for (int j = 0; j <= kModuli; ++j)
        for (const Complex part : {Complex(1), -kI}) add_term(power, j, false, part);
    } else if (k % 2 == 0) {
      // A polynomial, which smooth features carry; it meets the particular solution and brings a logarithm.
      for (int j = 0; j <= kModuliWithLogarithm; ++j) add_term(nearest, j, true, -kI);
    }
  }
  return terms;
}

std::vector<PolyanalyticTerm> hole_terms(const Eigen::Vector2d& centre, double radius, int orders) {
  std::vector<PolyanalyticTerm> terms;
  for (int j = 0; j <= 1; ++j) {
    const double scale = std::pow(radius, -2 * j);
    terms.push_back({centre, scale, static_cast<double>(j), j, true, 0});  // Re log zeta = log |zeta| has no cut
    for (int k = 1; k <= orders; ++k)
      for (const Complex part : {Complex(1), kI})
        terms.push_back({centre, part * std::pow(radius, k) * scale, static_cast<double>(j - k), j, false, 0});
  }
  return terms;
}

}  // namespace torsor
