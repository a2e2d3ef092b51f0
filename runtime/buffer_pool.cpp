// runtime/buffer_pool.cpp: size classes of small blocks, a best-fit list of large mappings, caps and counters.
#include <voxloom/runtime/buffer_pool.h>

#include <voxloom/graph/error.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/spin_lock.h>

#include <pthread.h>
#include <sys/mman.h>
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define VOXLOOM_POISON(p, n) __asan_poison_memory_region((p), static_cast<size_t>(n))
#define VOXLOOM_UNPOISON(p, n) __asan_unpoison_memory_region((p), static_cast<size_t>(n))
#else
#define VOXLOOM_POISON(p, n) static_cast<void>(0)
#define VOXLOOM_UNPOISON(p, n) static_cast<void>(0)
#endif

namespace voxloom {
namespace {

using detail::BufferBlock;
using detail::SpinLock;

constexpr int64_t large_from = MiB(1);
constexpr int64_t huge_page = MiB(2);
constexpr int64_t small_page = KiB(4);
constexpr uint32_t class_count = 52;  // 8 of 64 bytes' distance, then 4 per doubling from 512 B to 1 MiB
constexpr uint32_t large_class = class_count;
constexpr int64_t check_system_from = MiB(64);
/// Added to the live bytes while the pool exists, so that zero means: no pool and no buffer is left.
constexpr int64_t open_bias = int64_t{1} << 62;

uint32_t class_of(int64_t bytes) {
  if (bytes <= 512) return bytes <= 64 ? 0 : static_cast<uint32_t>((bytes - 1) / 64);
  const auto power = static_cast<int>(std::bit_width(static_cast<uint64_t>(bytes - 1)));  // bytes is in (2^(power-1), 2^power]
  const int64_t base = int64_t{1} << (power - 1);
  return static_cast<uint32_t>(8 + (power - 10) * 4 + (bytes - 1 - base) / (base / 4));
}

int64_t class_capacity(uint32_t size_class) {
  if (size_class < 8) return (size_class + 1) * int64_t{64};
  const int64_t base = int64_t{512} << ((size_class - 8) / 4);
  return base + base / 4 * ((size_class - 8) % 4 + 1);
}

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/// Maps `bytes`; from 2 MiB on the start lies on a huge page's border and huge pages are asked for.
std::byte* map_pages(int64_t bytes) {
  const int64_t slack = bytes >= huge_page ? huge_page : 0;
  const auto total = static_cast<size_t>(bytes + slack);
  void* const raw = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto* const start = static_cast<std::byte*>(raw);
  if (slack == 0) return start;
  const auto address = reinterpret_cast<uintptr_t>(start);
  const auto head = static_cast<int64_t>((address + huge_page - 1) / huge_page * huge_page - address);
  if (head > 0) munmap(start, static_cast<size_t>(head));
  if (slack - head > 0) munmap(start + head + bytes, static_cast<size_t>(slack - head));
  madvise(start + head, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  return start + head;
}

BufferBlock* make_small(uint32_t size_class) {
  const int64_t capacity = class_capacity(size_class);
  void* const raw = std::aligned_alloc(64, sizeof(BufferBlock) + static_cast<size_t>(capacity));
  if (raw == nullptr) return nullptr;
  auto* const block = new (raw) BufferBlock;
  block->size_class = size_class;
  block->data = static_cast<std::byte*>(raw) + sizeof(BufferBlock);
  block->capacity = capacity;
  return block;
}

BufferBlock* make_large(int64_t capacity) {
  auto* const block = new (std::nothrow) BufferBlock;
  if (block == nullptr) return nullptr;
  block->data = map_pages(capacity);
  if (block->data == nullptr) {
    delete block;
    return nullptr;
  }
  block->size_class = large_class;
  block->capacity = capacity;
  return block;
}

void destroy(BufferBlock* block) {
  VOXLOOM_UNPOISON(block->data, block->capacity);
  if (block->size_class == large_class) {
    munmap(block->data, static_cast<size_t>(block->capacity));
    delete block;
  } else {
    block->~BufferBlock();
    std::free(block);
  }
}

}  // namespace

struct BufferPool::State {
  struct FreeList {
    SpinLock lock;
    BufferBlock* head = nullptr;
    int64_t hits = 0;
    int64_t misses = 0;
  };
  /// One list per small class, most recently used first; the last list holds the large blocks.
  FreeList lists[class_count + 1];
  std::atomic<int64_t> live{open_bias};
  std::atomic<int64_t> peak{0};
  std::atomic<int64_t> held{0};  ///< live and kept bytes: what the system gave
  std::atomic<int64_t> cache_cap{0};
  std::atomic<int64_t> limit{0};
  std::atomic<int64_t> fail_countdown{0};
  std::atomic<bool> closed{false};

