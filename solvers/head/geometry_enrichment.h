// Which singular features a domain's geometry asks for (operators/enrichment.h), found from the domain itself: the
// right-angled corners of a box, and its circular holes.
#pragma once

#include "operators/enrichment.h"
#include "problems/problem.h"

namespace torsor {

/// Features for steady second-order problems in two coordinates; null for others and where there is nothing to enrich.
std::shared_ptr<const Body> geometry_enrichment(const Problem& problem);

}  // namespace torsor
