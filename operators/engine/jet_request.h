// What is asked of the derivative engine, and the channels that must be propagated for it.
//
// By Faa di Bruno's formula d_ij of an activation needs d_i and d_j, the Laplacian needs the first partial
// derivatives it sums over, d_i^3 needs d_i and d_i^2, and d_i^4 needs d_i^3 besides. Nothing else is
// propagated.
#pragma once

#include <vector>

#include "operators/engine/kernel_table.h"
#include "physics/multi_index.h"

namespace torsor {

struct JetRequest {
  /// Partial derivatives, the zero index being the value: any of order <= 2 and pure ones of order <= 4.
  std::vector<MultiIndex> derivatives;
  /// Coordinates that the Laplacian sums over; empty: none is asked for. It is one channel, the last.
  std::vector<Index> laplacian;

  /// Channels asked for.
  Index channels() const { return static_cast<Index>(derivatives.size()) + (laplacian.empty() ? 0 : 1); }
};

/// The channels to propagate and where those asked for are found among them.
struct JetPlan {
  engine::ChannelPlan channels;
  std::vector<std::vector<Index>>
      directions;            ///< of each channel, the coordinates differentiated by: (2, 1) -> 0, 0, 1
  std::vector<int> outputs;  ///< channel of each of the request's channels

  /// Throws InputError for a request without channels, an index that is not one of `coordinates` (1 ... 4)
  /// coordinates or not supported, and a coordinate of the Laplacian that does not exist or is named twice.
  JetPlan(const JetRequest& request, Index coordinates);
};

}  // namespace torsor
