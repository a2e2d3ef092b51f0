// runtime/log.h: where messages of the library go; it prints nothing by itself.
#pragma once

#include <voxloom/graph/export.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace voxloom {

enum class LogLevel : uint8_t { debug, info, warning, error };

using LogCallback = std::function<void(LogLevel, std::string_view)>;

/// Replaces the process-wide receiver of messages at or above `threshold`; an empty callback silences them.
/// The callback may be called from any thread, one call at a time; messages it causes itself are dropped.
VOXLOOM_API void set_log(LogCallback callback, LogLevel threshold = LogLevel::info);

/// Whether a message of this level would reach anybody; ask before building an expensive text.
VOXLOOM_API bool log_enabled(LogLevel level) noexcept;

/// Hands a message to the callback. Exceptions from the callback are swallowed: logging never changes a result.
VOXLOOM_API void log(LogLevel level, std::string_view message) noexcept;

/// "debug", "info", "warning", "error".
VOXLOOM_API std::string_view name_of(LogLevel level);

}  // namespace voxloom
