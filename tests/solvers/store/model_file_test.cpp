#include "solvers/store/model_file.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "physics/error.h"
#include "solvers/store/run_file.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

ModelNode sample_model() {
  ModelNode model;
  model.set("kind", "pinn");
  ModelNode& body = model.child("body");
  body.set("width", 64);
  body.set("scale", 0.5);
  body.child("layer 0").set("weight", Array<double>{{2, 3}, {1, 2, 3, 4, 5, 6}});
  body.child("layer 0").set("order", Array<std::int64_t>{{2}, {-1, 9007199254740993}});
  return model;
}

TEST(ModelFile, ComesBackWhole) {
  const TemporaryFolder folder;
  write_model(sample_model(), folder.file("model.h5"));
  const ModelNode model = read_model(folder.file("model.h5"));
  EXPECT_EQ(model.text("kind"), "pinn");
  EXPECT_EQ(model.at("body").integer("width"), 64);
  EXPECT_EQ(model.at("body").number("width"), 64.0);
  EXPECT_EQ(model.at("body").number("scale"), 0.5);
  const ModelNode& layer = model.at("body").at("layer 0");
  EXPECT_EQ(layer.numbers("weight", {2, 3}).values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(layer.integers("order").values, (std::vector<std::int64_t>{-1, 9007199254740993}));
  EXPECT_EQ(folder.entries(), 1);
}

TEST(ModelFile, MissingAndWrongEntriesAreNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.h5");
  write_model(sample_model(), path);
  const ModelNode model = read_model(path);
  const ModelNode& layer = model.at("body").at("layer 0");
  const auto message = [](auto action) { return message_of<InputError>(action); };
  EXPECT_EQ(message([&] { model.at("head"); }), path + ":/model: group 'head' is missing");
  EXPECT_EQ(message([&] { layer.numbers("bias"); }),
            path + ":/model/body/layer 0: dataset 'bias' is missing");
  EXPECT_HAS(message([&] { layer.numbers("weight", {3, 2}); }), "must have the shape (3, 2), not (2, 3)");
  EXPECT_HAS(message([&] { layer.integers("weight"); }), "must hold integers");
  EXPECT_HAS(message([&] { model.number("kind"); }), "must hold a number");
  EXPECT_HAS(message([&] { model.at("body").integer("scale"); }), "must hold an integer");
  EXPECT_HAS(message([&] { model.text("none"); }), "attribute 'none' is missing");
}

TEST(ModelFile, RefusesOtherFiles) {
  const TemporaryFolder folder;
  write_run(sample_run(), folder.path());
  EXPECT_HAS(message_of<InputError>([&] { read_model(folder.file("run.h5")); }), "is not a torsor model");
  write_model(sample_model(), folder.file("model.h5"));
  EXPECT_HAS(message_of<InputError>([&] { read_run(folder.file("model.h5")); }), "is not a torsor run");
}

TEST(ModelFile, RefusesContradictionsWhenFilled) {
  ModelNode model;
  EXPECT_THROW(model.set("a", Array<double>{{2, 2}, {1, 2, 3}}), std::invalid_argument);
  EXPECT_THROW(model.child("a/b"), std::invalid_argument);
  EXPECT_THROW(model.set("", 1), std::invalid_argument);
  model.child("a");
  EXPECT_THROW(model.set("a", Array<double>{{1}, {1}}), std::invalid_argument);
}

}  // namespace
}  // namespace torsor
