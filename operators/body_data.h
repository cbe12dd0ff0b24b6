// A body as plain named texts and arrays, for whoever stores it.
//
//   kind    text                                                arrays
//   sine                                                        frequencies [m, d], phases [m], centre [d]
//   mlp     activation, concatenate (yes | no), harmonics,      centre [d], period [d],
//           layers                                              layer_1_weight [out, in], layer_1_bias [out],
//           ...
//   network activation, skip                                    inputs [inputs, 2 + d], widths [layers],
//                                                               parameters [P], constants [p] where there are any
//   fourier those of the body that it multiplies, whose kind      those of that body, mode_centre [d], mode_period [d]
//           is `of`; mode_harmonics
//   velocity those of the network                               those of the network, velocity_nodes [J, components],
//                                                               velocity_weights [J]
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operators/body.h"

namespace torsor {

/// Shape and values, the last index fastest.
using BodyArray = std::pair<std::vector<long long>, std::vector<double>>;

struct BodyData {
  std::string kind;  ///< as Body::kind
  std::map<std::string, std::string> text;
  std::map<std::string, BodyArray> arrays;
};

/// Everything that body_from_data needs to build the same body again, bit by bit. Throws InputError for a
/// body of an unknown kind.
BodyData describe_body(const Body& body);

/// The body that was described. Throws InputError, naming the entry, when the kind is unknown or an entry is
/// missing, of another shape than it should be, not finite or not one of the known words.
std::shared_ptr<const Body> body_from_data(const BodyData& data);

}  // namespace torsor
