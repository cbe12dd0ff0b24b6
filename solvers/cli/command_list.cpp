// torsor list [problems|models|combiners|optimisers|references] and torsor describe NAME.
#include <algorithm>
#include <cstdio>
#include <map>

#include "operators/body_factory.h"
#include "physics/error.h"
#include "problems/builder.h"
#include "solvers/cli/command_line.h"
#include "solvers/combine/combiner.h"
#include "solvers/optimise/optimiser.h"
#include "solvers/reference/references.h"
#include "solvers/store/json_writer.h"

namespace po = boost::program_options;

namespace torsor {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;  // name, summary

Entries plain(const std::vector<std::string>& names) {
  Entries entries;
  for (const auto& name : names) entries.emplace_back(name, "");
  return entries;
}

template <class Methods>
Entries titled(const Methods& methods) {
  Entries entries;
  for (const auto& method : methods) entries.emplace_back(method.name, method.title);
  return entries;
}

/// What can be listed.
std::map<std::string, Entries> catalogue() {
  Entries problems;
  for (const auto& definition : problem_definitions()) problems.emplace_back(definition.name, definition.summary);
  return {{"problems", problems},
          {"models", plain(body_names())},
          {"combiners", titled(combiners())},
          {"optimisers", titled(optimisers())},
          {"references", plain(reference_names())}};
}

void print_json(const std::map<std::string, Entries>& lists) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [kind, entries] : lists) {
    std::vector<std::string> names;
    for (const auto& entry : entries) names.push_back(entry.first);
    json.member(kind, names);
  }
  json.end();
  std::printf("%s\n", json.text().c_str());
}

const char* place_name(Place place) {
  switch (place) {
    case Place::interior: return "interior";
    case Place::boundary: return "boundary";
    case Place::initial: return "initial";
  }
  return "";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

int command_list(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("json", "as JSON");
  Arguments rest = arguments;
  std::string kind;
  if (!rest.empty() && rest.front().rfind("--", 0) != 0) {
    kind = rest.front();
    rest.erase(rest.begin());
  }
  const auto given = parse_arguments(rest, options, {});
  auto lists = catalogue();
  if (!kind.empty()) {
    std::vector<std::string> known;
    for (const auto& entry : lists) known.push_back(entry.first);
    if (!lists.count(kind)) throw InputError(unknown_name_message("list", kind, known));
    lists = {{kind, lists[kind]}};
  }
  if (given.count("json")) {
    print_json(lists);
    return 0;
  }
  for (const auto& [name, entries] : lists) {
    if (lists.size() > 1) std::printf("%s:\n", name.c_str());
    for (const auto& [entry, summary] : entries)
      std::printf("%s%-20s%s\n", lists.size() > 1 ? "  " : "", entry.c_str(), summary.c_str());
  }
  return 0;
}

namespace {

/// Text of several lines, indented.
void print_block(const std::string& heading, const std::string& text) {
  if (text.empty()) return;
  std::printf("\n%s\n  ", heading.c_str());
  for (const char c : text) {
    std::putchar(c);
    if (c == '\n') std::printf("  ");
  }
  std::putchar('\n');
}

/// A combiner or an optimiser.
template <class Method>
void describe_method(const Method& method) {
  std::printf("%s: %s\n", method.name.c_str(), method.title.c_str());
  print_block("formula", method.formula);
  print_block("source", method.source);
  if (!method.options.empty()) std::printf("\noptions (train.%s.NAME: type, default, rule)\n", method.name.c_str());
  for (const auto& option : method.options)
    std::printf("  %-18s %-8s %-10s %s%s%s\n", option.name.c_str(), option.type.c_str(), option.default_value.c_str(),
                option.help.c_str(), option.rule.empty() ? "" : "; ", option.rule.c_str());
  print_block("good to know", method.caveats);
}

void describe_problem(const Problem& problem) {
  std::printf("%s: %s\n\ncoordinates\n", problem.name.c_str(), problem.title.c_str());
  for (const auto& c : problem.coordinates)
    std::printf("  %-8s [%g, %g] %s%s%s\n", c.name.c_str(), c.low, c.high, c.unit.c_str(),
                c.periodic ? " periodic" : "", c.time ? " time" : "");
  std::printf("  domain   %s\n\nfields\n", problem.domain->describe().c_str());
  for (const auto& field : problem.fields) std::printf("  %-8s %s\n", field.name.c_str(), field.unit.c_str());
  std::printf("\nparameters (default, range)\n");
  for (const auto& p : problem.parameters)
    std::printf("  %-12s %-12g [%g, %g] %s %s\n", p.name.c_str(), p.default_value, p.low, p.high, p.unit.c_str(),
                p.help.c_str());
  std::printf("\nterms\n");
  for (const auto& term : problem.terms)
    std::printf("  %-10s %-9s %s%s\n", term.name.c_str(), place_name(term.place), term.text.c_str(),
                term.pieces.empty() ? "" : ("   on " + joined(term.pieces)).c_str());
  std::printf("\nreferences\n  %s\n", joined(applicable_references(problem)).c_str());
}

}  // namespace

int command_describe(const Arguments& arguments) {
  const auto given = parse_arguments(arguments, po::options_description("options"), {"NAME"});
  const std::string name = given["NAME"].as<std::string>();
  std::vector<std::string> known;
  for (const auto& method : combiners()) {
    if (method.name == name) return describe_method(method), 0;
    known.push_back(method.name);
  }
  for (const auto& method : optimisers()) {
    if (method.name == name) return describe_method(method), 0;
    known.push_back(method.name);
  }
  for (const auto& definition : problem_definitions()) known.push_back(definition.name);
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw InputError(unknown_name_message("problem, combiner or optimiser", name, known));
  describe_problem(make_problem(find_problem(name), {}));
  return 0;
}

}  // namespace torsor
