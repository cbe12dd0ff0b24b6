#include "solvers/store/run_file.h"

#include <gtest/gtest.h>

#include <regex>
#include <stdexcept>

#include "physics/error.h"
#include "solvers/store/atomic_file.h"
#include "tests/solvers/store/markup_check.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

void expect_equal(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  ASSERT_EQ(a.size(), b.size());
  for (long i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])));
}

void expect_equal(const HeadRecord& a, const HeadRecord& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.rank, b.rank);
  EXPECT_EQ(a.condition, b.condition);
  EXPECT_EQ(a.cut_off, b.cut_off);
  EXPECT_EQ(a.residual_fit, b.residual_fit);
  EXPECT_EQ(a.residual_holdout, b.residual_holdout);
  EXPECT_EQ(a.boundary_weight, b.boundary_weight);
  EXPECT_EQ(a.bandwidth, b.bandwidth);
  EXPECT_EQ(a.singular_values, b.singular_values);
  EXPECT_EQ(a.windows, b.windows);
  EXPECT_EQ(a.patches, b.patches);
  EXPECT_EQ(a.newton_iterations, b.newton_iterations);
  EXPECT_EQ(a.newton_residuals, b.newton_residuals);
  EXPECT_EQ(a.message, b.message);
}

void expect_equal(const TaskRecord& a, const TaskRecord& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_TRUE(a.sample == b.sample);
  ASSERT_EQ(a.fields.size(), b.fields.size());
  for (size_t i = 0; i < a.fields.size(); ++i) {
    EXPECT_EQ(a.fields[i].name, b.fields[i].name);
    EXPECT_EQ(a.fields[i].unit, b.fields[i].unit);
    expect_equal(a.fields[i].prediction, b.fields[i].prediction);
    expect_equal(a.fields[i].reference, b.fields[i].reference);
    expect_equal(a.fields[i].error, b.fields[i].error);
    ASSERT_EQ(a.fields[i].errors.has_value(), b.fields[i].errors.has_value());
    if (a.fields[i].errors) {
      EXPECT_EQ(a.fields[i].errors->rel_l2, b.fields[i].errors->rel_l2);
    }
  }
  ASSERT_EQ(a.residuals.size(), b.residuals.size());
  for (size_t i = 0; i < a.residuals.size(); ++i) {
    EXPECT_EQ(a.residuals[i].term, b.residuals[i].term);
    EXPECT_EQ(a.residuals[i].rms, b.residuals[i].rms);
    EXPECT_EQ(a.residuals[i].max, b.residuals[i].max);
    expect_equal(a.residuals[i].values, b.residuals[i].values);
  }
  ASSERT_EQ(a.head.has_value(), b.head.has_value());
  if (a.head) expect_equal(*a.head, *b.head);
  EXPECT_EQ(a.seconds.reference, b.seconds.reference);
  EXPECT_EQ(a.reference_name, b.reference_name);
  EXPECT_EQ(a.reference_error_estimate, b.reference_error_estimate);
}

TEST(RunFile, ComesBackWhole) {
  const TemporaryFolder folder;
  RunRecord run = sample_run();
  run.tasks[0].sample.inside.assign(45, true);
  run.tasks[0].sample.inside[3] = false;
  run.tasks[0].fields[0].prediction[3] = kUnknown;
  run.tasks[1].fields[0].reference.resize(0);
  run.tasks[1].fields[0].error.resize(0);
  run.tasks[1].fields[0].errors.reset();
  run.tasks[1].head.reset();
  write_run(run, folder.file("new/run"));
  const RunRecord back = read_run(folder.file("new/run"));
  EXPECT_EQ(back.problem, run.problem);
  EXPECT_EQ(back.description, run.description);
  EXPECT_EQ(back.config_text, run.config_text);
  EXPECT_EQ(back.command, run.command);
  EXPECT_EQ(back.date, run.date);
  EXPECT_EQ(back.threads, run.threads);
  EXPECT_EQ(back.seed, run.seed);
  ASSERT_EQ(back.history.size(), 1u);
  EXPECT_EQ(back.history[0].values, run.history[0].values);
  ASSERT_EQ(back.tasks.size(), 2u);
  expect_equal(back.tasks[0], run.tasks[0]);
  expect_equal(back.tasks[1], run.tasks[1]);
}

