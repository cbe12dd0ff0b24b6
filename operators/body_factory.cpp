// Bodies by name: see body_factory.h.
#include "operators/body_factory.h"

#include "operators/mlp.h"
#include "operators/sine_features.h"
#include "physics/error.h"

namespace torsor {
namespace {

std::shared_ptr<const Body> make_sine(const BodyOptions&, const BodyRequest& request) {
  SineFeatures::Options options;
  options.features = request.features;
  options.bandwidth = request.bandwidth;
  options.centre = request.centre;
  options.period = request.period;
  options.seed = request.seed;
  return std::make_shared<SineFeatures>(options);
}

/// Concatenated layers share the features evenly, the first ones taking what is left over.
std::vector<Index> layer_widths(const BodyOptions& options, Index features) {
  if (options.layers < 1)
    throw InputError("mlp: layers = " + std::to_string(options.layers) + " must be >= 1");
  const Index least = options.concatenate ? options.layers : 1;
  if (features < least)
    throw InputError("mlp: features = " + std::to_string(features) + " must be >= " + std::to_string(least));
  std::vector<Index> widths(static_cast<size_t>(options.layers), features);
  if (!options.concatenate) return widths;
  for (Index l = 0; l < options.layers; ++l)
    widths[static_cast<size_t>(l)] = features / options.layers + (l < features % options.layers ? 1 : 0);
  return widths;
}

std::shared_ptr<const Body> make_mlp(const BodyOptions& body, const BodyRequest& request) {
  Mlp::Options options;
  options.widths = layer_widths(body, request.features);
  options.activation = activation_from_name(body.activation);
  options.concatenate = body.concatenate;
  options.bandwidth = request.bandwidth;
  options.centre = request.centre;
  options.half_width = request.half_width;
  options.period = request.period;
  options.seed = request.seed;
  return std::make_shared<Mlp>(options);
}

struct Maker {
  const char* kind;
  std::shared_ptr<const Body> (*make)(const BodyOptions&, const BodyRequest&);
};

constexpr Maker kMakers[] = {{"sine", make_sine}, {"mlp", make_mlp}};

}  // namespace

std::vector<std::string> body_names() {
  std::vector<std::string> names;
  for (const auto& maker : kMakers) names.emplace_back(maker.kind);
  return names;
}

std::shared_ptr<const Body> make_body(const BodyOptions& options, const BodyRequest& request) {
  for (const auto& maker : kMakers)
    if (options.kind == maker.kind) return maker.make(options, request);
  throw InputError(unknown_name_message("body", options.kind, body_names()));
}

}  // namespace torsor
