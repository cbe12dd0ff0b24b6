#include "solvers/cli/schema.h"

#include "solvers/cli/train_setup.h"

namespace torsor {

const ConfigSchema& config_schema() {
  static const ConfigSchema schema = [] {
    ConfigSchema all({
        {"problem.name", "text", "",
         "a shipped problem (torsor list problems), or the name of the equation written here"},
        {"problem.seed", "integer", "0", "seed of random data and random features", ">= 0"},
        {"problem.tasks", "integer", "1", "number of tasks; task i has the seed problem.seed + i", ">= 1"},
        {"problem.parameter.*", "text", "",
         "value of a parameter, or several separated by commas: one task for each; log_spaced(low, high, n) is n of them, "
         "uniform(low, high) and log_uniform(low, high) are drawn by the task's seed"},
        {"problem.title", "text", "", "one line about an equation written here"},
        {"problem.coordinates", "text", "", "e.g. x in [0, 1] m periodic; t in [0, 2*pi] s time"},
        {"problem.domain", "text", "box", "e.g. box minus disk(0.3, 0.3, 0.1); in the space coordinates"},
        {"problem.velocity", "text", "", "of kinetic equations: v in gauss(16), v in double_gauss(8), vx, vy in sphere(4, 8)"},
        {"problem.unknowns", "text", "",
         "names of the unknown fields, separated by commas; of the velocity: g(v), with zero-mean, even or odd after it"},
        {"problem.transport", "choice", "",
         "linear transport with f the distribution: the unknowns that it is written in (docs/kinetic.md)",
         "one of: micro-macro|even-odd|distribution"},
        {"problem.knudsen", "expression", "eps", "its Knudsen number, of parameters"},
        {"problem.scattering", "expression", "1", "its sigma_S, of parameters and coordinates"},
        {"problem.absorption", "expression", "0", "its sigma_A"},
        {"problem.source", "expression", "0", "its isotropic source Q"},
        {"problem.define.*", "expression", "", "a named formula; a_x is then its derivative"},
        {"problem.residual", "equation", "", "the equation, e.g. u_t + u*u_x = nu*u_xx"},
        {"problem.residual.*", "equation", "", "one equation of a system"},
        {"problem.boundary", "equation", "", "condition on the boundary, e.g. u = 0 or u_n + u = g"},
        {"problem.boundary.*", "equation", "",
         "condition on some pieces of the boundary (x_low, circle1, ...)"},
        {"problem.pieces.*", "text", "",
         "pieces on which problem.boundary.NAME holds; default: the piece NAME"},
        {"problem.initial", "equation", "", "condition at the first time"},
        {"problem.initial.*", "equation", "", "one of several initial conditions"},
        {"problem.exact", "expression", "", "exact solution of the only unknown"},
        {"problem.exact.*", "expression", "", "exact solution of one unknown"},
        {"problem.derived.*", "expression", "", "a further quantity of the results, e.g. mean(v*g) or rho + eps*g"},
        {"problem.conserved", "text", "",
         "unknowns and derived quantities, separated by commas, whose integral over space does not change in time; the "
         "results state how far it drifts"},

        {"model.body", "choice", "sine", "features: random sine features or a random MLP",
         "one of: sine|mlp"},
        {"model.activation", "choice", "tanh", "activation of an MLP", "one of: tanh|sine|swish|softplus"},
        {"model.layers", "integer", "2", "hidden layers of an MLP", "in [1, 20]"},
        {"model.concatenate", "boolean", "yes", "an MLP's features are all its hidden layers"},

        {"head.features", "integer", "auto",
         "features of each field in each patch; auto: grown by the hold-out residual", "auto or >= 1"},
        {"head.max_features", "integer", "auto", "most features the automatic choice goes to",
         "auto or >= 1"},
        {"head.bandwidth", "list-of-reals", "auto",
         "radians per unit of the coordinates: one for all, or one for each", "auto or > 0"},
        {"head.boundary_weight", "real", "auto", "weight of boundary and initial rows", "auto or > 0"},
        {"head.patches", "list-of-reals", "auto", "cells of the partition of unity along each coordinate",
         "auto or >= 1"},
        {"head.decay_rate", "real", "auto",
         "half of the features carry exp(-rate t), for initial layers; auto: in the layer of kinetic equations", "auto or > 0"},
        {"head.windows", "integer", "auto", "time windows of equal length; 1: one piece", "auto or >= 1"},
        {"head.tolerance", "real", "auto", "relative hold-out residual to reach", "auto or > 0"},
        {"head.enrich", "boolean", "yes", "add singular features of corners and holes"},
        {"head.sampler", "choice", "auto", "collocation points",
         "one of: auto|grid|grid-ends|uniform|latin|sobol"},
        {"head.points", "integer", "auto", "interior collocation points", "auto or >= 1"},
        {"head.boundary_points", "integer", "auto", "points on the boundary and on the initial face",
         "auto or >= 1"},
        {"head.oversampling", "real", "2.5", "interior rows for each feature", "> 0"},
        {"head.rcond", "real", "1e-15", "relative cut-off of the rank-revealing fall-back", "in [0, 1)"},
        {"head.ridge", "real", "0", "Tikhonov parameter on unit columns, by appended rows", ">= 0"},
        {"head.newton_iterations", "integer", "30", "most linearisations of a nonlinear problem", ">= 1"},
        {"head.newton_tolerance", "real", "1e-6", "relative change at which Newton stops", "> 0"},
        {"head.singular_values", "boolean", "yes", "store the singular values of the head's system"},
        {"head.resolve", "choice", "auto",
         "torsor adapt: heads solved again; auto: but for those of a network of the parameters whose loss is not much larger; joined: with "
         "random features beside the network's, in as many windows as the tolerance asks for; no: the network alone, which was trained with "
         "model.task_inputs = parameters",
         "one of: auto|yes|joined|no"},
        {"adapt.parameter.*", "text", "",
         "values of a parameter that the trained network is adapted to (as by torsor adapt) when torsor solve has trained it; "
         "the run is written to the folder adapted in that of the training"},
        {"head.hard_constraint.*", "expression", "",
         "factor that is zero where the field's condition holds exactly; of coordinates, parameters and definitions"},
        {"head.lift.*", "expression", "",
         "the field's value there (default 0); of an unknown of the velocity a formula of the velocity too"},

        {"reference.solver", "text", "auto",
         "classical solver to compare with (torsor list references), or none"},
        {"reference.tolerance", "real", "1e-9", "relative accuracy wanted of it", "> 0"},
        {"reference.data", "text", "", "table of coordinates and field values to compare with as well"},

        {"output.folder", "text", "auto",
         "where run.h5, run.xdmf, report.html and model.h5 go; auto: runs/NAME", "auto"},
        {"output.grid", "integer", "auto", "points of the output grid along each coordinate", "auto or >= 2"},
        {"output.report", "boolean", "yes", "write report.html"},
    });
    all.add(train_keys());
    return all;
  }();
  return schema;
}

}  // namespace torsor
