// graph/error.cpp: error texts and the side table of origins.
#include <voxloom/graph/error.h>
#include <voxloom/graph/origins.h>

#include <atomic>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace voxloom {
namespace {

struct Position {
  std::string text;  ///< empty where `decode` makes it
  const void* object = nullptr;
  int position = 0;
  OriginText decode = nullptr;
};

struct OriginTable {
  std::mutex mutex;
  std::map<std::pair<std::string, int>, uint32_t> ids;
  std::map<std::pair<const void*, int>, uint32_t> object_ids;
  std::vector<Position> positions{Position()};
};

OriginTable& table() {
  static auto* const instance = new OriginTable;  // never destroyed: errors may be printed during exit
  return *instance;
}

std::atomic<OriginHook> origin_hook{nullptr};

OriginId intern(std::string file, int position) {
  OriginTable& t = table();
  const std::lock_guard lock(t.mutex);
  auto [it, is_new] = t.ids.try_emplace({std::move(file), position}, static_cast<uint32_t>(t.positions.size()));
  if (is_new) t.positions.push_back({.text = it->first.first + ":" + std::to_string(position)});
  return OriginId{it->second};
}

std::string full_text(const std::string& op, const std::string& message, OriginId origin) {
  std::string text = op.empty() ? message : op + ": " + message;
  if (origin.value != 0) text += " [at " + origin_text(origin) + "]";
  return text;
}

}  // namespace

OriginId origin_of(const std::source_location& where) {
  if (const OriginHook hook = origin_hook.load(std::memory_order_relaxed)) {
    if (const OriginId origin = hook(); origin.value != 0) return origin;
  }
  return intern(where.file_name(), static_cast<int>(where.line()));
}

OriginId origin_of_text(std::string_view text_name, int column) { return intern(std::string(text_name), column); }

OriginId origin_of_object(const void* object, int position, OriginText text) {
  OriginTable& t = table();
  const std::lock_guard lock(t.mutex);
  auto [it, is_new] = t.object_ids.try_emplace({object, position}, static_cast<uint32_t>(t.positions.size()));
  if (is_new) t.positions.push_back({.text = {}, .object = object, .position = position, .decode = text});
  return OriginId{it->second};
}

void set_origin_hook(OriginHook hook) { origin_hook.store(hook, std::memory_order_relaxed); }

std::string origin_text(OriginId id) {
  OriginTable& t = table();
  Position found;
  {
    const std::lock_guard lock(t.mutex);
    if (id.value < t.positions.size()) found = t.positions[id.value];
  }
  // Outside the lock: decoding may wait for an interpreter whose threads wait for the table.
  return found.decode ? found.decode(found.object, found.position) : found.text;
}

Error::Error(ErrorCode code, std::string op, const std::string& message, OriginId origin)
    : std::runtime_error(full_text(op, message, origin)), code_(code), op_(std::move(op)), origin_(origin) {}
Error::~Error() = default;
UserError::~UserError() = default;
RuntimeError::~RuntimeError() = default;
InternalError::InternalError(const std::string& message)
    : Error(ErrorCode::internal, "internal error", message + " (this is a bug of voxloom: please report it with this text)", {}) {}
InternalError::~InternalError() = default;

void fail_user(ErrorCode code, std::string_view op, const std::string& message, OriginId origin) {
  throw UserError(code, std::string(op), message, origin);
}
void fail_runtime(ErrorCode code, std::string_view op, const std::string& message) {
  throw RuntimeError(code, std::string(op), message, {});
}
void fail_internal(std::string_view condition, const std::source_location& where) {
  const std::string_view path = where.file_name();  // where it was built is nobody's business
  const std::string_view file = path.substr(path.rfind('/') + 1);
  throw InternalError(std::string(condition) + " at " + std::string(file) + ":" + std::to_string(where.line()));
}

}  // namespace voxloom
