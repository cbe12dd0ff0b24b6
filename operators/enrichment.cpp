#include "operators/enrichment.h"

#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
constexpr Complex kI{0, 1};

/// c zeta^p conj(zeta)^q (log zeta)^l; derivatives of a PolyanalyticTerm are sums of these.
struct Monomial {
  Complex coefficient;
  int power, conjugate_power;
  bool logarithm;
};

void add(std::vector<Monomial>& sum, const Monomial& m) {
  if (m.coefficient != Complex(0)) sum.push_back(m);
}

std::vector<Monomial> differentiate(const std::vector<Monomial>& sum, bool by_y) {
  std::vector<Monomial> result;
  const Complex along = by_y ? kI : Complex(1), conjugate_along = by_y ? -kI : Complex(1);
  for (const auto& m : sum) {
    add(result, {along * m.coefficient * static_cast<double>(m.power), m.power - 1, m.conjugate_power, m.logarithm});
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

Complex integer_power(Complex z, int n) {
  if (n < 0) return 1.0 / integer_power(z, -n);
  Complex value = 1;
  for (; n > 0; n /= 2, z *= z)
    if (n % 2) value *= z;
  return value;
}

double evaluate(const std::vector<Monomial>& sum, Complex zeta, double direction) {
  double value = 0;
  // The limit at the centre itself; only terms that are continuous there are asked for at such points.
  if (zeta == Complex(0)) zeta = std::polar(1e-150, direction);
  const Complex log = std::log(zeta * std::polar(1.0, -direction)) + kI * direction;
  for (const auto& m : sum)
    value += std::real(m.coefficient * integer_power(zeta, m.power) *
                       integer_power(std::conj(zeta), m.conjugate_power) * (m.logarithm ? log : Complex(1)));
  return value;
}

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
  for (size_t c = 0; c < indices.size(); ++c) {
    const int by_x = indices[c][static_cast<size_t>(plane_[0])], by_y = indices[c][static_cast<size_t>(plane_[1])];
    if (total_order(indices[c]) != by_x + by_y) continue;  // constant in the other coordinates
    for (size_t j = 0; j < terms_.size(); ++j) {
      const auto sum = derivative(terms_[j], by_x, by_y);
      double* column = out + static_cast<Index>(j) * ld;
      for (Index k = 0; k < points.rows(); ++k) {
        const Complex zeta(points(k, plane_[0]) - terms_[j].centre[0], points(k, plane_[1]) - terms_[j].centre[1]);
        column[k] += coefficients(k, static_cast<Index>(c)) * evaluate(sum, zeta, terms_[j].direction);
      }
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

std::vector<PolyanalyticTerm> corner_terms(const Eigen::Vector2d& corner, double direction, double scale,
                                           int orders) {
  std::vector<PolyanalyticTerm> terms;
  for (int k = 1; k <= orders; ++k)
    for (int j = 0; j <= 1; ++j)
      // Im w = Re(-i w); the corner's sides lie along direction -+ pi/4, so the power is turned to bring one side to
      // the real axis. The logarithm is not: that changes the function by a polynomial, which smooth features carry.
      terms.push_back({corner,
                       -kI * std::polar(std::pow(scale, -2 * (k + j)), -2 * k * (direction - std::numbers::pi / 4)),
                       2 * k + j, j, true, direction});
  return terms;
}

std::vector<PolyanalyticTerm> hole_terms(const Eigen::Vector2d& centre, double radius, int orders) {
  std::vector<PolyanalyticTerm> terms;
  for (int j = 0; j <= 1; ++j) {
    const double scale = std::pow(radius, -2 * j);
    terms.push_back({centre, scale, j, j, true, 0});  // Re log zeta = log |zeta| has no cut
    for (int k = 1; k <= orders; ++k)
      for (const Complex part : {Complex(1), kI})
        terms.push_back({centre, part * std::pow(radius, k) * scale, j - k, j, false, 0});
  }
  return terms;
}

}  // namespace torsor
