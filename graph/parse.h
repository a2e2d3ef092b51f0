// graph/parse.h: reads the text form of graphs.
#pragma once

#include <voxloom/graph/graph.h>

#include <functional>
#include <string_view>

namespace voxloom {

/// The row of a name, or nullptr. Handed in, because the rows live above graph/.
using OpLookup = std::function<const OpInfo*(std::string_view name)>;
/// Makes the payload of a leaf printed as `NAME from "TEXT"` (shared variables, images).
using PayloadReader =
    std::function<std::shared_ptr<const Payload>(const OpInfo& op, const std::string& name, const std::string& text, const Type& type)>;

/// Reads what to_text() writes; types are inferred again and must equal the printed ones. Refusals are UserErrors with line:column.
/// Bounds: 1 000 000 nodes, 8 axes, strings of 1 MiB, 64 levels of sub-graphs. Not recursive on nodes.
/// Without a payload reader a leaf with a payload other than a constant is refused.
VOXLOOM_API Graph parse_graph(std::string_view text, const OpLookup& lookup, const PayloadReader& read_payload = {});

}  // namespace voxloom
