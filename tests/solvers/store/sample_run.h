// Small runs, and a folder of its own for each test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "solvers/store/run_record.h"

namespace torsor {

/// A folder that exists as long as the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "torsor-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }
  long entries() const {
    return std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator());
  }

 private:
  std::filesystem::path path_;
};

/// The text of the exception of type E that `action` throws.
template <class E, class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

#define EXPECT_HAS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << "'" << (part) << "' is not in: " << (text)

inline Axis even_axis(const std::string& name, const std::string& unit, double low, double high, long n) {
  return {name, unit, Eigen::VectorXd::LinSpaced(n, low, high)};
}

inline FieldRecord sample_field(const std::string& name, const SampleSet& sample, double disturbance) {
  FieldRecord field{name, "m", Eigen::VectorXd::Ones(sample.size()), {}, {}, {}};
  for (long k = 0; k < sample.dimension(); ++k)
    field.prediction = field.prediction.cwiseProduct((3 * sample.coordinate(k)).array().sin().matrix());
  field.reference = field.prediction.array() + disturbance * sample.coordinate(0).array();
  field.error = field.prediction - field.reference;
  field.errors = ErrorRecord{field.error.norm() / field.reference.norm(), 1.5e-3,
                             field.error.cwiseAbs().maxCoeff(), 2.5e-3};
  return field;
}

inline HeadRecord sample_head() {
  HeadRecord head;
  head.rows = 2400;
  head.features = 300;
  head.rank = 297;
  head.condition = 3.5e11;
  head.cut_off = 1e-13;
  head.residual_fit = 2e-9;
  head.residual_holdout = 3e-9;
  head.boundary_weight = 10;
  head.bandwidth = {{"t", 2.5}, {"x", 4}};
  for (int i = 0; i < 300; ++i) head.singular_values.push_back(std::pow(10, -0.05 * i));
  head.windows = 2;
  head.newton_iterations = 4;
  head.newton_residuals = {1, 1e-2, 3e-5, 2e-10, 4e-15};
  head.message = "Converged.";
  return head;
}

inline TaskRecord sample_task(const std::string& name, const SampleSet& sample, double nu,
                              double disturbance) {
  TaskRecord task;
  task.name = name;
  task.parameters = {{"nu", nu}, {"amplitude", 1}};
  task.seed = 18446744073709551615ULL;
  task.sample = sample;
  task.fields = {sample_field("u", sample, disturbance)};
  task.residuals = {{"pde", 1e-5, 3e-4, 1e-4 * sample.coordinate(0)}, {"bc-left", 1e-7, 2e-7, {}}};
  task.head = sample_head();
  task.seconds = {0, 0.25, 1.5, 2};
  task.reference_name = "spectral";
  task.reference_error_estimate = 1e-12;
  return task;
}

inline SampleSet grid_2d() {
  SampleSet sample;
  sample.axes = {even_axis("t", "s", 0, 1, 5), even_axis("x", "m", -1, 1, 9)};
  sample.time = "t";
  return sample;
}

inline SampleSet cloud(long n, long d) {
  SampleSet sample;
  std::srand(1);
  sample.points = Eigen::MatrixXd::Random(n, d);
  for (long k = 0; k < d; ++k) {
    sample.point_names.push_back(std::string(1, static_cast<char>('a' + k)));
    sample.point_units.push_back(k == 0 ? "m" : "");
  }
  return sample;
}

inline RunRecord sample_run() {
  RunRecord run;
  run.problem = "burgers <1-D> & \"co\"";
  run.description = "u_t + u u_x = nu u_xx,\n|x| < 1";
  run.config_text = "[problem]\nname = burgers\n# \xCE\xBD = viscosity\n";
  run.command = "torsor solve burgers.cfg --set problem.nu=0.1";
  run.version = "0.1.0";
  run.git_hash = "0123abc";
  run.date = "2025-01-02T03:04:05Z";
  run.libtorch = "2.1.0";
  run.blas = "OpenBLAS";
  run.precision = "float64";
  run.threads = 2;
  run.seed = 7;
  run.history = {{"loss", {0, 1, 2, 3}, {1, 0.1, 0.01, 0.001}}};
  run.tasks = {sample_task("nu=0.1/first", grid_2d(), 0.1, 1e-4),
               sample_task("cloud", cloud(40, 2), 0.01, 1e-2)};
  return run;
}

}  // namespace torsor
