#include "physics/velocity_basis.h"

#include <cmath>
#include <functional>
#include <map>

#include "physics/error.h"
#include "physics/velocity_set.h"

namespace torsor {
namespace {

using Eigen::Index;

struct NodeSet {
  size_t components, numbers;
  std::function<void(const std::vector<int>&, VelocityBasis&)> make;
};

void take(const VelocitySet& set, VelocityBasis& basis) {
  basis.nodes = set.nodes;
  basis.weights = set.weights;
}

void take(const PlanarVelocitySet& set, VelocityBasis& basis) {
  basis.nodes = set.nodes;
  basis.weights = set.weights;
}

const std::map<std::string, NodeSet>& node_sets() {
  using Numbers = const std::vector<int>&;
  static const std::map<std::string, NodeSet> sets{
      {"gauss", {1, 1, [](Numbers n, VelocityBasis& b) { take(gauss_velocities(n[0]), b); }}},
      {"double_gauss", {1, 1, [](Numbers n, VelocityBasis& b) { take(double_gauss_velocities(n[0]), b); }}},
      {"circle", {2, 1, [](Numbers n, VelocityBasis& b) { take(circle_velocities(n[0]), b); }}},
      {"sphere", {2, 2, [](Numbers n, VelocityBasis& b) { take(sphere_velocities(n[0], n[1]), b); }}},
      {"disc", {2, 2, [](Numbers n, VelocityBasis& b) { take(disc_velocities(n[0], n[1]), b); }}}};
  return sets;
}

void orthonormalise(VelocityBasis& basis) {
  constexpr double kVanishes = 1e-9;  // of a candidate of size one: it is a combination of those before
  const Index n = basis.size();
  Eigen::MatrixXd& p = basis.polynomials;
  p = Eigen::MatrixXd::Zero(n, n);
  p.col(0).setOnes();
  basis.degrees = {0};
  Index begin = 0, end = 1;  // the columns of the last degree
  while (end < n) {
    Index next = end;
    for (Index i = 0; i < basis.dimension() && next < n; ++i)
      for (Index l = begin; l < end && next < n; ++l) {
        Eigen::VectorXd candidate = basis.nodes.col(i).cwiseProduct(p.col(l));
        const double size = std::sqrt(basis.weights.dot(candidate.cwiseAbs2()));
        for (int pass = 0; pass < 2; ++pass)
          for (Index m = 0; m < next; ++m)
            candidate -= basis.weights.cwiseProduct(p.col(m)).dot(candidate) * p.col(m);
        const double rest = std::sqrt(basis.weights.dot(candidate.cwiseAbs2()));
        if (rest <= kVanishes * size) continue;
        p.col(next++) = candidate / rest;
        basis.degrees.push_back(basis.degrees[static_cast<size_t>(l)] + 1);
      }
    if (next == end) throw InputError("the velocity nodes are not distinct");
    begin = end;
    end = next;
  }
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::vector<std::string> comma_separated(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

VelocityBasis make_velocity_basis(std::vector<std::string> names, const std::string& set,
                                  const std::vector<int>& numbers) {
  std::vector<std::string> known;
  for (const auto& entry : node_sets()) known.push_back(entry.first);
  const auto found = node_sets().find(set);
  if (found == node_sets().end()) throw InputError(unknown_name_message("set of velocities", set, known));
  if (numbers.size() != found->second.numbers)
    throw InputError(set + " takes " + std::to_string(found->second.numbers) + " numbers, not " +
                     std::to_string(numbers.size()));
  if (names.size() != found->second.components)
    throw InputError(set + " has velocities of " + std::to_string(found->second.components) + " components, not " +
                     std::to_string(names.size()));
  VelocityBasis basis;
  basis.names = std::move(names);
  found->second.make(numbers, basis);
  orthonormalise(basis);
  return basis;
}

VelocityBasis parse_velocity(const std::string& text, const std::function<double(const std::string&)>& number) {
  const size_t in = text.find(" in "), open = text.find('('), close = text.rfind(')');
  const bool fits = in != std::string::npos && open != std::string::npos && close != std::string::npos && in < open &&
                    open < close && trimmed(text.substr(close + 1)).empty();
  if (!fits) throw InputError("'" + text + "' is not of the form NAMES in SET(NUMBERS), as v in gauss(16)");
  std::vector<int> numbers;
  for (const auto& part : comma_separated(text.substr(open + 1, close - open - 1))) {
    const double value = number(part);
    if (!(value >= 1 && value <= 1000) || value != std::round(value))
      throw InputError("'" + text + "': " + part + " is not a whole number from 1 to 1000");
    numbers.push_back(static_cast<int>(value));
  }
  return make_velocity_basis(comma_separated(text.substr(0, in)), trimmed(text.substr(in + 4, open - in - 4)), numbers);
}

}  // namespace torsor
