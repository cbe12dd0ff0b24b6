#include "solvers/optimise/self_scaled.h"

namespace torsor {

using Eigen::VectorXd;

SymmetricUpdate self_scaled_update(const SelfScaling& scaling, double y_s, double y_h) {
  const auto [tau, phi] = scaling;
  return {.tau = tau,
          .a = phi * y_h / (tau * y_s * y_s) + 1 / y_s,
          .b = -phi / (tau * y_s),
          .c = (phi - 1) / (tau * y_h)};
}

VectorXd SelfScaled::direction(const VectorXd& gradient) {
  if (is_fresh()) return -gradient;
  if (gradient != gradient_) {
    VectorXd again;
    inverse_.multiply(gradient, gradient, product_, again);
    gradient_ = gradient;
  }
  return -product_;
}

void SelfScaled::learn(const Displacement& step) {
  const auto& [s, y, gradient, next_gradient, t] = step;
  const double y_s = y.dot(s);
  double scale = 1;
  if (is_fresh()) {
    scale = y_s / y.squaredNorm();  // the size of the inverse Hessian along y
    inverse_ = InverseHessian(s.size(), scale);
  }
  VectorXd h, product;
  inverse_.multiply(y, next_gradient, h, product);
  const double y_h = y.dot(h), s_hs = -t * gradient.dot(s) / scale;
  if (!(y_h > 0) || !(s_hs > 0)) {
    forget();  // rounding has made H indefinite
    return;
  }
  const SymmetricUpdate update = self_scaled_update(rule_({s_hs / y_s, y_h / y_s, s.size()}), y_s, y_h);
  inverse_.update(update, s, h);
  const double s_g = s.dot(next_gradient), h_g = h.dot(next_gradient);
  product_ = product / update.tau + (update.a * s_g + update.b * h_g) * s + (update.b * s_g + update.c * h_g) * h;
  gradient_ = next_gradient;
}

void SelfScaled::forget() {
  inverse_ = InverseHessian(0, 1);
  gradient_.resize(0);
  product_.resize(0);
}

State SelfScaled::memory() const {
  State state;
  state.set("inverse", inverse_.state());
  state.set("gradient", gradient_);
  state.set("product", product_);
  return state;
}

void SelfScaled::restore_memory(const State& memory) {
  inverse_ = InverseHessian(memory.part("inverse"));
  gradient_ = memory.vector("gradient");
  product_ = memory.vector("product");
}

}  // namespace torsor
