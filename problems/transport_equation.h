// Linear transport in the diffusive scaling, written once in terms of the distribution f(x, v) and stated in the
// unknowns of a decomposition:
//
//   eps f_t + v . grad f = (sigma_S/eps)(<f> - f) - eps sigma_A f + eps Q,
//
// or the same without f_t, in as many space coordinates as the velocity has components; sigma_S, sigma_A and Q are
// formulas of the coordinates. With S = sigma_S + eps^2 sigma_A:
//
//   micro-macro    f = rho + eps g, <g> = 0      rho_t + <v . grad g> + sigma_A rho = Q
//                                                eps^2 g_t + eps (I - <.>)(v . grad g) + v . grad rho + S g = 0
//   even-odd       f = rho + r + eps j, <r> = 0  rho_t + <v . grad j> + sigma_A rho = Q
//                  r even, j odd in v            eps^2 r_t + eps^2 (I - <.>)(v . grad j) + S r = 0
//                                                eps^2 j_t + v . grad(rho + r) + S j = 0
//   distribution   f                             as above
//
// The first two hold their limit eps -> 0, diffusion of rho, in the equations themselves; the third loses it to
// rounding.
//
// Sources: M. Lemou, L. Mieussens, SIAM J. Sci. Comput. 31 (2008) (micro-macro); S. Jin, L. Pareschi, G. Toscani,
// SIAM J. Numer. Anal. 38 (2000) (parities).
#pragma once

#include <string>
#include <vector>

#include "problems/builder.h"

namespace torsor {

class TransportEquation {
 public:
  /// Formulas of parameters, coordinates and definitions; that of eps is one of parameters.
  struct Medium {
    std::string knudsen = "eps", scattering = "1", absorption = "0", source = "0";
  };

  /// "micro-macro", "even-odd", "distribution".
  static const std::vector<std::string>& decompositions();

  /// InputError for another decomposition.
  TransportEquation(const std::string& decomposition, Medium medium);

  /// The unknowns, the residuals, and the derived quantities f and flux = <v f>/eps (flux_x, flux_y in the plane),
  /// after coordinates, velocity and definitions. InputError when the velocity is missing, has not as many components
  /// as there are space coordinates, or occurs in the medium.
  void declare(ProblemBuilder& problem) const;

  /// A boundary condition in which f is the distribution: "f = 1" is isotropic inflow.
  void boundary(ProblemBuilder& problem, const std::string& term, const std::string& equation,
                std::vector<std::string> pieces = {}) const;

  /// "f = DATA", DATA a formula of coordinates and velocity, as initial conditions of the unknowns. InputError for
  /// another form.
  void initial(ProblemBuilder& problem, const std::string& equation) const;

 private:
  void declare_micro_macro(ProblemBuilder& problem) const;
  void declare_even_odd(ProblemBuilder& problem) const;
  void declare_distribution(ProblemBuilder& problem) const;
  void declare_flux(ProblemBuilder& problem, const std::string& carrier) const;
  std::string distribution() const;

  std::string decomposition_;
  Medium medium_;
};

}  // namespace torsor
