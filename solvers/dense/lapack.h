// BLAS and LAPACK by their Fortran symbols, and thin wrappers that take arguments by value.
//
// Matrices are column-major; entry (i, j) of a matrix with leading dimension ld is a[i + j * ld].
// Reference: Anderson et al., LAPACK Users' Guide, 3rd ed., SIAM 1999.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "physics/error.h"

namespace torsor::lapack {

// The trailing size_t are the lengths of the character arguments, which gfortran expects.
extern "C" {
void dgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc, size_t, size_t);
void dtrmm_(const char* side, const char* uplo, const char* transa, const char* diag, const int* m,
            const int* n, const double* alpha, const double* a, const int* lda, double* b, const int* ldb,
            size_t, size_t, size_t, size_t);
void dtrsm_(const char* side, const char* uplo, const char* transa, const char* diag, const int* m,
            const int* n, const double* alpha, const double* a, const int* lda, double* b, const int* ldb,
            size_t, size_t, size_t, size_t);
double dnrm2_(const int* n, const double* x, const int* incx);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dgeqp3_(const int* m, const int* n, double* a, const int* lda, int* jpvt, double* tau, double* work,
             const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau,
             double* work, const int* lwork, int* info);
void dormqr_(const char* side, const char* trans, const int* m, const int* n, const int* k, const double* a,
             const int* lda, const double* tau, double* c, const int* ldc, double* work, const int* lwork,
             int* info, size_t, size_t);
void dtzrzf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dormrz_(const char* side, const char* trans, const int* m, const int* n, const int* k, const int* l,
             const double* a, const int* lda, const double* tau, double* c, const int* ldc, double* work,
             const int* lwork, int* info, size_t, size_t);
void dtrcon_(const char* norm, const char* uplo, const char* diag, const int* n, const double* a,
             const int* lda, double* rcond, double* work, int* iwork, int* info, size_t, size_t, size_t);
void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s, double* u,
             const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork, int* iwork,
             int* info, size_t);
}

/// C <- alpha op(A) op(B) + beta C, with op(A) m x k, op(B) k x n, C m x n.
inline void gemm(char transa, char transb, int m, int n, int k, double alpha, const double* a, int lda,
                 const double* b, int ldb, double beta, double* c, int ldc) {
  dgemm_(&transa, &transb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc, 1, 1);
}

/// B <- op(U) B with U an m x m upper triangle, B m x n.
inline void upper_times(char trans, int m, int n, const double* u, int ldu, double* b, int ldb) {
  const char side = 'L', uplo = 'U', diag = 'N';
  const double one = 1.0;
  dtrmm_(&side, &uplo, &trans, &diag, &m, &n, &one, u, &ldu, b, &ldb, 1, 1, 1, 1);
}

/// B <- B U with U an n x n upper triangle, B m x n.
inline void times_upper(int m, int n, const double* u, int ldu, double* b, int ldb) {
  const char side = 'R', uplo = 'U', trans = 'N', diag = 'N';
  const double one = 1.0;
  dtrmm_(&side, &uplo, &trans, &diag, &m, &n, &one, u, &ldu, b, &ldb, 1, 1, 1, 1);
}

/// B <- U^-1 B with U an m x m upper triangle, B m x n.
inline void upper_solve(int m, int n, const double* u, int ldu, double* b, int ldb) {
  const char side = 'L', uplo = 'U', trans = 'N', diag = 'N';
  const double one = 1.0;
  dtrsm_(&side, &uplo, &trans, &diag, &m, &n, &one, u, &ldu, b, &ldb, 1, 1, 1, 1);
}

/// ||x||_2 without overflow.
inline double norm2(int n, const double* x) {
  const int one = 1;
  return dnrm2_(&n, x, &one);
}

namespace detail {

/// Calls `routine(work, lwork, info)` twice: once to ask for the workspace size, once to compute.
/// Throws NumericalError when LAPACK reports a failure.
template <class Routine>
void with_workspace(const char* name, Routine routine) {
  int info = 0, query = -1;
  double size = 0.0;
  routine(&size, &query, &info);
  int lwork = std::max(1, static_cast<int>(size));
  std::vector<double> work(static_cast<size_t>(lwork));
  if (info == 0) routine(work.data(), &lwork, &info);
  if (info != 0)
    throw NumericalError(std::string("LAPACK ") + name + " failed, info = " + std::to_string(info));
}

}  // namespace detail