  Buffer allocate(int64_t bytes, std::string_view op);
  BufferBlock* take_small(uint32_t size_class);
  BufferBlock* take_large(int64_t bytes);
  BufferBlock* make(uint32_t size_class, int64_t capacity, std::string_view op);
  void give_back(BufferBlock* block) noexcept;
  void trim(int64_t keep_bytes) noexcept;
  int64_t in_use() const { return live.load(std::memory_order_relaxed) & ~open_bias; }
  int64_t cached() const { return std::max<int64_t>(0, held.load(std::memory_order_relaxed) - in_use()); }
  bool fault_due();
};

namespace {

/// All pools, so that fork can happen while none of their locks is taken by a thread that the child will not have.
struct Registry {
  std::mutex mutex;
  static constexpr int capacity = 64;
  BufferPool::State* pools[capacity] = {};
};

Registry& registry() {
  static auto* const instance = [] {
    auto* const made = new Registry;
    const auto unlock_all = +[] {
      for (auto* pool : registry().pools) {
        if (pool == nullptr) continue;
        for (auto& list : pool->lists) list.lock.unlock();
      }
      registry().mutex.unlock();
    };
    const auto lock_all = +[] {
      registry().mutex.lock();
      for (auto* pool : registry().pools) {
        if (pool == nullptr) continue;
        for (auto& list : pool->lists) list.lock.lock();
      }
    };
    pthread_atfork(lock_all, unlock_all, unlock_all);
    return made;
  }();
  return *instance;
}

void enter(BufferPool::State* state) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  for (auto*& slot : r.pools) {
    if (slot != nullptr) continue;
    slot = state;
    return;
  }
}

void leave(BufferPool::State* state) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  for (auto*& slot : r.pools) {
    if (slot == state) slot = nullptr;
  }
}

[[noreturn]] void fail_memory(std::string_view op, int64_t bytes, const std::string& fact) {
  fail_runtime(ErrorCode::limit, op, "cannot get " + format_size(bytes) + " of memory: " + fact);
}

}  // namespace

bool BufferPool::State::fault_due() {
  if (fail_countdown.load(std::memory_order_relaxed) <= 0) return false;
  return fail_countdown.fetch_sub(1, std::memory_order_relaxed) == 1;
}

BufferBlock* BufferPool::State::take_small(uint32_t size_class) {
  FreeList& list = lists[size_class];
  const std::lock_guard guard(list.lock);
  BufferBlock* const block = list.head;
  if (block == nullptr) {
    ++list.misses;
  } else {
    ++list.hits;
    list.head = block->next;
  }
  return block;
}

BufferBlock* BufferPool::State::take_large(int64_t bytes) {
  FreeList& list = lists[large_class];
  const std::lock_guard guard(list.lock);
  BufferBlock** best = nullptr;
  for (BufferBlock** link = &list.head; *link != nullptr; link = &(*link)->next) {
    const int64_t capacity = (*link)->capacity;
    if (capacity >= bytes && capacity - bytes <= bytes / 4 && (best == nullptr || capacity < (*best)->capacity)) best = link;
  }
  if (best == nullptr) {
    ++list.misses;
    return nullptr;
  }
  ++list.hits;
  BufferBlock* const block = *best;
  *best = block->next;
  return block;
}

BufferBlock* BufferPool::State::make(uint32_t size_class, int64_t capacity, std::string_view op) {
  const int64_t bound = limit.load(std::memory_order_relaxed);
  if (bound > 0 && held.fetch_add(capacity) + capacity > bound) {
    trim(std::max<int64_t>(0, bound - in_use()));  // cached() counts the block being made until it is live
    if (held.load() > bound) {
      held.fetch_sub(capacity);
      fail_memory(op, capacity, format_size(in_use()) + " of the limit of " + format_size(bound) + " are in use");
    }
  } else if (bound <= 0) {
    held.fetch_add(capacity);
  }
  if (capacity >= check_system_from && capacity > available_memory()) trim(0);
  const int64_t available = capacity >= check_system_from ? available_memory() : capacity;
  BufferBlock* block = nullptr;
  if (capacity <= available) {
    block = size_class == large_class ? make_large(capacity) : make_small(size_class);
    if (block == nullptr) {
      trim(0);
      block = size_class == large_class ? make_large(capacity) : make_small(size_class);
    }
  }
  if (block == nullptr) {
    held.fetch_sub(capacity);
    fail_memory(op, capacity, "the system has " + format_size(available_memory()) + " left");
  }
  block->owner = this;
  block->release = [](BufferBlock* b) noexcept { static_cast<State*>(b->owner)->give_back(b); };
  return block;
}

