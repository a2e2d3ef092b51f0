// graph/nearest.h: "did you mean": the known name closest to a mistyped one.
#pragma once

#include <voxloom/graph/export.h>

#include <span>
#include <string>
#include <string_view>

namespace voxloom {

/// The candidate with the fewest edits (insert, delete, replace, swap of neighbours), if they are few for the length of the name; else empty.
VOXLOOM_API std::string nearest(std::string_view name, std::span<const std::string> candidates);
/// " (did you mean NAME?)", or nothing.
VOXLOOM_API std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace voxloom
