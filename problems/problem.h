// A problem: coordinates, fields, and terms whose residuals have to vanish. One instance (all parameters fixed) is a
// task; a family is what a definition in problems/NAME.cpp or a config makes of different parameters and seeds.
//
// Each residual is written once, as a formula (or a function) of the fields' jets. From that one definition come the
// loss, the rows of a linear head, Newton's method, the classical solvers' equations and the tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "physics/coordinates.h"
#include "physics/domain.h"
#include "physics/expression.h"
#include "physics/multi_index.h"
#include "physics/velocity_basis.h"

namespace at {
class Tensor;
}

namespace torsor {

/// A partial derivative of one of the problem's fields.
struct FieldJet {
  Index field = 0;
  MultiIndex orders;
  friend bool operator==(const FieldJet&, const FieldJet&) = default;
};

/// What a residual is a function of, at N points: "x", "t" (coordinates), "u", "u_xx" (the jets the term asks for),
/// "n_x" (outward normal, on boundaries). Each is a float64 tensor [N].
using JetTensors = std::function<at::Tensor(const std::string& name)>;

enum class Place { interior, boundary, initial };

/// One named residual that vanishes on one part of the domain.
struct Term {
  std::string name;
  Place place = Place::interior;
  std::vector<std::string> pieces;  ///< boundary pieces; empty: all that are not claimed by another term by name
  std::string text;                 ///< as written
  std::vector<FieldJet> jets;       ///< what the residual asks for
  std::function<at::Tensor(const JetTensors&)> residual;  ///< [N]
  std::optional<Expression> formula{};  ///< of coordinates, normals, jets and data, where the residual is one
  /// Further names of the formula: their values at points (N x d), N each.
  std::map<std::string, std::function<Eigen::VectorXd(const Eigen::MatrixXd& points)>> data{};
};

struct Field {
  std::string name;
  std::string unit;
};

struct Parameter {
  std::string name;
  double value = 0;
  double low = 0, high = 0;  ///< allowed range
  std::string unit, help;
  double default_value = 0;
};

/// An unknown of the velocity: f(x, v_j) = sum_m basis(j, m) fields[first + m].
struct VelocityField {
  std::string name;
  Index first = 0;
  Eigen::MatrixXd basis;  ///< nodes x moments
};

/// A quantity made of the fields' values.
struct Derived {
  std::string name;
  std::string text;                   ///< as written
  std::optional<Expression> formula;  ///< of fields and coordinates; or
  Eigen::MatrixXd map;                ///< for each velocity node: sum_f map(j, f) fields[f]
};

class Problem {
 public:
  std::string name;
  std::string title;   ///< one line: the equation in words and formula
  std::string source;  ///< where the benchmark comes from
  std::vector<Coordinate> coordinates;
  std::shared_ptr<const Domain> domain;  ///< in space only, when there is a time coordinate
  bool box = true;                       ///< the domain is the box of the ranges
  std::vector<BoundaryPiece> pieces;     ///< of the domain, without the sides that a periodic coordinate joins
  std::vector<Field> fields;
  std::optional<VelocityBasis> velocity;       ///< of kinetic equations
  std::vector<VelocityField> velocity_fields;  ///< which fields are moments of what
  std::vector<Derived> derived;
  std::vector<std::string> conserved;  ///< quantities whose integral over space does not change in time
  std::vector<Parameter> parameters;
  std::vector<Term> terms;
  std::vector<std::optional<Expression>> exact;  ///< of each field, in the coordinates; may be absent
  std::string reference = "auto";                ///< name of the classical solver; "auto" chooses
  uint64_t seed = 0;

  Index dimension() const { return static_cast<Index>(coordinates.size()); }
  Index time() const { return time_index(coordinates); }
  /// The coordinates that are not time, in order.
  std::vector<Index> space() const;
  bool has_exact() const;
  /// Highest order of d/dt of a field in the interior terms; 0 without time.
  int time_order(Index field) const;
  /// Highest total order of derivatives in the interior terms.
  int order() const;
  Index field_index(const std::string& field) const;
  /// Names that stand for a jet in formulas, e.g. "u_xxt".
  std::string jet_text(const FieldJet& jet) const;
  /// The jet with this name; throws InputError with the nearest known field.
  FieldJet jet(const std::string& name) const;
  /// The exact jets at points (N x d): one column for each of `jets`. Throws InputError without exact solution.
  Eigen::MatrixXd exact_jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) const;
  /// The names of the boundary pieces on which a boundary term holds.
  std::vector<std::string> pieces_of(const Term& term) const;
  /// Throws InputError for a term that names an unknown piece, and for a piece that two terms name.
  void check_pieces() const;
  /// A formula of coordinates and parameters with the parameters' values put in. Throws InputError for other names.
  Expression formula(const Expression& formula) const;
  /// Evaluates a formula of the coordinates at points: N values.
  Eigen::VectorXd evaluate(const Expression& formula, const Eigen::MatrixXd& points) const;
};

/// "x = 0.5, t = 0.1", for messages.
std::string point_text(const Problem& problem, const Eigen::RowVectorXd& point);

/// A formula of the coordinates at points (N x d): N values. Throws InputError for a name that is not a coordinate.
Eigen::VectorXd evaluate_formula(const Expression& formula, const std::vector<std::string>& coordinates,
                                 const Eigen::MatrixXd& points);

/// A term at points, linearised about a state: residual(jets + h) = residual + sum_c coefficients(:, c) h(:, c) + ...
struct LinearizedTerm {
  Eigen::VectorXd residual;      ///< N
  Eigen::MatrixXd coefficients;  ///< N x term.jets.size()
};

/// Residual and its derivatives by the jets, by reverse-mode differentiation of the term's one definition.
/// `points` N x d, `normals` N x d or empty, `jets` N x term.jets.size(). Throws NumericalError naming term and point
/// when a value is not finite.
LinearizedTerm linearize(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                         const Eigen::MatrixXd& normals, const Eigen::MatrixXd& jets);

/// The residual alone.
Eigen::VectorXd evaluate_residual(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                                  const Eigen::MatrixXd& normals, const Eigen::MatrixXd& jets);

}  // namespace torsor
