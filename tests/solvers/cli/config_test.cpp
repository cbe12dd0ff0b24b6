// The configuration: values of every type and rule, patterns, overrides, round trip, and every error.
#include "solvers/cli/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numbers>

#include "tests/error_checks.h"

namespace torsor {
namespace {

ConfigSchema schema() {
  return ConfigSchema({{"problem.name", "text", "", "the problem to solve"},
                       {"problem.parameter.*", "real", "", "a parameter of the equations"},
                       {"problem.residual.*", "equation", "", "an equation of the problem"},
                       {"problem.initial.*", "expression", "", "the field at the start"},
                       {"model.kind", "choice", "head", "what to fit", "one of: head|network"},
                       {"train.steps", "integer", "1000", "steps of the optimiser", ">= 1"},
                       {"train.rate", "real", "1e-3", "step size", "> 0"},
                       {"train.momentum", "real", "0.9", "momentum", "in [0, 1)"},
                       {"train.seed", "integer", "0", "seed"},
                       {"head.features", "integer", "auto", "features of the head", "auto or >= 1"},
                       {"head.scales", "list-of-reals", "1, 2", "scales of the features", "> 0"},
                       {"head.centred", "boolean", "true", "centre the features"},
                       {"head.solver", "choice", "auto", "the least squares", "auto or one of: qr|normal"},
                       {"output.folder", "text", "results", "where results go"}});
}

Config parse(const std::string& text) {
  return Config::parse(text, "x.cfg", schema());
}

void expect_error(const std::string& text, const std::vector<std::string>& parts) {
  const std::string message = error_of([&] { parse(text); });
  for (const auto& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks: " << part;
}

class Folder {
 public:
  Folder() : path(std::filesystem::temp_directory_path() / ("torsor_config_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name, std::ios::binary) << content;
    return path / name;
  }

  const std::filesystem::path path;
};

TEST(Config, ValuesOfEveryType) {
  const Config config = parse(
      "# a comment\n"
      "[problem]\n"
      "name = the heat equation   # said once\n"
      "parameter.nu = 0.01/pi\n"
      "residual.u = u_t + u*u_x = parameter*u_xx\n"
      "initial.u = -sin(pi*x)\n"
      "\n"
      "[train]\n"
      "steps=+2000\n"
      "  rate  =  1e-4  \n"
      "momentum = 0\n"
      "seed = -3\n"
      "[head]\n"
      "features = 12\n"
      "scales = 1, max(2, 3), 1e-1\n"
      "centred = off\n"
      "[model]\n"
      "kind = network\n");
  EXPECT_EQ(config.text("problem.name"), "the heat equation");
  EXPECT_EQ(config.real("problem.parameter.nu"), 0.01 / std::numbers::pi);
  EXPECT_EQ(config.expression("problem.residual.u"), Expression::parse("u_t + u*u_x - parameter*u_xx"));
  EXPECT_EQ(config.expression("problem.initial.u"), Expression::parse("-sin(pi*x)"));
  EXPECT_EQ(config.integer("train.steps"), 2000);
  EXPECT_EQ(config.real("train.rate"), 1e-4);
  EXPECT_EQ(config.real("train.momentum"), 0);
  EXPECT_EQ(config.integer("train.seed"), -3);
  EXPECT_EQ(config.integer("head.features"), 12);
  EXPECT_FALSE(config.is_auto("head.features"));
  EXPECT_EQ(config.reals("head.scales"), (std::vector<double>{1, 3, 0.1}));
  EXPECT_FALSE(config.boolean("head.centred"));
  EXPECT_EQ(config.text("model.kind"), "network");
}

TEST(Config, Defaults) {
  const Config config = parse("");
  EXPECT_EQ(config.integer("train.steps"), 1000);
  EXPECT_EQ(config.real("train.rate"), 1e-3);
  EXPECT_TRUE(config.is_auto("head.features"));
  EXPECT_TRUE(config.is_auto("head.solver"));
  EXPECT_FALSE(config.is_auto("train.steps"));
  EXPECT_EQ(config.reals("head.scales"), (std::vector<double>{1, 2}));
  EXPECT_TRUE(config.boolean("head.centred"));
  EXPECT_FALSE(config.has("train.steps"));
  EXPECT_EQ(config.text(), "");
  EXPECT_NE(error_of([&] {
              config.text("problem.name");
            }).find("'problem.name' is missing: the problem to solve"),
            std::string::npos);
}

TEST(Config, Booleans) {
  for (const std::string yes : {"true", "yes", "on", "1"}) {
    EXPECT_TRUE(parse("[head]\ncentred = " + yes).boolean("head.centred"));
  }
  for (const std::string no : {"false", "no", "off", "0"}) {
    EXPECT_FALSE(parse("[head]\ncentred = " + no).boolean("head.centred"));
  }
  expect_error("[head]\ncentred = maybe", {"head.centred = maybe (line 2 of x.cfg): must be true or false"});
}

TEST(Config, PatternKeys) {
  const Config config =
      parse("[problem.parameter]\nnu = 2\n[problem]\nparameter.k = 3\nname = n\n[train]\nsteps = 1");
  EXPECT_EQ(config.keys_under("problem.parameter"),
            (std::vector<std::string>{"problem.parameter.nu", "problem.parameter.k"}));
  EXPECT_EQ(config.keys_under("problem.residual"), std::vector<std::string>());
  EXPECT_EQ(config.keys_under("problem").size(), 3u);
  EXPECT_TRUE(config.has("problem.parameter.k"));
  EXPECT_FALSE(config.has("problem.parameter.other"));
  expect_error("[problem]\nparameter. = 3", {"unknown key 'problem.parameter.'"});
  expect_error("[problem]\nparameter.a b = 3", {"unknown key 'problem.parameter.a b'"});
  expect_error("[problem]\nparametr.nu = 3",
               {"unknown key 'problem.parametr.nu'", "did you mean 'problem.parameter.nu'"});
  const ConfigSchema layered(
      {{"a.*", "text", "", "any"}, {"a.b.*", "integer", "", "deeper"}, {"a.b.c", "real", "", "one"}});
  EXPECT_EQ(layered.find("a.x")->type, "text");
  EXPECT_EQ(layered.find("a.b.x")->type, "integer");
  EXPECT_EQ(layered.find("a.b.c")->type, "real");
  EXPECT_EQ(layered.find("a."), nullptr);
  EXPECT_EQ(layered.find("b"), nullptr);
}

TEST(Config, ContinuedLinesKeepTheLineNumbers) {
  const Config config = parse(
      "[problem]\r\n"
      "residual.u = u_t \\   # first half\r\n"
      "             = u_xx \\\r\n"
      "             + u\r\n"
      "# a comment does not go on \\\r\n"
      "name = x\r\n");
  EXPECT_EQ(config.text("problem.residual.u"), "u_t = u_xx + u");
  EXPECT_EQ(config.text("problem.name"), "x");
  expect_error("[problem]\nname = a \\\n b\n[train]\nsteps = 0", {"train.steps = 0 (line 5 of x.cfg)"});
  expect_error("[train]\n\nsteps = \\\n\\\n0\n", {"(line 3 of x.cfg)"});
  expect_error("[problem]\nname = a \\", {"line 2 of x.cfg ends in a backslash, but no line follows"});
}

TEST(Config, UnknownNames) {
  expect_error("[head]\n\nfeature = 3",
               {"unknown key 'head.feature' (line 3 of x.cfg); did you mean 'head.features'?"});
  expect_error("[trian]\nsteps = 3",
               {"unknown section '[trian]' (line 1 of x.cfg); did you mean '[train]'?"});
  expect_error("[]\nsteps = 3", {"unknown section '[]'"});
  expect_error("steps = 3", {"key 'steps' stands before the first section (line 1 of x.cfg)"});
  expect_error("[train]\nsteps 3", {"line 2 of x.cfg is neither '[section]' nor 'key = value': steps 3"});
  expect_error("[train\nsteps = 3", {"line 1 of x.cfg is neither"});
  expect_error("[train]\n[steps = 3", {"unknown key 'train.[steps'"});
  expect_error("[train]\n= 3", {"unknown key 'train.'"});
}

TEST(Config, RepeatedKeys) {
  expect_error("[train]\nsteps = 3\n[head]\nfeatures = 1\n[train]\nsteps = 4",
               {"train.steps = 4 (line 6 of x.cfg): the key is already given in line 2 of x.cfg"});
  EXPECT_EQ(parse("[train]\nsteps = 3\n[head]\nfeatures = 1\n[train]\nrate = 4").real("train.rate"), 4);
}

TEST(Config, Integers) {
  for (const std::string bad : {"2.5", "1e3", "x", "", "3 4", "0x10", "+-3", "--3"}) {
    expect_error("[train]\nsteps = " + bad,
                 {"train.steps = " + bad + " (line 2 of x.cfg): must be an integer"});
  }
  expect_error("[train]\nsteps = 9223372036854775808", {"within 64 bits"});
  EXPECT_EQ(parse("[train]\nsteps = 9223372036854775807").integer("train.steps"), INT64_MAX);
  expect_error("[train]\nsteps = 0", {"train.steps = 0 (line 2 of x.cfg): must be >= 1"});
}

TEST(Config, Reals) {
  expect_error("[train]\nrate = 0", {"train.rate = 0 (line 2 of x.cfg): must be > 0"});
  expect_error("[train]\nrate = 1/0", {"must be a finite number"});
  expect_error("[train]\nrate = nan", {"must be a number or a constant formula", "the name 'nan'"});
  expect_error("[train]\nrate = 2*", {"must be a number", "at position 3", "\n  2*\n    ^"});
  expect_error("[train]\nrate = ", {"must be a number"});
  expect_error("[train]\nmomentum = 1", {"train.momentum = 1 (line 2 of x.cfg): must be in [0, 1)"});
  expect_error("[train]\nmomentum = -1e-9", {"must be in [0, 1)"});
  EXPECT_EQ(parse("[train]\nmomentum = 1/2").real("train.momentum"), 0.5);
}

TEST(Config, Lists) {
  EXPECT_EQ(parse("[head]\nscales = 2*pi").reals("head.scales"), std::vector<double>{2 * std::numbers::pi});
  expect_error("[head]\nscales = 1,,2",
               {"head.scales = 1,,2 (line 2 of x.cfg): must be numbers separated by commas"});
  expect_error("[head]\nscales = 1,", {"none left out"});
  expect_error("[head]\nscales =", {"none left out"});
  expect_error("[head]\nscales = 1, 0", {"must be > 0"});
  expect_error("[head]\nscales = 1 2", {"must be a number"});
}

TEST(Config, ChoicesAndAuto) {
  expect_error(
      "[model]\nkind = netwrk",
      {"model.kind = netwrk (line 2 of x.cfg): must be one of: head|network", "did you mean 'network'"});
  expect_error("[head]\nfeatures = 0", {"unless it is auto, must be >= 1"});
  expect_error("[head]\nfeatures = x", {"unless it is auto, must be an integer"});
  expect_error("[head]\nsolver = svd", {"must be one of: qr|normal"});
  expect_error("[train]\nsteps = auto", {"must be an integer"});
  EXPECT_TRUE(parse("[head]\nfeatures = auto").is_auto("head.features"));
  EXPECT_EQ(parse("[head]\nsolver = qr").text("head.solver"), "qr");
}

TEST(Config, FormulasAreCheckedWhereTheyStand) {
  expect_error("[problem]\ninitial.u = sin(x",
               {"problem.initial.u = sin(x (line 2 of x.cfg)", "at position 6"});
  expect_error("[problem]\ninitial.u = u = x", {"'=' stands in equations only"});
  expect_error("[problem]\nresidual.u = a = b = c", {"an equation has one '='"});
}

TEST(Config, Overrides) {
  Config config = parse("[train]\nsteps = 3\n");
  config.set("train.steps=7");
  config.set(" head.features = 5 ");
  config.set("problem.residual.u=u_t=u_xx");
  config.set("train.steps=8");
  EXPECT_EQ(config.integer("train.steps"), 8);
  EXPECT_EQ(config.integer("head.features"), 5);
  EXPECT_EQ(config.text("problem.residual.u"), "u_t=u_xx");
  EXPECT_EQ(config.text(),
            "[problem]\nresidual.u = u_t=u_xx\n\n[train]\nsteps = 8\n\n[head]\nfeatures = 5\n");
  const auto error = [&](const std::string& assignment) {
    return error_of([&] { config.set(assignment); });
  };
  EXPECT_EQ(error("train.steps"), "--set wants section.key=value, not 'train.steps'");
  EXPECT_EQ(error("train.steps=0"), "train.steps = 0 (--set): must be >= 1");
  EXPECT_EQ(error("train.step=1"), "unknown key 'train.step' (--set); did you mean 'train.steps'?");
  EXPECT_NE(error("problem.name=a#b").find("cannot have '#'"), std::string::npos);
  EXPECT_NE(error("problem.name=a\\").find("backslash"), std::string::npos);
  EXPECT_NE(error("problem.name=a\nb").find("line ends"), std::string::npos);
  EXPECT_NE(error("=3").find("unknown key ''"), std::string::npos);
  EXPECT_EQ(config.integer("train.steps"), 8) << "a refused override changes nothing";
}

TEST(Config, TextReadsBack) {
  Config config = parse(
      "[head]\nscales = 1, \\\n 2\n[problem]\nname =\nparameter.nu = 0.01/pi\nresidual.u = u = "
      "0\n[head]\ncentred = no");
  config.set("train.rate=1e-5");
  const Config again = parse(config.text());
  EXPECT_EQ(again.text(), config.text());
  EXPECT_EQ(again.text("problem.name"), "");
  EXPECT_EQ(again.reals("head.scales"), config.reals("head.scales"));
  EXPECT_EQ(again.real("train.rate"), 1e-5);
  EXPECT_EQ(again.keys_under("problem"), config.keys_under("problem"));
}

TEST(Config, Files) {
  const Folder folder;
  const auto read = [&](const std::filesystem::path& path) {
    return error_of([&] { Config::read(path, schema()); });
  };
  EXPECT_EQ(Config::read(folder.write("good.cfg", "\xEF\xBB\xBF[train]\nsteps = 4\n"), schema())
                .integer("train.steps"),
            4);
  const std::string bad = folder.write("bad.cfg", "[train]\nsteps = 0").string();
  EXPECT_EQ(read(bad), "train.steps = 0 (line 2 of " + bad + "): must be >= 1");
  const std::string none = (folder.path / "none.cfg").string();
  EXPECT_EQ(read(none), "cannot read " + none + ": no such file");
  EXPECT_EQ(read(folder.path), "cannot read " + folder.path.string() + ": it is a directory");
  EXPECT_NE(read(folder.write("binary", std::string("[train]\n\0\1\2", 11))).find("not a text file (byte 8"),
            std::string::npos);
  EXPECT_NE(read(folder.write("long", std::string(3u << 20, '\n'))).find("longer than 1 MiB"),
            std::string::npos);
  EXPECT_EQ(read(folder.write("empty", "")), "no error");
}

TEST(Config, UnreadableFile) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may read everything";
  const Folder folder;
  const auto path = folder.write("closed.cfg", "[train]\n");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  EXPECT_NE(error_of([&] { Config::read(path, schema()); }).find("no permission"), std::string::npos);
}

TEST(Config, ErrorsOfTheCaller) {
  const Config config = parse("[train]\nsteps = 3\n");
  EXPECT_STREQ(config.error("train.steps", "must divide 10").what(),
               "train.steps = 3 (line 2 of x.cfg): must divide 10");
  EXPECT_STREQ(config.error("train.rate", "too large").what(), "train.rate = 1e-3 (default): too large");
}

TEST(Config, WrongUseIsALogicError) {
  const Config config = parse("");
  EXPECT_THROW(config.integer("train.rate"), std::logic_error);
  EXPECT_THROW(config.real("train.steps"), std::logic_error);
  EXPECT_THROW(config.expression("train.rate"), std::logic_error);
  EXPECT_THROW(config.integer("head.features"), std::logic_error) << "it is auto";
  EXPECT_THROW(config.text("head.nothing"), std::logic_error);
  EXPECT_THROW(config.has("head.nothing"), std::logic_error);
}

TEST(ConfigSchema, RefusesWrongDeclarations) {
  const auto declare = [](const ConfigKey& key) { ConfigSchema().add(key); };
  EXPECT_NO_THROW(declare({"a.b", "real", "pi", "", "in (0, 2*pi]"}));
  EXPECT_NO_THROW(declare({"a.b", "text", "auto", "", "auto"}));
  EXPECT_THROW(declare({"b", "real", "", ""}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "number", "", ""}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "real", "0", "", "> 0"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "real", "", "", "positive"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "real", "", "", "> x"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "real", "", "", "in [0, 1"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "real", "", "", "in [0]"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "real", "", "", "one of: a|b"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "choice", "", "", ""}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "choice", "", "", "one of: a||b"}), std::logic_error);
  EXPECT_THROW(declare({"a.b", "text", "", "", "> 0"}), std::logic_error);
  ConfigSchema twice = schema();
  EXPECT_THROW(twice.add({"train.steps", "integer", "", ""}), std::logic_error);
}

TEST(ConfigSchema, HelpListsEveryKeyBySection) {
  const ConfigSchema known = schema();
  const std::string help = known.help();
  for (const auto& key : known.keys()) EXPECT_NE(help.find(key.help), std::string::npos) << key.name;
  EXPECT_NE(help.find("[train]\n"), std::string::npos);
  EXPECT_NE(help.find("parameter.NAME"), std::string::npos);
  EXPECT_NE(help.find("auto or >= 1"), std::string::npos);
  EXPECT_LT(help.find("[problem]"), help.find("[model]"));
}

}  // namespace
}  // namespace torsor
