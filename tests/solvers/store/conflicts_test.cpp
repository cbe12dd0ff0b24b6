// How often gradients disagree, from the curves of their cosines.
#include "solvers/store/conflicts.h"

#include <gtest/gtest.h>

#include "solvers/store/run_file.h"
#include "solvers/store/run_json.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

RunRecord run_of_three_gradients() {
  RunRecord run = sample_run();
  run.gradients = {"eps = 1e-06", "eps = 0.001", "eps = 1"};
  const std::vector<double> steps{0, 10, 20, 30};
  run.history.push_back({"cosine.0.1", steps, {1, 0.5, 0.5, 0}});
  run.history.push_back({"cosine.0.2", steps, {-1, -0.5, 0.5, -0.2}});
  run.history.push_back({"cosine.1.2", steps, {0.1, -0.1, 0.2, 0.2}});
  return run;
}

TEST(Conflicts, SharesAndMeansOfEveryPair) {
  const auto conflicts = conflicts_of(run_of_three_gradients());
  ASSERT_TRUE(conflicts);
  EXPECT_EQ(conflicts->steps, 4);
  Eigen::Matrix3d share, cosine;
  share << 0, 0, 0.75, 0, 0, 0.25, 0.75, 0.25, 0;
  cosine << 1, 0.5, -0.3, 0.5, 1, 0.1, -0.3, 0.1, 1;
  EXPECT_LT((conflicts->share - share).norm(), 1e-15);
  EXPECT_LT((conflicts->mean_cosine - cosine).norm(), 1e-15);
  EXPECT_NEAR(conflicts->of_pairs(), 1.0 / 3, 1e-15);
}

TEST(Conflicts, NoneWithoutSeveralGradients) {
  EXPECT_FALSE(conflicts_of(sample_run()));
  RunRecord one = sample_run();
  one.gradients = {"task 0"};
  EXPECT_FALSE(conflicts_of(one));
  RunRecord missing = run_of_three_gradients();
  missing.history.pop_back();
  EXPECT_FALSE(conflicts_of(missing));
}

TEST(Conflicts, AreInFilesAndFigures) {
  const TemporaryFolder folder;
  RunRecord run = run_of_three_gradients();
  run.tasks[0].drifts = {{"rho", 1e-9}};
  write_run(run, folder.file("run"));
  const RunRecord back = read_run(folder.file("run"));
  EXPECT_EQ(back.gradients, run.gradients);
  EXPECT_EQ(back.tasks[0].drifts, run.tasks[0].drifts);
  EXPECT_TRUE(back.tasks[1].drifts.empty());
  const std::string json = run_json(back);
  EXPECT_HAS(json, "\"conflicts\"");
  EXPECT_HAS(json, "\"eps = 1e-06\"");
  EXPECT_HAS(json, "\"conservation\": {\n        \"rho\": 1e-09");
}

}  // namespace
}  // namespace torsor
