// Aligned-MTL: the gradients are replaced by the nearest ones that form a system of condition number one,
//
//   d = G B 1,    B = sigma V L^(-1/2) V^T,    A = G^T G = V L V^T  (positive eigenvalues),
//
// so that (G B)^T (G B) = sigma^2 times the projection on the span. sigma^2 is the smallest positive eigenvalue, their
// median, or their mean.
#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>
#include <string>

#include "solvers/combine/combiner.h"

namespace torsor {
namespace {

class AlignedGradients final : public GramCombiner {
 public:
  explicit AlignedGradients(std::string scale) : scale_(std::move(scale)) {}

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const Index m = gram.rows();
    result.weights = Eigen::VectorXd::Zero(m);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(gram);
    const Eigen::VectorXd& l = eigen.eigenvalues();  // ascending
    const double tolerance = l[m - 1] * static_cast<double>(m) * std::numeric_limits<double>::epsilon();
    const Index rank = (l.array() > tolerance).count();
    if (rank == 0) return;
    const auto v = eigen.eigenvectors().rightCols(rank);
    const Eigen::VectorXd kept = l.tail(rank);
    const Eigen::VectorXd coordinates = (v.transpose() * Eigen::VectorXd::Ones(m)).cwiseQuotient(kept.cwiseSqrt());
    result.weights = std::sqrt(squared_scale(kept)) * (v * coordinates);
  }

  double squared_scale(const Eigen::VectorXd& kept) const {
    if (scale_ == "mean") return kept.mean();
    return scale_ == "median" ? kept[(kept.size() - 1) / 2] : kept[0];
  }

  std::string scale_;
};

const RegisterCombiner registered({
    .name = "aligned-mtl",
    .title = "Independent component alignment (Aligned-MTL)",
    .formula = "d = G B 1,  B = sigma V L^(-1/2) V^T,  G^T G = V L V^T (positive eigenvalues L),  sigma^2 = min L",
    .source = "Senushkin, Patakin, Kuznetsov, Konushin: Independent component alignment for multi-task learning "
              "(CVPR 2023), algorithm 1",
    .caveats =
        "The smallest positive eigenvalue sets the length of the step: nearly dependent gradients make it tiny, and "
        "it jumps where the rank drops.",
    .options = {{"scale", "choice", "min", "sigma^2: smallest, (lower) median or mean of the positive eigenvalues",
                 "one of: min|median|mean"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<AlignedGradients>(values.text("scale")); },
});

}  // namespace
}  // namespace torsor
