// A slab with constant coefficients and inflow that is constant in time, at discrete velocities:
//
//   eps f_t + v_j f_x = (sigma/eps)(<f> - f) - eps sigma_A f + eps Q,   <f> = sum_j w_j f_j,
//   f = F_j for incoming v_j.
//
// What transport_laplace.h and transport_fronts.h solve, each with initial data of its own.
#pragma once

#include <Eigen/Core>

namespace torsor {

struct TransportSlab {
  double a = 0.0, b = 1.0;  ///< the walls
  double eps = 1.0;         ///< Knudsen number
  double scattering = 1.0;  ///< sigma
  double absorption = 0.0;  ///< sigma_A
  double source = 0.0;      ///< Q
  Eigen::VectorXd inflow;   ///< F_j, from the left wall for v_j > 0 and from the right one for v_j < 0
};

}  // namespace torsor
