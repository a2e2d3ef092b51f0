// io/temporaries.h: the temporary files that exist at this moment, so that a program's signal handler can remove them.
#pragma once

#include <voxloom/graph/export.h>

#include <string>

namespace voxloom::io {

/// Enters a path into the table; -1 if the table is full or the path too long (the file is then only removed by its owner).
int register_temporary(const std::string& path);
void forget_temporary(int slot);

/// Unlinks every temporary this process has registered. Async-signal-safe: the only function of io a signal handler may call.
VOXLOOM_API void unlink_temporaries() noexcept;

}  // namespace voxloom::io
