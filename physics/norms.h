// Distances of a prediction p from a reference r over the pairs i where r_i is a number.
//
//   relative L2   ||p - r||_2 / ||r||_2              relative L1   ||p - r||_1 / ||r||_1
//   max absolute  max |p_i - r_i|                    relative max  max |p_i - r_i| / max |r_i|
//
// A NaN in the reference marks a masked point and drops the pair. A NaN in the prediction at a point that is
// not masked makes every norm NaN: it is never hidden.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string>

#include "physics/error.h"

namespace torsor {

/// All norms of one comparison, and the number of pairs they were taken over.
///
/// Where the reference is zero everywhere a ratio has no meaning and the absolute error is reported in its
/// place: relative_l2 is the root mean square of p - r, relative_l1 its mean absolute value, relative_max its
/// largest absolute value (units of p), and `reference_is_zero` is set.
struct ErrorNorms {
  double relative_l2 = 0;
  double relative_l1 = 0;
  double max_absolute = 0;
  double relative_max = 0;
  Eigen::Index count = 0;
  bool reference_is_zero = false;
};

/// The norms of `prediction` (N) against `reference` (N). Throws InputError when the lengths differ or no
/// pair is left after masking.
inline ErrorNorms error_norms(const Eigen::Ref<const Eigen::VectorXd>& prediction,
                              const Eigen::Ref<const Eigen::VectorXd>& reference) {
  if (prediction.size() != reference.size()) {
    throw InputError("prediction has " + std::to_string(prediction.size()) +
                     " values and the reference has " + std::to_string(reference.size()) +
                     "; the lengths must agree");
  }
  ErrorNorms norms;
  double error1 = 0, error2 = 0, reference1 = 0, reference2 = 0, reference_max = 0;
  for (Eigen::Index i = 0; i < reference.size(); ++i) {
    if (std::isnan(reference[i])) continue;
    const double error = std::abs(prediction[i] - reference[i]);
    const double size = std::abs(reference[i]);
    error1 += error;
    error2 += error * error;
    reference1 += size;
    reference2 += size * size;
    reference_max = std::max(reference_max, size);
    // No comparison with NaN is true: once the maximum is NaN it stays NaN.
    if (std::isnan(error) || error > norms.max_absolute) norms.max_absolute = error;
    ++norms.count;
  }
  if (norms.count == 0) {
    throw InputError("no pair to compare: of " + std::to_string(reference.size()) +
                     " reference values none is a number; at least one must be");
  }
  norms.reference_is_zero = reference_max == 0;
  const auto n = static_cast<double>(norms.count);
  norms.relative_l2 = std::sqrt(error2 / (norms.reference_is_zero ? n : reference2));
  norms.relative_l1 = error1 / (norms.reference_is_zero ? n : reference1);
  norms.relative_max = norms.max_absolute / (norms.reference_is_zero ? 1 : reference_max);
  return norms;
}

/// ||p - r||_2 / ||r||_2; see ErrorNorms for r = 0 and error_norms for the errors thrown.
inline double relative_l2(const Eigen::Ref<const Eigen::VectorXd>& prediction,
                          const Eigen::Ref<const Eigen::VectorXd>& reference) {
  return error_norms(prediction, reference).relative_l2;
}

/// ||p - r||_1 / ||r||_1; see ErrorNorms for r = 0 and error_norms for the errors thrown.
inline double relative_l1(const Eigen::Ref<const Eigen::VectorXd>& prediction,
                          const Eigen::Ref<const Eigen::VectorXd>& reference) {
  return error_norms(prediction, reference).relative_l1;
}

/// max |p_i - r_i|; see error_norms for the errors thrown.
inline double max_absolute(const Eigen::Ref<const Eigen::VectorXd>& prediction,
                           const Eigen::Ref<const Eigen::VectorXd>& reference) {
  return error_norms(prediction, reference).max_absolute;
}

/// max |p_i - r_i| / max |r_i|; see ErrorNorms for r = 0 and error_norms for the errors thrown.
inline double relative_max(const Eigen::Ref<const Eigen::VectorXd>& prediction,
                           const Eigen::Ref<const Eigen::VectorXd>& reference) {
  return error_norms(prediction, reference).relative_max;
}

}  // namespace torsor
