// codegen/cache.cpp: DiskCache, cache_status, cache_clear, default_cache_dir.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <voxloom/codegen/cache.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace voxloom::codegen {

namespace {

constexpr std::string_view suffix = ".o", temporary_prefix = ".new-", stamp_name = ".swept";
constexpr int64_t sweep_every_seconds = 3600, touch_after_seconds = 60;
constexpr uint64_t largest_payload = uint64_t{64} << 20;

struct Header {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t header_bytes;
  uint64_t payload_bytes;
  std::array<char, 64> key, hash;  // hexadecimal; the hash is that of the payload
};
constexpr std::array<char, 8> magic = {'v', 'o', 'x', 'l', 'o', 'o', 'm', '\n'};
constexpr uint32_t format_version = 1;
static_assert(sizeof(Header) == 152);

/// A file descriptor that closes itself.
struct File {
  int fd = -1;
  explicit File(int f) : fd(f) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd >= 0) close(fd);
  }
};

std::string error_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

bool make_folders(const std::string& dir) {
  for (size_t end = dir.find('/', 1); end != std::string::npos; end = dir.find('/', end + 1)) {
    if (mkdir(dir.substr(0, end).c_str(), 0700) != 0 && errno != EEXIST) return false;
  }
  return mkdir(dir.c_str(), 0700) == 0 || errno == EEXIST;
}

/// Opens the folder if it is a folder, ours, and closed to others; otherwise -1 and a reason.
int open_folder(const std::string& dir, std::string& reason) {
  const int fd = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    reason = errno == ELOOP || errno == ENOTDIR ? "not a folder, or a symbolic link" : error_text("cannot open");
    return -1;
  }
  struct stat s{};
  if (fstat(fd, &s) != 0) {
    reason = error_text("cannot examine");
  } else if (s.st_uid != geteuid()) {
    reason = "belongs to user " + std::to_string(s.st_uid) + ", not to us (" + std::to_string(geteuid()) + ")";
  } else if ((s.st_mode & 077) != 0) {
    reason = "is open to other users (mode must be 0700)";
  } else {
    return fd;
  }
  close(fd);
  return -1;
}

