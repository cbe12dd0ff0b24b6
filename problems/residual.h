// Residuals as differentiable tensor programs.
#pragma once

#include "problems/problem.h"

namespace torsor {

/// The residual that a fully expanded formula stands for: its free names are coordinates, jets and normals.
std::function<at::Tensor(const JetTensors&)> expression_residual(const Expression& formula);

/// The term "jet = values": residual(x) = jet - values(x), values given at points (N x d) as N numbers. With it a
/// solution that is known at some place becomes the data of the next one (time windows).
Term given_value_term(const Problem& problem, const std::string& name, Place place, const FieldJet& jet,
                      std::function<Eigen::VectorXd(const Eigen::MatrixXd& points)> values);

/// The term "sum_c factors[c] jets[c] = 0".
Term weighted_sum_term(const Problem& problem, const std::string& name, Place place, const std::vector<FieldJet>& jets,
                       const std::vector<double>& factors);

/// The term r(t, jets) = factor r(start, values) for the term r(t, jets) = 0: what other values of the jets leave in it at
/// another time. `factor`: N numbers, `values`: N x jets, at points (N x d).
Term remembering_term(const Problem& problem, Term term, double start,
                      std::function<Eigen::VectorXd(const Eigen::MatrixXd& points)> factor,
                      const std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points)>& values);

/// The homogeneous part r(jets) - r(0) of a linear term's residual.
Term homogeneous_term(const Problem& problem, Term term);

}  // namespace torsor