VelocityFieldRecord velocity_field(long samples) {
  VelocityFieldRecord field;
  field.name = "f";
  field.components = {"vx", "vy"};
  field.nodes = Eigen::MatrixXd::Random(3, 2);
  field.weights = Eigen::Vector3d(0.25, 0.5, 0.25);
  field.prediction = Eigen::VectorXd::Random(3 * samples);
  field.reference = Eigen::VectorXd::Random(3 * samples);
  field.error = field.prediction - field.reference;
  field.errors = ErrorRecord{1e-3, 2e-3, 3e-3, 4e-3};
  return field;
}

TEST(RunFile, QuantitiesOfTheVelocityComeBack) {
  const TemporaryFolder folder;
  RunRecord run = sample_run();
  run.tasks[0].velocity_fields.push_back(velocity_field(run.tasks[0].sample.size()));
  write_run(run, folder.file("run"));
  const RunRecord back = read_run(folder.file("run"));
  ASSERT_EQ(back.tasks[0].velocity_fields.size(), 1u);
  const VelocityFieldRecord &a = run.tasks[0].velocity_fields[0], &b = back.tasks[0].velocity_fields[0];
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.components, b.components);
  EXPECT_TRUE(a.nodes == b.nodes && a.weights == b.weights);
  expect_equal(a.prediction, b.prediction);
  expect_equal(a.reference, b.reference);
  expect_equal(a.error, b.error);
  EXPECT_EQ(errors_of(back.tasks[0]).back().first, "f");
  EXPECT_EQ(errors_of(back.tasks[0]).back().second->rel_l2, 1e-3);
  run.tasks[0].velocity_fields[0].prediction.resize(5);
  EXPECT_THROW(write_run(run, folder.file("run")), std::invalid_argument);
}

TEST(RunFile, RunWithoutTasksOrFields) {
  const TemporaryFolder folder;
  RunRecord run;
  write_run(run, folder.path());
  EXPECT_TRUE(read_run(folder.path()).tasks.empty());
  run.tasks.resize(1);
  run.tasks[0].name = "bare";
  write_run(run, folder.path());
  EXPECT_EQ(read_run(folder.path()).tasks.at(0).name, "bare");
  expect_well_formed(read_whole_file(folder.file("run.xdmf")));
}

TEST(RunFile, FieldsCarryTheirDimensions) {
  const TemporaryFolder folder;
  write_run(sample_run(), folder.path());
  const Hdf5File file = Hdf5File::open(folder.file("run.h5"), kRunFileType);
  const Hdf5Group task = file.root().group("task/nu=0.1_first");
  EXPECT_EQ(task.dataset("field/u/prediction").shape(), (std::vector<long>{5, 9}));
  for (const char* name : {"prediction", "reference", "error"})
    EXPECT_TRUE(task.dataset(std::string("field/u/") + name).has_attribute("DIMENSION_LIST"));
  EXPECT_TRUE(task.dataset("residual/pde/values").has_attribute("DIMENSION_LIST"));
  EXPECT_EQ(task.dataset("x").text("CLASS"), "DIMENSION_SCALE");
  EXPECT_EQ(task.dataset("x").text("units"), "m");
  EXPECT_EQ(file.root().group("task/cloud").dataset("field/u/prediction").text("coordinates"), "a b");
}

TEST(RunFile, TasksShareTheGeometryOfEqualSets) {
  const TemporaryFolder folder;
  RunRecord run = sample_run();
  run.tasks.push_back(sample_task("third", grid_2d(), 1, 1));
  write_run(run, folder.path());
  const Hdf5File file = Hdf5File::open(folder.file("run.h5"), kRunFileType);
  EXPECT_TRUE(file.root().has("task/nu=0.1_first/geometry"));
  EXPECT_FALSE(file.root().has("task/third/geometry"));
}

