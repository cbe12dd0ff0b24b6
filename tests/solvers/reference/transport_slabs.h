// Slabs on which transport-laplace and transport-fronts are tested.
#pragma once

#include "physics/velocity_basis.h"
#include "solvers/reference/transport_slab.h"

namespace torsor {

// Inflow 1 from the left.
inline TransportSlab inflow_from_the_left(const VelocityBasis& v, double eps) {
  TransportSlab slab;
  slab.eps = eps;
  slab.inflow = (v.nodes.col(0).array() > 0.0).cast<double>();
  return slab;
}

// Anisotropic inflow from both sides, absorption and a source.
inline TransportSlab general_slab(const VelocityBasis& v, double eps) {
  TransportSlab slab{-0.5, 0.8, eps, 1.7, 0.6, 0.9, {}};
  slab.inflow = 1.0 + v.nodes.col(0).array() + 0.5 * v.nodes.col(0).array().square();
  return slab;
}

}  // namespace torsor
