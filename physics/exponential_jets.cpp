#include "physics/exponential_jets.h"

#include <algorithm>

namespace torsor {

ExponentialJets::ExponentialJets(std::vector<MultiIndex> closure) : closure_(std::move(closure)) {
  for (size_t a = 0; a < closure_.size(); ++a) {
    MultiIndex before = closure_[a];
    const auto along = std::find_if(before.begin(), before.end(), [](int order) { return order > 0; });
    if (along == before.end()) continue;
    --*along;
    for (const auto& c : lower_set(before)) {
      MultiIndex rest = closure_[a];
      for (size_t i = 0; i < rest.size(); ++i) rest[i] -= c[i];
      parts_.push_back({static_cast<Index>(a), find_index(closure_, c), find_index(closure_, rest), binomial(before, c)});
    }
  }
}

Eigen::ArrayXXd ExponentialJets::of(const Eigen::ArrayXXd& n) const {
  Eigen::ArrayXXd e = Eigen::ArrayXXd::Zero(n.rows(), n.cols());
  e.col(0) = n.col(0).exp();
  for (const Part& part : parts_) e.col(part.a) += part.factor * e.col(part.c) * n.col(part.rest);
  return e;
}

Eigen::ArrayXXd ExponentialJets::adjoint(const Eigen::ArrayXXd& n, const Eigen::ArrayXXd& e, Eigen::ArrayXXd by_e) const {
  Eigen::ArrayXXd by_n = Eigen::ArrayXXd::Zero(n.rows(), n.cols());
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    by_n.col(part->rest) += part->factor * by_e.col(part->a) * e.col(part->c);
    by_e.col(part->c) += part->factor * by_e.col(part->a) * n.col(part->rest);
  }
  by_n.col(0) += by_e.col(0) * e.col(0);
  return by_n;
}

}  // namespace torsor