/// Every "run.h5:/path" of the XDMF text exists and has the dimensions that stand beside it.
void expect_items_exist(const std::string& xdmf, const std::string& folder) {
  const Hdf5File file = Hdf5File::open(folder + "/run.h5", kRunFileType);
  const std::regex item("<DataItem Dimensions=\"([0-9 ]+)\"[^>]*Format=\"HDF\">run.h5:/([^<]+)</DataItem>");
  int count = 0;
  for (std::sregex_iterator it(xdmf.begin(), xdmf.end(), item), end; it != end; ++it, ++count) {
    ASSERT_TRUE(file.root().has((*it)[2])) << (*it)[2];
    std::string shape;
    for (const long n : file.root().dataset((*it)[2]).shape())
      shape += (shape.empty() ? "" : " ") + std::to_string(n);
    EXPECT_EQ((*it)[1], shape) << (*it)[2];
  }
  EXPECT_GT(count, 0);
}

TEST(RunFile, XdmfRefersToWhatIsThere) {
  for (long dimension = 1; dimension <= 5; ++dimension) {
    for (const bool with_time : {false, true}) {
      SampleSet sample;
      for (long k = 0; k < dimension; ++k)
        sample.axes.push_back(even_axis(std::string(1, static_cast<char>('t' + k)), "", 0, 1, 2 + k));
      if (with_time) sample.time = "t";
      RunRecord run = sample_run();
      run.tasks = {sample_task("a & <b>", sample, 1, 1), sample_task("points", cloud(6, dimension), 1, 1)};
      const TemporaryFolder folder;
      write_run(run, folder.path());
      const std::string xdmf = read_whole_file(folder.file("run.xdmf"));
      expect_well_formed(xdmf);
      expect_items_exist(xdmf, folder.path());
      EXPECT_EQ(xdmf.find("Temporal") != std::string::npos, with_time && dimension > 1);
    }
  }
}

TEST(RunFile, RefusesContradictions) {
  const TemporaryFolder folder;
  const auto message = [&](auto change) {
    RunRecord run = sample_run();
    change(run);
    return message_of<std::invalid_argument>([&] { write_run(run, folder.path()); });
  };
  EXPECT_HAS(message([](RunRecord& run) { run.tasks[0].fields[0].prediction.resize(3); }),
             "3 values on 45 samples");
  EXPECT_HAS(message([](RunRecord& run) { run.tasks[1].name = run.tasks[0].name; }), "repeated");
  EXPECT_HAS(message([](RunRecord& run) { run.tasks[0].sample.axes[1].name = "t"; }), "appears twice");
  EXPECT_HAS(message([](RunRecord& run) { run.tasks[0].sample.time = "s"; }), "time coordinate 's'");
  EXPECT_HAS(message([](RunRecord& run) { run.tasks[0].sample.axes[1].name = "head"; }), "'head'");
  EXPECT_EQ(folder.entries(), 0);
}

TEST(RunFile, IncompleteFileNamesTheObject) {
  const TemporaryFolder folder;
  Hdf5File file = Hdf5File::create(folder.file("run.h5"), kRunFileType);
  file.root().set("problem", "p");
  file.save();
  EXPECT_HAS(message_of<InputError>([&] { read_run(folder.path()); }), "attribute 'description' is missing");
  EXPECT_HAS(message_of<InputError>([&] { read_run(folder.file("other")); }), "does not exist");
}

TEST(RunFile, FolderInTheWayIsAnInputError) {
  const TemporaryFolder folder;
  write_atomically(folder.file("plain"), "x");
  EXPECT_THROW(write_run(sample_run(), folder.file("plain")), InputError);
  std::filesystem::create_directories(folder.file("out/run.h5/x"));
  EXPECT_THROW(write_run(sample_run(), folder.file("out")), InputError);
}

}  // namespace
}  // namespace torsor
