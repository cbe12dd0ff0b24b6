#include "solvers/optimise/residual_rows.h"

#include <omp.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using BlockJacobian = Eigen::Ref<MatrixXd>;
using BlockResiduals = Eigen::Ref<VectorXd>;

void check_finite(const BlockResiduals& r, const BlockJacobian& jacobian, Index first) {
  if (r.allFinite() && jacobian.allFinite()) return;
  for (Index i = 0; i < r.size(); ++i) {
    const std::string name = "residual " + std::to_string(first + i);
    if (!std::isfinite(r[i])) throw NumericalError(name + " is " + std::to_string(r[i]));
    if (!jacobian.row(i).allFinite()) throw NumericalError("the derivative of " + name + " is not finite");
  }
}

// Gathers rows [J, -r] into a block for each thread; folds them when all are full.
class Folder {
 public:
  Folder(Index rows, Index columns) : columns_(columns) {
    const Index threads = std::clamp<Index>(rows / kRows, 1, omp_get_max_threads());
    // Equal blocks, so that no thread waits for another one's last block.
    const Index rounds = (rows + threads * kRows - 1) / (threads * kRows);
    capacity_ = (rows + threads * rounds - 1) / (threads * rounds);
    const MatrixXd block(capacity_, columns + 1);
    blocks_.assign(static_cast<size_t>(threads), block);
    filled_.assign(static_cast<size_t>(threads), 0);
    parts_.assign(static_cast<size_t>(threads), StreamedQr(static_cast<int>(columns), 1));
  }

  void take(const BlockResiduals& r, const BlockJacobian& jacobian) {
    for (Index done = 0; done < r.size();) {
      if (filled_[next_] == capacity_ && ++next_ == blocks_.size()) fold();
      const Index count = std::min(r.size() - done, capacity_ - filled_[next_]);
      MatrixXd& block = blocks_[next_];
      block.block(filled_[next_], 0, count, columns_) = jacobian.middleRows(done, count);
      block.col(columns_).segment(filled_[next_], count) = -r.segment(done, count);
      filled_[next_] += count;
      done += count;
    }
  }

  StreamedQr finish() {
    fold();
    for (size_t t = 1; t < parts_.size(); ++t) parts_[0].merge(parts_[t]);
    return std::move(parts_[0]);
  }

 private:
  static constexpr Index kRows = 768;  // as StreamOptions::block_rows

  void fold() {
    const int threads = static_cast<int>(parts_.size());
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int t = 0; t < threads; ++t) {
      const size_t own = static_cast<size_t>(t);
      const int ld = static_cast<int>(capacity_);
      parts_[own].absorb(blocks_[own].data(), ld, static_cast<int>(filled_[own]), blocks_[own].col(columns_).data(), ld);
      filled_[own] = 0;
    }
    next_ = 0;
  }

  Index columns_, capacity_;
  size_t next_ = 0;
  std::vector<MatrixXd> blocks_;
  std::vector<Index> filled_;
  std::vector<StreamedQr> parts_;
};

// Calls `take` with the position of each block's first residual, finite numbers only, and checks their count.
template <class Take>
void read_blocks(Objective& objective, const VectorXd& x, const Take& take) {
  Index first = 0;
  objective.residual_blocks(x, [&](BlockResiduals r, BlockJacobian jacobian) {
    check_finite(r, jacobian, first);
    take(first, r, jacobian);
    first += r.size();
  });
  if (first != objective.residuals())
    throw std::logic_error("the objective gave " + std::to_string(first) + " of " +
                           std::to_string(objective.residuals()) + " residuals");
}

}  // namespace

StreamedQr factor_residuals(Objective& objective, const VectorXd& x) {
  Folder folder(objective.residuals(), objective.size());
  read_blocks(objective, x, [&](Index, const BlockResiduals& r, const BlockJacobian& jacobian) {
    folder.take(r, jacobian);
  });
  return folder.finish();
}

void gather_residuals(Objective& objective, const VectorXd& x, MatrixXd& jacobian_transposed, VectorXd& residuals) {
  jacobian_transposed.resize(objective.size(), objective.residuals());
  residuals.resize(objective.residuals());
  read_blocks(objective, x, [&](Index first, const BlockResiduals& r, const BlockJacobian& jacobian) {
    residuals.segment(first, r.size()) = r;
    jacobian_transposed.middleCols(first, r.size()) = jacobian.transpose();
  });
}

}  // namespace torsor