bool read_all(int fd, void* out, size_t bytes, int64_t offset) {
  auto* p = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t n = pread(fd, p, bytes, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n;
    offset += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

bool write_all(int fd, const void* data, size_t bytes) {
  const auto* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(fd, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

struct Entry {
  std::string name;
  int64_t bytes = 0, modified = 0;
};

/// Calls f(name, stat) for every regular file of the folder.
template <class F> void for_each_file(int fd, F&& f) {
  const int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // a directory stream has a position of its own
  if (copy < 0) return;
  DIR* stream = fdopendir(copy);
  if (stream == nullptr) {
    close(copy);
    return;
  }
  while (const dirent* e = readdir(stream)) {
    struct stat s{};
    if (fstatat(fd, e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode)) f(std::string(e->d_name), s);
  }
  closedir(stream);
}

std::vector<Entry> entries_of(int fd) {
  std::vector<Entry> entries;
  for_each_file(fd, [&](const std::string& name, const struct stat& s) {
    if (std::string_view(name).ends_with(suffix)) entries.push_back({name, s.st_size, s.st_mtim.tv_sec});
  });
  return entries;
}

/// Removes what crashed writers left, and the entries used longest ago until a quarter of the limit is free again.
void sweep(int fd, int64_t max_bytes) {
  const int64_t now = time(nullptr);
  for_each_file(fd, [&](const std::string& name, const struct stat& s) {
    if (std::string_view(name).starts_with(temporary_prefix) && now - s.st_mtim.tv_sec > sweep_every_seconds) unlinkat(fd, name.c_str(), 0);
  });
  std::vector<Entry> entries = entries_of(fd);
  int64_t total = 0;
  for (const Entry& e : entries) total += e.bytes;
  if (total <= max_bytes) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.modified < b.modified; });
  for (const Entry& e : entries) {
    if (total <= max_bytes - max_bytes / 4) return;
    if (unlinkat(fd, e.name.c_str(), 0) == 0) total -= e.bytes;
  }
}

}  // namespace

DiskCache::DiskCache(const std::string& dir, int64_t max_bytes) : max_bytes_(max_bytes) {
  if (dir.empty()) {
    reason_ = "no folder is set";
    return;
  }
  fd_ = open_folder(dir, reason_);
  if (fd_ >= 0 || access(dir.c_str(), F_OK) == 0 || errno != ENOENT) return;
  reason_.clear();
  if (make_folders(dir)) fd_ = open_folder(dir, reason_);
  else reason_ = error_text("cannot create");
}

DiskCache::~DiskCache() {
  if (fd_ >= 0) close(fd_);
}

std::optional<std::string> DiskCache::read(const std::string& key) {
  if (!usable()) return std::nullopt;
  reason_.clear();
  const std::string name = key + std::string(suffix);
  const File file(openat(fd_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) {
    if (errno != ENOENT) reason_ = errno == ELOOP ? "the cache entry is a symbolic link" : error_text("reading the cache entry");
    if (errno == ELOOP) unlinkat(fd_, name.c_str(), 0);
    return std::nullopt;
  }
  struct stat s{};
  if (fstat(file.fd, &s) != 0) return std::nullopt;
  if (!S_ISREG(s.st_mode) || s.st_uid != geteuid() || (s.st_mode & 022) != 0) {
    reason_ = "the cache entry is not a regular file of ours that only we may write";
    return std::nullopt;
  }
  errno = 0;
  std::optional<std::string> payload = checked(file.fd, key);
  if (!payload && errno == 0) unlinkat(fd_, name.c_str(), 0);
  if (payload && time(nullptr) - s.st_mtim.tv_sec > touch_after_seconds) futimens(file.fd, nullptr);
  return payload;
}

/// Nothing, with errno 0, when the content is wrong; with errno set when the disk failed.
std::optional<std::string> DiskCache::checked(int file, const std::string& key) {
  Header h{};
  struct stat s{};
  if (fstat(file, &s) != 0) return std::nullopt;
  const auto refuse = [&](const char* why) {
    reason_ = std::string("the cache entry was refused: ") + why;
    errno = 0;
    return std::nullopt;
  };
  if (s.st_size < static_cast<int64_t>(sizeof h)) return refuse("it is shorter than its header");
  if (!read_all(file, &h, sizeof h, 0)) return std::nullopt;
  if (h.magic != magic) return refuse("it is not a cache entry");
  if (h.version != format_version || h.header_bytes != sizeof h) return refuse("another version wrote it");
  if (h.payload_bytes > largest_payload || static_cast<uint64_t>(s.st_size) != sizeof h + h.payload_bytes)
    return refuse("its size is wrong");
  if (std::string_view(h.key.data(), h.key.size()) != key) return refuse("it holds another kernel");
  std::string payload(h.payload_bytes, '\0');
  if (!read_all(file, payload.data(), payload.size(), sizeof h)) return std::nullopt;
  if (blake3_hex(payload) != std::string_view(h.hash.data(), h.hash.size())) return refuse("its content is damaged");
  return payload;
}

void DiskCache::write(const std::string& key, const std::string& payload) {
  if (!usable() || key.size() != 64 || payload.size() > largest_payload || static_cast<int64_t>(payload.size()) > max_bytes_) return;
  static std::atomic<uint64_t> counter{0};
  const std::string temporary = std::string(temporary_prefix) + std::to_string(getpid()) + "-" + std::to_string(counter++);
  Header h{magic, format_version, sizeof(Header), payload.size(), {}, {}};
  std::memcpy(h.key.data(), key.data(), 64);
  std::memcpy(h.hash.data(), blake3_hex(payload).data(), 64);
  bool written = false;
  {
    const File file(openat(fd_, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.fd < 0) return;
    written = write_all(file.fd, &h, sizeof h) && write_all(file.fd, payload.data(), payload.size());
  }
  if (!written || renameat(fd_, temporary.c_str(), fd_, (key + std::string(suffix)).c_str()) != 0) unlinkat(fd_, temporary.c_str(), 0);
  sweep_hourly();
}

void DiskCache::sweep_hourly() {
  const std::string stamp(stamp_name);
  struct stat s{};
  if (fstatat(fd_, stamp.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && time(nullptr) - s.st_mtim.tv_sec < sweep_every_seconds) return;
  const File file(openat(fd_, stamp.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.fd < 0) return;
  futimens(file.fd, nullptr);
  sweep(fd_, max_bytes_);
}

CacheStatus cache_status(const std::string& dir) {
  CacheStatus status;
  status.dir = dir;
  const File folder(dir.empty() ? -1 : open_folder(dir, status.reason));
  status.usable = folder.fd >= 0;
  if (dir.empty()) status.reason = "no folder is set";
  if (!status.usable) return status;
  for (const Entry& e : entries_of(folder.fd)) {
    ++status.entries;
    status.bytes += e.bytes;
  }
  return status;
}

int64_t cache_clear(const std::string& dir) {
  std::string reason;
  const File folder(dir.empty() ? -1 : open_folder(dir, reason));
  if (folder.fd < 0) return 0;
  int64_t removed = 0;
  for (const Entry& e : entries_of(folder.fd)) removed += unlinkat(folder.fd, e.name.c_str(), 0) == 0 ? 1 : 0;
  return removed;
}

std::string default_cache_dir() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && xdg[0] == '/') return std::string(xdg) + "/voxloom";
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') return std::string(home) + "/.cache/voxloom";
  return {};
}

}  // namespace voxloom::codegen
