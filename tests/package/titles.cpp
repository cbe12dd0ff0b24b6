// Prints the title of every shipped problem.
#include <cstdio>

#include "operators/mlp.h"
#include "problems/builder.h"
#include "solvers/head/head_options.h"

int main() {
  for (const torsor::ProblemDefinition& definition : torsor::problem_definitions())
    std::printf("%s: %s\n", definition.name.c_str(), torsor::make_problem(definition, {}).title.c_str());
}
