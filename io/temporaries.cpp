// io/temporaries.cpp: a fixed table without locks; a slot is taken, filled and then published by its state.
#include <voxloom/io/temporaries.h>

#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace voxloom::io {
namespace {

enum State : int { empty, filling, live };
constexpr size_t longest_path = 4096;

struct Slot {
  std::atomic<int> state{empty};
  pid_t owner = 0;  // a forked child inherits the table, not the files
  char path[longest_path] = "";
};
Slot table[64];
static_assert(std::atomic<int>::is_always_lock_free);

}  // namespace

int register_temporary(const std::string& path) {
  if (path.size() >= longest_path) return -1;
  for (int i = 0; i < static_cast<int>(std::size(table)); ++i) {
    int expected = empty;
    if (!table[i].state.compare_exchange_strong(expected, filling)) continue;
    table[i].owner = getpid();
    std::memcpy(table[i].path, path.c_str(), path.size() + 1);
    table[i].state.store(live);
    return i;
  }
  return -1;
}

void forget_temporary(int slot) {
  if (slot >= 0) table[slot].state.store(empty);
}

void unlink_temporaries() noexcept {
  const int saved = errno;
  for (Slot& slot : table) {
    if (slot.state.load() == live && slot.owner == getpid()) unlink(slot.path);
  }
  errno = saved;
}

}  // namespace voxloom::io
