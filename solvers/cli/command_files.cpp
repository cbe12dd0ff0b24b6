// Commands on stored runs: torsor compare A.h5 B.h5, torsor evaluate RUN_DIR --points FILE --out FILE,
// torsor report DIR.
#include <cstdio>

#include "physics/error.h"
#include "physics/norms.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/interpolate.h"
#include "solvers/cli/solution_store.h"
#include "solvers/report/report.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/json_writer.h"
#include "solvers/store/points_file.h"
#include "solvers/store/run_file.h"

namespace po = boost::program_options;

namespace torsor {
namespace {

const FieldRecord& field_named(const TaskRecord& task, const std::string& name, const std::string& file) {
  std::vector<std::string> known;
  for (const auto& field : task.fields) {
    if (field.name == name) return field;
    known.push_back(field.name);
  }
  throw InputError(file + ": " + unknown_name_message("field", name, known));
}

const TaskRecord& matching_task(const RunRecord& run, const TaskRecord& wanted, const std::string& file) {
  if (run.tasks.empty()) throw InputError(file + ": no tasks");
  for (const auto& task : run.tasks)
    if (task.name == wanted.name) return task;
  if (run.tasks.size() == 1) return run.tasks.front();
  throw InputError(file + ": no task '" + wanted.name + "'");
}

}  // namespace

int command_compare(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("json", po::value<std::string>(), "write the figures as JSON");
  const auto given = parse_arguments(arguments, options, {"A", "B"});
  const std::string a_path = given["A"].as<std::string>(), b_path = given["B"].as<std::string>();
  const RunRecord a = read_run(a_path), b = read_run(b_path);
  std::printf("%-24s %-8s %10s %10s %10s %10s %8s\n", "task", "field", "rel L2", "rel L1", "max", "rel max", "points");
  JsonWriter json;
  json.begin_array();
  for (const auto& task : a.tasks) {
    const TaskRecord& other = matching_task(b, task, b_path);
    for (const auto& field : task.fields) {
      const FieldRecord& truth = field_named(other, field.name, b_path);
      const Eigen::VectorXd reference = task.sample == other.sample
                                            ? truth.prediction
                                            : interpolate(other.sample, truth.prediction, task.sample);
      const ErrorNorms norms = error_norms(field.prediction, reference);
      std::printf("%-24s %-8s %10.2e %10.2e %10.2e %10.2e %8ld\n", task.name.c_str(), field.name.c_str(),
                  norms.relative_l2, norms.relative_l1, norms.max_absolute, norms.relative_max,
                  static_cast<long>(norms.count));
      json.begin_object();
      json.member("task", task.name);
      json.member("field", field.name);
      json.member("rel_l2", norms.relative_l2);
      json.member("rel_l1", norms.relative_l1);
      json.member("max", norms.max_absolute);
      json.member("rel_max", norms.relative_max);
      json.member("points", static_cast<long>(norms.count));
      json.end();
    }
  }
  json.end();
  if (given.count("json")) write_atomically(given["json"].as<std::string>(), json.text());
  return 0;
}

int command_evaluate(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("points", po::value<std::string>(), "points, CSV or HDF5")(
      "out", po::value<std::string>(), "where the values go, CSV or HDF5");
  const auto given = parse_arguments(arguments, options, {"RUN_DIR"});
  for (const char* needed : {"points", "out"})
    if (!given.count(needed)) throw InputError(std::string("option --") + needed + " FILE is missing");
  const StoredModel model = read_solutions(given["RUN_DIR"].as<std::string>() + "/model.h5");
  const Eigen::MatrixXd points = read_points(given["points"].as<std::string>(), model.coordinates);
  std::vector<FieldJet> jets;
  for (Index f = 0; f < static_cast<Index>(model.fields.size()); ++f)
    jets.push_back({f, MultiIndex(model.coordinates.size(), 0)});
  std::vector<std::string> names = model.coordinates;
  Eigen::MatrixXd columns = points;
  for (const auto& task : model.tasks) {
    const Index first = columns.cols();
    columns.conservativeResize(Eigen::NoChange, first + static_cast<Index>(jets.size()));
    columns.rightCols(static_cast<Index>(jets.size())) = task.solution.jets(points, jets);
    for (const auto& field : model.fields)
      names.push_back(model.tasks.size() == 1 ? field : field + "[" + task.name + "]");
  }
  const std::string out = given["out"].as<std::string>();
  write_points(out, names, columns);
  std::printf("%ld points, %zu columns written to %s\n", static_cast<long>(points.rows()), names.size(), out.c_str());
  return 0;
}

int command_report(const Arguments& arguments) {
  const auto given = parse_arguments(arguments, po::options_description("options"), {"DIR"});
  const std::string folder = given["DIR"].as<std::string>();
  write_report(read_run(folder), folder);
  std::printf("written to %s/report.html\n", folder.c_str());
  return 0;
}

}  // namespace torsor
