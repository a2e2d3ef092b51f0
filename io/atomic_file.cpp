// io/atomic_file.cpp: temporary, lock, early write-back, fsync, rename.
#include <voxloom/io/atomic_file.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/io/temporaries.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace voxloom::io {
namespace {

constexpr std::string_view marker = ".voxloom-";

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of_path(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// The file that a chain of links ends at, existing or not.
std::string follow_links(const std::string& path) {
  std::string current = path;
  for (int depth = 0; depth < 40; ++depth) {
    struct stat status{};
    if (lstat(current.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return current;
    char buffer[PATH_MAX];
    const ssize_t n = readlink(current.c_str(), buffer, sizeof buffer);
    if (n <= 0) fail_os(path, "cannot follow the link", errno);
    const std::string next(buffer, static_cast<size_t>(n));
    current = next.front() == '/' ? next : folder_of(current) + "/" + next;
  }
  fail_os(path, "cannot follow the link", ELOOP);
}

// ".NAME.voxloom-", with NAME cut where the whole would be longer than a file system takes.
std::string temporary_prefix(const std::string& target) { return "." + name_of_path(target).substr(0, 180) + std::string(marker); }

bool is_alive(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

// A temporary is stale when its writer's process is gone and nobody holds its lock (a writer on another machine would hold it).
bool is_stale(const std::string& path, pid_t writer) {
  if (is_alive(writer)) return false;
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  const bool free = flock(fd, LOCK_EX | LOCK_NB) == 0;
  close(fd);
  return free;
}

void sweep_stale(const std::string& folder, const std::string& prefix) {
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return;
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix) || !name.ends_with(".tmp")) continue;
    pid_t pid = 0;
    const char* digits = name.data() + prefix.size();
    const auto parsed = std::from_chars(digits, name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || *parsed.ptr != '-' || pid <= 0) continue;
    const std::string path = folder + "/" + std::string(name);
    if (is_stale(path, pid)) unlink(path.c_str());
  }
  closedir(dir);
}

std::string random_letters() {
  std::random_device device;
  std::string text;
  for (int i = 0; i < 10; ++i) text += "abcdefghijklmnopqrstuvwxyz012345"[device() % 32];
  return text;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path, const AtomicFileOptions& options) : path_(path), options_(options) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    fail_field(path, "output path", "an empty name or one with a NUL byte", "a file name", ErrorCode::usage);
  }
  target_ = follow_links(path);
  folder_ = folder_of(target_);
  struct stat status{};
  if (stat(target_.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) fail_runtime(ErrorCode::file, printable_path(path), "cannot write: it exists and is not a regular file");
    if (options_.no_clobber) fail_os(path, "cannot write (no-clobber)", EEXIST);
  } else if (errno != ENOENT) {
    fail_os(path, "cannot write", errno);
  }
  const std::string prefix = temporary_prefix(target_);
  sweep_stale(folder_, prefix);
  temporary_ = folder_ + "/" + prefix + std::to_string(getpid()) + "-" + random_letters() + ".tmp";
  file_ = File::create_exclusive(temporary_, path);
  slot_ = register_temporary(temporary_);
  flock(file_.fd(), LOCK_EX | LOCK_NB);  // best effort: some file systems have no locks
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (temporary_.empty()) return;
  unlink(temporary_.c_str());
  forget_temporary(slot_);
  temporary_.clear();
}

void AtomicFile::write_at(const std::byte* src, size_t n, int64_t offset) {
  file_.write_at(src, n, offset);
  constexpr size_t worth_starting = size_t{4} << 20;
  if (!options_.no_fsync && n >= worth_starting) {
    sync_file_range(file_.fd(), offset, static_cast<int64_t>(n), SYNC_FILE_RANGE_WRITE);  // only a hint: the final fsync waits less
  }
}

void AtomicFile::seal() {
  if (sealed_) return;
  if (!options_.no_fsync) file_.sync();
  file_.close();
  sealed_ = true;
}

void AtomicFile::publish() {
  int result = -1;
  if (options_.no_clobber) {
    result = renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE);
    if (result != 0 && errno == EINVAL && access(target_.c_str(), F_OK) != 0) result = rename(temporary_.c_str(), target_.c_str());
  } else {
    result = rename(temporary_.c_str(), target_.c_str());
  }
  if (result != 0) fail_os(path_, "cannot rename the finished file into place", errno);
}

void AtomicFile::commit() {
  seal();
  publish();
  forget_temporary(slot_);
  temporary_.clear();
  if (options_.no_fsync) return;
  const int fd = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a folder one may write but not read
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  if (result != 0 && error != EINVAL && error != EROFS) fail_os(path_, "cannot flush its folder to the disk", error);
}

}  // namespace voxloom::io
