// SOAP against Adam, and its invariance under rotations.
#include <gtest/gtest.h>

#include "tests/solvers/optimise/functions.h"

namespace torsor {
namespace {

using namespace testing;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

VectorXd flat(const RowMatrix& m) { return Eigen::Map<const VectorXd>(m.data(), m.size()); }

TEST(Soap, IsAdamOnVectors) {
  const auto soap = make_optimiser("soap", {"b1=0.9", "b2=0.99", "weight_decay=0.1"}, {{7, 1}, {1, 4}});
  const auto adam = make_optimiser("adam", {"b1=0.9", "b2=0.99", "weight_decay=0.1"});
  VectorXd x = VectorXd::Ones(11), y = x;
  for (unsigned k = 0; k < 40; ++k) {
    const VectorXd g = random_matrix(11, 1, k);
    soap->update(g, 0.01, x);
    adam->update(g, 0.01, y);
  }
  EXPECT_LT((x - y).norm(), 1e-14);
}

TEST(Soap, IsAdamWhereTheEigenbasisIsTheIdentity) {
  // Diagonal gradients of decreasing size have the coordinate axes as singular vectors.
  const auto soap = make_optimiser("soap", {"b1=0.9", "b2=0.99", "frequency=3"}, {{4, 4}});
  const auto adam = make_optimiser("adam", {"b1=0.9", "b2=0.99"});
  VectorXd x = VectorXd::Zero(16), y = x;
  for (unsigned k = 0; k < 20; ++k) {
    const Eigen::Vector4d size(8, 4, 2, 1);
    const RowMatrix g = (size.array() * (1 + 0.1 * random_matrix(4, 1, k).array())).matrix().asDiagonal();
    soap->update(flat(g), 0.01, x);
    adam->update(flat(g), 0.01, y);
  }
  EXPECT_LT((x - y).norm(), 1e-13);
}

// Turning the problem, W -> U W V^T, turns the iterates. Square gradients, so that no eigenvalue is repeated.
TEST(Soap, TurnsWithTheProblem) {
  const RowMatrix u = Eigen::HouseholderQR<MatrixXd>(random_matrix(4, 4, 1)).householderQ();
  const RowMatrix v = Eigen::HouseholderQR<MatrixXd>(random_matrix(4, 4, 2)).householderQ();
  const auto plain = make_optimiser("soap", {"frequency=4"}, {{4, 4}});
  const auto turned = make_optimiser("soap", {"frequency=4"}, {{4, 4}});
  VectorXd x = VectorXd::Zero(16), y = x;
  for (unsigned k = 0; k < 30; ++k) {
    const RowMatrix g = random_matrix(4, 4, 10 + k);
    plain->update(flat(g), 0.01, x);
    turned->update(flat(u * g * v.transpose()), 0.01, y);
  }
  const RowMatrix w = Eigen::Map<const RowMatrix>(x.data(), 4, 4);
  EXPECT_GT(w.norm(), 0.01);
  EXPECT_LT((flat(u * w * v.transpose()) - y).norm(), 1e-7 * w.norm());
}

TEST(Soap, RotatesVectorsOnDemandAndLeavesLongSides) {
  const VectorXd g = random_matrix(6, 1, 1);
  VectorXd x = VectorXd::Zero(6), y = x;
  make_optimiser("soap", {"vectors=yes"}, {{6, 1}})->update(g, 1, x);
  // In the eigenbasis of g g^T only one entry of the gradient is not zero: Adam's first step has length one.
  EXPECT_NEAR(x.norm(), 1, 1e-6);
  make_optimiser("soap", {"vectors=yes", "max_size=5"}, {{6, 1}})->update(g, 1, y);
  EXPECT_LT((y + g.cwiseSign()).norm(), 1e-6);
}

TEST(Soap, BlocksMustCoverTheParameters) {
  VectorXd x = VectorXd::Zero(5);
  EXPECT_THROW(make_optimiser("soap", {}, {{2, 2}})->update(x, 1, x), std::logic_error);
}

}  // namespace
}  // namespace torsor
