// The channels that requests lead to: no more than Faa di Bruno's formula needs.
#include "operators/engine/jet_request.h"

#include "../body_checks.h"

namespace torsor {
namespace {

int channels(const JetRequest& request, Index coordinates) {
  return JetPlan(request, coordinates).channels.channels;
}

TEST(JetRequest, OnlyWhatIsNeededIsPropagated) {
  EXPECT_EQ(channels({{{0, 0}}, {}}, 2), 1);
  EXPECT_EQ(channels({{{0, 1}}, {}}, 2), 2);
  EXPECT_EQ(channels({{{1, 1}}, {}}, 2), 4);
  EXPECT_EQ(channels({{}, {0, 1, 2}}, 3), 5);        // the Laplacian is one channel
  EXPECT_EQ(channels({{{0, 0, 1}}, {0, 1}}, 3), 5);  // heat equation in two space dimensions
  EXPECT_EQ(channels({{{3}}, {}}, 1), 4);
  EXPECT_EQ(channels({{{4}, {0}}, {}}, 1), 5);
  EXPECT_EQ(channels({{{4, 0}, {0, 2}, {0, 1}, {2, 0}}, {0}}, 2), 8);
}

TEST(JetRequest, EverythingAtOnceFits) {
  const JetPlan plan({supported_indices(4), {3, 1, 0, 2}}, 4);
  EXPECT_EQ(plan.channels.channels, engine::ChannelPlan::kMaxChannels);
  EXPECT_EQ(plan.channels.order, 4);
}

TEST(JetRequest, OutputsFollowTheRequest) {
  const JetPlan plan({{{0, 2}, {0, 0}, {1, 0}, {0, 2}}, {1}}, 2);
  EXPECT_EQ(plan.outputs.size(), 5u);
  EXPECT_EQ(plan.outputs[0], plan.outputs[3]);
  EXPECT_EQ(plan.outputs[1], 0);
  EXPECT_EQ(plan.directions[static_cast<size_t>(plan.outputs[2])], std::vector<Index>{0});
  EXPECT_EQ(plan.outputs[4], plan.channels.laplacian);
}

TEST(JetRequest, BadRequestsAreNamed) {
  const auto error = [](const JetRequest& request) { return error_of([&] { JetPlan(request, 2); }); };
  EXPECT_EQ(error({{}, {}}), "derivatives: at least one, or a Laplacian, must be asked for");
  EXPECT_EQ(error({{{1}}, {}}), "derivative (1) is not a multi-index of 2 coordinates");
  EXPECT_EQ(error({{{-1, 0}}, {}}), "derivative (-1, 0) is not a multi-index of 2 coordinates");
  EXPECT_EQ(error({{{2, 1}}, {}}),
            "derivative (2, 1) is not supported by the derivative engine: mixed ones go to order 2, pure "
            "ones to order 4");
  EXPECT_EQ(error({{{5, 0}}, {}}),
            "derivative (5, 0) is not supported by the derivative engine: mixed ones go to order 2, pure "
            "ones to order 4");
  EXPECT_EQ(error({{}, {2}}), "laplacian: coordinate = 2 must be 0 ... 1");
  EXPECT_EQ(error({{}, {1, 1}}), "laplacian: coordinate 1 is named twice");
}

}  // namespace
}  // namespace torsor
