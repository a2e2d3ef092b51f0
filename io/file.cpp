// io/file.cpp: File over the POSIX calls.
#include <voxloom/io/diagnostics.h>
#include <voxloom/io/file.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <utility>

namespace voxloom::io {
namespace {

constexpr size_t largest_transfer = size_t{1} << 30;

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISSOCK(mode)) return "a socket";
  return "of an unknown kind";
}

// A write beyond RLIMIT_FSIZE would kill the process with SIGXFSZ, which a library must not let happen.
void check_file_size_limit(const std::string& path, int64_t end) {
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && static_cast<uint64_t>(end) > limit.rlim_cur) {
    fail_os(path, "cannot write", EFBIG);
  }
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), id_(std::exchange(other.id_, {})), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    id_ = std::exchange(other.id_, {});
    path_ = std::move(other.path_);
  }
  return *this;
}

File File::open_read(const std::string& path) {
  if (path.find('\0') != std::string::npos) fail_input(path, "path = a name with a NUL byte (allowed a file name)");
  File file;
  file.path_ = path;
  do { file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); } while (file.fd_ < 0 && errno == EINTR);
  if (file.fd_ < 0) fail_os(path, "cannot open", errno);
  struct stat status{};
  if (fstat(file.fd_, &status) != 0) fail_os(path, "cannot stat", errno);
  if (!S_ISREG(status.st_mode)) fail_input(path, std::string("not a regular file but ") + kind_of(status.st_mode));
  file.id_ = {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  return file;
}

File File::create_exclusive(const std::string& path, const std::string& shown) {
  File file;
  file.path_ = shown;
  do {
    file.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0666);
  } while (file.fd_ < 0 && errno == EINTR);
  if (file.fd_ < 0) fail_os(shown, "cannot create a file in its folder", errno);
  return file;
}

void File::read_at(std::byte* dst, size_t n, int64_t offset) const {
  while (n > 0) {
    const ssize_t got = ::pread(fd_, dst, std::min(n, largest_transfer), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_os(path_, "cannot read", errno);
    if (got == 0) {
      fail_runtime(ErrorCode::file, printable_path(path_),
                   "changed while reading: ends at byte " + std::to_string(offset) + ", was " + std::to_string(size()) + " bytes");
    }
    dst += got;
    n -= static_cast<size_t>(got);
    offset += got;
  }
}

void File::write_at(const std::byte* src, size_t n, int64_t offset) const {
  check_file_size_limit(path_, offset + static_cast<int64_t>(n));
  while (n > 0) {
    const ssize_t put = ::pwrite(fd_, src, std::min(n, largest_transfer), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_os(path_, "cannot write", errno);
    if (put == 0) fail_os(path_, "cannot write", ENOSPC);
    src += put;
    n -= static_cast<size_t>(put);
    offset += put;
  }
}

void File::sync() const {
  while (::fsync(fd_) != 0) {
    if (errno != EINTR) fail_os(path_, "cannot flush to the disk", errno);
  }
}

void File::close() {
  const int fd = std::exchange(fd_, -1);
  // After EINTR the descriptor is already released on Linux.
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) fail_os(path_, "cannot close", errno);
}

}  // namespace voxloom::io
