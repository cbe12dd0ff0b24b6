// The coefficients of ETDRK4 for a matrix symbol A (n x n for each wave number) and a step h: with z = h A
//
//   e  = exp(z),  e2 = exp(z/2),  q = h (exp(z/2) - 1) z^-1,
//   f1 = h (-4 - z + exp(z) (4 - 3 z + z^2)) z^-3,
//   f2 = h (2 + z + exp(z) (-2 + z)) z^-3,
//   f3 = h (-4 - 3 z - z^2 + exp(z) (4 - z)) z^-3.
//
// Scalars: means over a circle around z, which avoid the cancellation of the formulas at small z. Matrices:
// A = V Lambda V^-1 after balancing, and the scalar functions of Lambda. Where V is ill conditioned
// (defective symbols) means of the resolvent over disjoint circles that enclose the eigenvalues,
//
//   f(z) = sum_Gamma 1/(2 pi i) int_Gamma f(s) (s - z)^-1 ds.
//
// Sources: A.-K. Kassam, L. N. Trefethen, SIAM J. Sci. Comput. 26 (2005); B. N. Parlett, C. Reinsch, Numer.
// Math. 13 (1969) (balancing); N. J. Higham, Functions of Matrices, SIAM 2008.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace torsor {

/// Entry (i, j) of the n x n matrices of all modes in column i n + j: modes x n^2. Names as in the source.
struct EtdCoefficients {
  Eigen::ArrayXXcd e, e2, q, f1, f2, f3;
};

class EtdSymbol {
 public:
  /// A, modes x n^2 as above. InputError when the number of columns is no square.
  explicit EtdSymbol(const Eigen::ArrayXXcd& symbol);

  /// NumericalError when an ill-conditioned symbol has eigenvalues spread over so wide a circle that exp
  /// would cancel on it.
  EtdCoefficients coefficients(double h) const;

 private:
  void diagonalize(Eigen::Index mode, const Eigen::MatrixXcd& a);

  Eigen::Index n_;
  Eigen::ArrayXXcd eigenvalues_;         // modes x n
  Eigen::ArrayXXcd vectors_, inverses_;  // V and V^-1, modes x n^2; empty for n = 1
  struct IllConditioned {
    Eigen::Index mode;
    Eigen::VectorXd scale;      // D of A = D B D^-1
    Eigen::MatrixXcd balanced;  // B
  };
  std::vector<IllConditioned> ill_conditioned_;
};

}  // namespace torsor
