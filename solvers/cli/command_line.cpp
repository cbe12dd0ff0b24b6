#include "solvers/cli/command_line.h"

#include "physics/error.h"
#include "solvers/cli/schema.h"

namespace po = boost::program_options;

namespace torsor {

po::variables_map parse_arguments(const Arguments& arguments, const po::options_description& options,
                                  const std::vector<std::string>& positional) {
  po::options_description all = options;
  po::positional_options_description places;
  for (const auto& name : positional) {
    all.add_options()(name.c_str(), po::value<std::string>());
    places.add(name.c_str(), 1);
  }
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(places)
                  .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
                  .run(),
              given);
  } catch (const po::unknown_option& error) {
    std::vector<std::string> known;
    for (const auto& option : options.options()) known.push_back("--" + option->long_name());
    throw InputError(unknown_name_message("option", error.get_option_name(), known));
  } catch (const po::too_many_positional_options_error&) {
    throw InputError("too many arguments; expected " + std::to_string(positional.size()));
  } catch (const po::error& error) {
    throw InputError(error.what());
  }
  for (const auto& name : positional)
    if (!given.count(name)) throw InputError("argument " + name + " is missing");
  return given;
}

po::options_description run_options() {
  po::options_description options("options");
  options.add_options()("set", po::value<std::vector<std::string>>()->composing(), "override a key: section.key=value")(
      "out", po::value<std::string>(), "output folder")("json", po::value<std::string>(), "write the figures as JSON");
  return options;
}

Config read_config(const po::variables_map& given) {
  Config config = Config::read(given["CONFIG"].as<std::string>(), config_schema());
  if (given.count("set"))
    for (const auto& assignment : given["set"].as<std::vector<std::string>>()) config.set(assignment);
  if (given.count("out")) config.set("output.folder=" + given["out"].as<std::string>());
  return config;
}

std::string command_text(const std::string& command, const Arguments& arguments) {
  std::string text = "torsor " + command;
  for (const auto& argument : arguments) text += " " + argument;
  return text;
}

std::string output_folder(const Config& config) {
  return config.is_auto("output.folder") ? "runs/" + config.text("problem.name") : config.text("output.folder");
}

}  // namespace torsor
