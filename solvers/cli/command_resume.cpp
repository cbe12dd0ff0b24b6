// torsor resume DIR: goes on with an interrupted training run, to the same bits that it would have reached.
#include "physics/error.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/schema.h"
#include "solvers/cli/train_setup.h"
#include "solvers/cli/training_run.h"

namespace po = boost::program_options;

namespace torsor {

int command_resume(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("set", po::value<std::vector<std::string>>(), "section.key=value: another value, more steps for instance")(
      "json", po::value<std::string>(), "write the table as JSON");
  const auto given = parse_arguments(arguments, options, {"DIR"});
  const std::string folder = given["DIR"].as<std::string>();
  const Checkpoint checkpoint = read_checkpoint(folder);
  Config config = Config::parse(checkpoint.config, checkpoint_path(folder), config_schema());
  if (given.count("set"))
    for (const auto& assignment : given["set"].as<std::vector<std::string>>()) config.set(assignment);
  config.set("output.folder=" + folder);
  if (!trains(config)) throw InputError(folder + ": train.steps = 0, there is no training to go on with");
  train_and_finish(config, start_runtime(), checkpoint.command,
                   given.count("json") ? given["json"].as<std::string>() : "", &checkpoint);
  return 0;
}

}  // namespace torsor
