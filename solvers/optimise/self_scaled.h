// Self-scaled quasi-Newton methods with a full matrix H, in float64. With s, y of the last step and h = H y:
//
//     H <- (H - h h^T / y^T h + phi v v^T) / tau + s s^T / y^T s,      v = sqrt(y^T h) (s / y^T s - h / y^T h).
//
// The secant equation H y = s holds for all tau and phi. tau and phi follow from the two ratios
//
//     beta = s^T H^-1 s / y^T s = -t s^T g / y^T s,      eta = y^T h / y^T s,      a = beta eta - 1 >= 0,
//
// by a rule, which is what distinguishes the methods (ssbfgs.cpp, ssbroyden.cpp). A rule gives phi by the parameter
// theta of the direct update, phi = (1 - theta) / (1 + a theta): theta = 0 is BFGS, theta = 1 is DFP. H stays positive
// definite for tau > 0 and theta > -1 / a.
//
// Each iteration costs one evaluation or two and one sweep over half the matrix (inverse_hessian.h).
//
// Sources: Al-Baali, Khalfan, "Wide interval for efficient self-scaling quasi-Newton algorithms", Optim. Methods Softw.
// 20 (2005) 679-691; Urban, Stefanou, Pons, "Unveiling the optimization process of physics informed neural networks",
// J. Comput. Phys. 523 (2025) 113656.
#pragma once

#include <algorithm>

#include "solvers/optimise/inverse_hessian.h"
#include "solvers/optimise/quasi_newton.h"

namespace torsor {

/// beta and eta > 0, and the number of parameters.
struct CurvatureRatios {
  double beta, eta;
  Index n;

  /// beta eta - 1, which is negative by rounding only.
  double a() const { return std::max(0.0, beta * eta - 1); }
};

struct SelfScaling {
  double tau, phi;
};

using ScalingRule = SelfScaling (*)(const CurvatureRatios&);

SelfScaling ssbfgs_scaling(const CurvatureRatios& ratios);
SelfScaling ssbroyden_scaling(const CurvatureRatios& ratios);

/// The update above in the form of inverse_hessian.h.
SymmetricUpdate self_scaled_update(const SelfScaling& scaling, double y_s, double y_h);

class SelfScaled final : public QuasiNewton {
 public:
  SelfScaled(const QuasiNewtonOptions& options, ScalingRule rule) : QuasiNewton(options), rule_(rule) {}

 protected:
  Eigen::VectorXd direction(const Eigen::VectorXd& gradient) override;
  bool is_fresh() const override { return inverse_.size() == 0; }
  void learn(const Displacement& step) override;
  void forget() override;
  State memory() const override;
  void restore_memory(const State& memory) override;

 private:
  ScalingRule rule_;
  InverseHessian inverse_{0, 1};  // empty: nothing learnt
  // H g is known for the gradient at the end of the last step without another sweep.
  Eigen::VectorXd gradient_, product_;
};

}  // namespace torsor