/// A = Q R; R and the reflectors overwrite A (m x n), tau has min(m, n) entries.
inline void geqrf(int m, int n, double* a, int lda, double* tau) {
  detail::with_workspace("dgeqrf", [&](double* work, const int* lwork, int* info) {
    dgeqrf_(&m, &n, a, &lda, tau, work, lwork, info);
  });
}

/// A P = Q R with column pivoting; pivots[j] is the (zero-based) column of A that became column j.
inline void geqp3(int m, int n, double* a, int lda, int* pivots, double* tau) {
  std::fill(pivots, pivots + n, 0);
  detail::with_workspace("dgeqp3", [&](double* work, const int* lwork, int* info) {
    dgeqp3_(&m, &n, a, &lda, pivots, tau, work, lwork, info);
  });
  for (int j = 0; j < n; ++j) --pivots[j];
}

/// The first n columns of Q from k reflectors, in place (m x n).
inline void orgqr(int m, int n, int k, double* a, int lda, const double* tau) {
  detail::with_workspace("dorgqr", [&](double* work, const int* lwork, int* info) {
    dorgqr_(&m, &n, &k, a, &lda, tau, work, lwork, info);
  });
}

/// C <- op(Q) C (m x n) with Q the product of k reflectors stored in `a`.
inline void ormqr(char trans, int m, int n, int k, const double* a, int lda, const double* tau, double* c,
                  int ldc) {
  const char side = 'L';
  detail::with_workspace("dormqr", [&](double* work, const int* lwork, int* info) {
    dormqr_(&side, &trans, &m, &n, &k, a, &lda, tau, c, &ldc, work, lwork, info, 1, 1);
  });
}

/// Upper trapezoid A (m x n, m <= n) = [U 0] Z.
inline void tzrzf(int m, int n, double* a, int lda, double* tau) {
  detail::with_workspace("dtzrzf", [&](double* work, const int* lwork, int* info) {
    dtzrzf_(&m, &n, a, &lda, tau, work, lwork, info);
  });
}

/// C <- op(Z) C (m x n), Z from tzrzf with k rows and l = (columns - k).
inline void ormrz(char trans, int m, int n, int k, int l, const double* a, int lda, const double* tau,
                  double* c, int ldc) {
  const char side = 'L';
  detail::with_workspace("dormrz", [&](double* work, const int* lwork, int* info) {
    dormrz_(&side, &trans, &m, &n, &k, &l, a, &lda, tau, c, &ldc, work, lwork, info, 1, 1);
  });
}

/// Estimate of 1 / (||U||_1 ||U^-1||_1) for an n x n upper triangle.
inline double reciprocal_condition(int n, const double* u, int ldu) {
  const char norm = '1', uplo = 'U', diag = 'N';
  std::vector<double> work(3 * static_cast<size_t>(n));
  std::vector<int> iwork(static_cast<size_t>(n));
  double rcond = 0.0;
  int info = 0;
  dtrcon_(&norm, &uplo, &diag, &n, u, &ldu, &rcond, work.data(), iwork.data(), &info, 1, 1, 1);
  return rcond;
}

/// Singular values of A (m x n, destroyed), descending.
inline std::vector<double> singular_values(int m, int n, double* a, int lda) {
  const char none = 'N';
  const int one = 1;
  std::vector<double> values(static_cast<size_t>(std::min(m, n)));
  std::vector<int> iwork(8 * values.size() + 1);
  double unused = 0.0;
  detail::with_workspace("dgesdd", [&](double* work, const int* lwork, int* info) {
    dgesdd_(&none, &m, &n, a, &lda, values.data(), &unused, &one, &unused, &one, work, lwork, iwork.data(),
            info, 1);
  });
  return values;
}

}  // namespace torsor::lapack
