// graph/origins.h: how a language binding names the lines of its user's code.
#pragma once

#include <voxloom/graph/error.h>

#include <string>

namespace voxloom {

/// Registers a position that is put into words when somebody asks: `text(object, position)` gives "file:line". The same object and position
/// always yield the same id; the object must live as long as the process.
using OriginText = std::string (*)(const void* object, int position);
VOXLOOM_API OriginId origin_of_object(const void* object, int position, OriginText text);

/// A language binding names here the position of its user's code that runs now; where it answers 0, or without a hook, origin_of() registers
/// the C++ position. Set once, before expressions are built.
using OriginHook = OriginId (*)();
VOXLOOM_API void set_origin_hook(OriginHook hook);

}  // namespace voxloom
