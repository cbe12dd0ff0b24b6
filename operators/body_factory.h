// Bodies by name, as the configuration asks for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "operators/body.h"

namespace torsor {

/// What is wanted of a body on one cell.
struct BodyRequest {
  Index features = 0;
  Eigen::VectorXd bandwidth;   ///< radians per unit of each coordinate
  Eigen::VectorXd centre;      ///< of the cell
  Eigen::VectorXd half_width;  ///< of the cell; where empty, an MLP takes 4 / bandwidth
  Eigen::VectorXd period;      ///< 0 where the body need not be periodic
  uint64_t seed = 0;
};

/// The kind of body and what does not depend on the cell.
struct BodyOptions {
  std::string kind = "sine";        ///< "sine" or "mlp"
  std::string activation = "tanh";  ///< of an MLP: tanh, sine, swish, softplus
  Index layers = 2;                 ///< hidden layers of an MLP
  bool concatenate = true;          ///< an MLP's features are all hidden layers, not the last one alone
};

/// Names of the kinds of body.
std::vector<std::string> body_names();

/// A body with random, frozen inner weights; concatenated hidden layers share the features evenly. Throws
/// InputError for an unknown kind or activation, too few features for the layers, and what the constructors
/// of the bodies refuse.
std::shared_ptr<const Body> make_body(const BodyOptions& options, const BodyRequest& request);

}  // namespace torsor
