// The harmonised cone of task gradients and its anchor direction (HARMONIC, ICLR 2026, theorem 1; HRGrad stage 1):
//
//   K  = {G l : l >= 0}        what the gradients can make together
//   K* = {y : G^T y >= 0}      what no task objects to
//   H  = K and K* = {G l : l >= 0, A l >= 0},     A = G^T G.
//
// Its extreme rays r_1 ... r_p come from the double description method in l (Motzkin et al. 1953; Fukuda and Prodon
// 1996): start with the rays e_1 ... e_m of {l >= 0} and cut with the half spaces of A one after the other. The anchor
//
//   d = U( sum_j U(r_j) ),     U(x) = x / |x|,
//
// is in H, so that no task objects to it. H = {0} exactly where K is a linear space: where a combination of the gradients
// with positive weights only is zero (a Pareto stationary point at which all tasks take part).
#pragma once

#include <Eigen/Core>

namespace torsor {

using Eigen::Index;

/// Most rays kept; tasks with more (never up to m = 8, where there are at most 440) get the fall-back of the anchor.
constexpr Index kMaxRays = 4096;

/// Extreme rays of {l >= 0, C l >= 0} for the cosines C (m x m), as columns (m x p) with U(C-norm) = 1; rays that are
/// zero as a combination of the gradients are left out, equal combinations are kept once. No columns: H = {0}, or more
/// than kMaxRays rays were met on the way.
Eigen::MatrixXd harmonised_rays(const Eigen::MatrixXd& cosines);

/// Weights of the unit gradients whose combination is the anchor d, |d| = 1; zero where H = {0}. Where there are too many
/// rays, or rounding spoils their sum, the point of least norm in the convex hull of the unit gradients takes their
/// place: it is in H as well (but zero at every Pareto stationary point).
Eigen::VectorXd anchor_weights(const Eigen::MatrixXd& cosines);

}  // namespace torsor