Buffer BufferPool::State::allocate(int64_t bytes, std::string_view op) {
  if (bytes < 0 || bytes > open_bias / 4) fail_runtime(ErrorCode::limit, op, "no buffer can have " + std::to_string(bytes) + " bytes");
  if (fault_due()) fail_memory(op, bytes, "a test asked for this failure");
  const bool large = bytes >= large_from;
  const uint32_t size_class = large ? large_class : class_of(bytes);
  BufferBlock* block = large ? take_large(bytes) : take_small(size_class);
  if (block == nullptr) block = make(size_class, large ? round_up(bytes, small_page) : class_capacity(size_class), op);
  VOXLOOM_UNPOISON(block->data, block->capacity);
  block->refs.store(1, std::memory_order_relaxed);
  block->bytes = bytes;
  const int64_t now = (live.fetch_add(block->capacity, std::memory_order_relaxed) + block->capacity) & ~open_bias;
  int64_t highest = peak.load(std::memory_order_relaxed);
  while (now > highest && !peak.compare_exchange_weak(highest, now, std::memory_order_relaxed)) {}
  return Buffer::adopt(block);
}

void BufferPool::State::give_back(BufferBlock* block) noexcept {
  const int64_t capacity = block->capacity;
  const int64_t cap = cache_cap.load(std::memory_order_relaxed);
  if (closed.load(std::memory_order_acquire) || capacity > cap) {
    destroy(block);
    held.fetch_sub(capacity);
  } else {
    VOXLOOM_POISON(block->data, capacity);
    FreeList& list = lists[block->size_class];
    const std::lock_guard guard(list.lock);
    block->next = list.head;
    list.head = block;
  }
  // Only while this block still counts as live is the state sure to exist.
  if (cached() + capacity > cap) trim(std::max<int64_t>(0, cap - capacity));
  if (live.fetch_sub(capacity, std::memory_order_acq_rel) == capacity) {
    trim(0);
    delete this;
  }
}

void BufferPool::State::trim(int64_t keep_bytes) noexcept {
  // Large blocks go first, the least recently released ones before the others: they free most for one call into the kernel.
  for (uint32_t size_class = large_class + 1; size_class-- > 0;) {
    FreeList& list = lists[size_class];
    while (cached() > keep_bytes) {
      BufferBlock* block = nullptr;
      {
        const std::lock_guard guard(list.lock);
        BufferBlock** last = &list.head;
        if (size_class == large_class) {
          while (*last != nullptr && (*last)->next != nullptr) last = &(*last)->next;
        }
        block = *last;
        if (block != nullptr) *last = block->next;
      }
      if (block == nullptr) break;
      const int64_t capacity = block->capacity;
      destroy(block);
      held.fetch_sub(capacity);
    }
  }
}

BufferPool::BufferPool(const PoolOptions& options) : state_(new State) {
  state_->cache_cap = options.cache_cap >= 0 ? options.cache_cap : total_memory() / 4;
  state_->limit = options.limit;
  enter(state_);
}

BufferPool::~BufferPool() {
  leave(state_);
  state_->closed.store(true, std::memory_order_release);
  state_->trim(0);
  if (state_->live.fetch_sub(open_bias) == open_bias) {
    state_->trim(0);
    delete state_;
  }
}

BufferPool& BufferPool::process() {
  static auto* const instance = new BufferPool;
  return *instance;
}

Buffer BufferPool::allocate(int64_t bytes, std::string_view op) { return state_->allocate(bytes, op); }
void BufferPool::trim(int64_t keep_bytes) { state_->trim(keep_bytes); }
void BufferPool::reset_peak() { state_->peak = state_->in_use(); }
void BufferPool::set_limit(int64_t bytes) { state_->limit = bytes; }
void BufferPool::fail_allocation(int64_t nth) { state_->fail_countdown = nth; }

void BufferPool::set_cache_cap(int64_t bytes) {
  state_->cache_cap = bytes;
  state_->trim(bytes);
}

PoolStats BufferPool::stats() const {
  PoolStats stats;
  stats.live_bytes = state_->in_use();
  stats.peak_bytes = state_->peak;
  stats.cached_bytes = state_->cached();
  for (auto& list : state_->lists) {
    const std::lock_guard guard(list.lock);
    stats.hits += list.hits;
    stats.misses += list.misses;
  }
  return stats;
}

}  // namespace voxloom
