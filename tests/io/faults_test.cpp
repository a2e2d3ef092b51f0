// tests/io/faults_test.cpp: the N-th system call on the write path fails, for every N: an error, the old or the new whole file, no
// temporary.
#include "corpus.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <cerrno>

namespace {

// The test program's definitions take the place of the C library's; they fail when the countdown of the armed thread reaches zero.
struct Fault {
  int countdown = 0;  // 0: not armed
  int error = 0;
  bool on_folder = false;  // the call that failed was the close of a folder
};
Fault fault;

bool fails_now() {
  if (fault.countdown == 0 || --fault.countdown > 0) return false;
  errno = fault.error;
  return true;
}

}  // namespace

extern "C" {
int fsync(int fd) { return fails_now() ? -1 : static_cast<int>(syscall(SYS_fsync, fd)); }
ssize_t pwrite(int fd, const void* data, size_t n, off_t offset) {
  if (fails_now()) return -1;
  return syscall(SYS_pwrite64, fd, data, fault.countdown > 0 && n > 1 ? n / 2 : n, offset);  // short writes while armed
}
int close(int fd) {
  const bool fails = fails_now();
  struct stat status{};
  if (fails) fault.on_folder = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
  const auto result = static_cast<int>(syscall(SYS_close, fd));
  if (!fails) return result;
  errno = fault.error;
  return -1;
}
int rename(const char* from, const char* to) noexcept { return fails_now() ? -1 : static_cast<int>(syscall(SYS_rename, from, to)); }
}

using namespace io_test;

TEST_CASE("rows 63, 70: each failing write, fsync, close or rename is reported and undone") {
  const TempDir dir;
  const NiftiHeader header = make_header({10, 10, 10}, i16);
  const Bytes before(2000, std::byte{1}), after = random_bytes(2000, 2);
  for (const char* name : {"a.nii", "a.nii.gz", "b.hdr"}) {
    const std::string path = dir / name;
    int n = 1;
    for (;; ++n) {
      SinkOptions options;
      options.threads = 0;
      save(path, header, before, options);
      const auto names = dir.names();
      fault = {n, n % 2 == 0 ? ENOSPC : EIO, false};
      const Outcome outcome = outcome_of([&] { save(path, header, after, options); });
      const bool reached = fault.countdown == 0, on_folder = fault.on_folder;
      fault = {};
      INFO(name << ", call " << n << ": " << outcome.text);
      CHECK(dir.names() == names);
      const Bytes voxels = load(path);
      if (!reached) {
        CHECK_FALSE(outcome.failed);
        CHECK(voxels == after);
        break;
      }
      if (on_folder) {
        CHECK_FALSE(outcome.failed);  // of no consequence: its fsync has succeeded
      } else {
        CHECK(outcome.failed);
        CHECK(outcome.code == ErrorCode::file);
        CHECK((contains(outcome.text, "errno 5") || contains(outcome.text, "errno 28")));
      }
      if (std::string(name) != "b.hdr") CHECK((voxels == before || voxels == after));
    }
    CHECK(n > 5);
  }
}

TEST_CASE("row 65: a file system that fills up") {
  const TempDir dir;
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
      _exit(77);  // not allowed here
    }
    const auto check = [&] {
      for (const char* name : {"a.nii", "a.nii.gz"}) {
        save(dir / name, make_header({4, 3, 2}, i16), sample_voxels());
        const Outcome outcome = outcome_of([&] { save(dir / name, make_header({100, 100, 10}, i16), random_bytes(200'000, 1)); });
        if (!outcome.failed || outcome.code != ErrorCode::file || !contains(outcome.text, "No space left on device")) return 1;
        if (load(dir / name) != sample_voxels()) return 2;
      }
      return dir.names().size() == 2 ? 7 : 3;
    };
    int status = 9;
    try {
      status = check();
    } catch (...) {}
    _exit(status);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  CHECK((WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 77));
  if (WEXITSTATUS(status) == 77) WARN("no right to mount a file system: not tested");
}

TEST_CASE("row 61: files without permission, to a user who is not root") {
  const TempDir dir;
  fs::permissions(dir.path(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec | fs::perms::others_read);
  write_file(dir / "secret.nii", sample_image());
  fs::permissions(dir / "secret.nii", fs::perms::none);
  const pid_t pid = fork();
  if (pid == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(77);
    const Outcome reading = outcome_of([&] { load(dir / "secret.nii"); });
    const Outcome writing =
        geteuid() == 65534 ? outcome_of([&] { save(dir / "new.nii", make_header({4, 3, 2}, i16), sample_voxels()); }) : reading;
    _exit(reading.code == ErrorCode::file && contains(reading.text, "Permission denied") && writing.code == ErrorCode::file &&
                  contains(writing.text, "Permission denied")
              ? 7
              : 1);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK((WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 77));
}

TEST_CASE("voxels beyond 2 and 4 GiB are found") {
  const TempDir dir;
  const std::vector<int64_t> dims{2000, 1000, 1500};  // 3e9 voxels of 2 bytes, sparse
  write_file(dir / "big.nii", header_bytes(1, dims, 4, 16));
  const int64_t bytes = 352 + int64_t{6'000'000'000};
  if (truncate((dir / "big.nii").c_str(), bytes) != 0) return;  // a file system without such files
  {
    std::fstream out(dir / "big.nii", std::ios::binary | std::ios::in | std::ios::out);
    const int16_t value = 1234;
    out.seekp(bytes - 2 * 4000 - 2);  // the last voxel of the row two before the last
    out.write(reinterpret_cast<const char*>(&value), 2);
  }
  Warnings warnings;
  auto source = open_source(dir / "big.nii", {}, warnings);
  CHECK(source->info().bytes == 6'000'000'000);
  Bytes got(2 * 2 * 3);
  source->read({{1998, 996, 1499}, {2, 3, 1}}, got.data());
  CHECK(get<int16_t>(got, 2 * 5) == 0);
  Bytes one(2);
  source->read({{1999, 997, 1499}, {1, 1, 1}}, one.data());
  CHECK(get<int16_t>(one, 0) == 1234);
  CHECK(get<int16_t>(got, 2 * (1 * 2 + 1)) == 1234);
  CHECK(source->bytes_read() < 100'000);
}
