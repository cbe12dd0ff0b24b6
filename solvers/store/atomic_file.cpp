#include "solvers/store/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "physics/error.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_write(const std::string& path, int error_number) {
  throw InputError("cannot write '" + path + "': " + std::strerror(error_number));
}

/// An open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes and returns 0 or the error number: network file systems report a full disk only here.
  int close() {
    const int result = ::close(fd_);
    fd_ = -1;
    return result == 0 ? 0 : errno;
  }

 private:
  int fd_;
};

/// Removes a file at the end of the scope unless it was released.
class Remover {
 public:
  explicit Remover(const std::string& path) : path_(path) {}
  Remover(const Remover&) = delete;
  Remover& operator=(const Remover&) = delete;
  ~Remover() {
    if (armed_) ::unlink(path_.c_str());
  }
  void release() { armed_ = false; }

 private:
  const std::string& path_;
  bool armed_ = true;
};

/// Returns 0 or the error number.
int write_all(int fd, std::string_view bytes) {
  constexpr size_t kLargestWrite = size_t{1} << 30;  // Linux cuts a single write at 2 GiB
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kLargestWrite));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return ENOSPC;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

/// Returns 0 or the error number. Some file systems cannot sync; that is no failure of the write.
int sync(int fd) {
  if (::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return 0;
  return errno;
}

void sync_folder(const std::string& target) {
  const fs::path parent = fs::path(target).parent_path();
  const Descriptor folder(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // The file itself is safe already; a folder that cannot be synced only delays its new name.
  if (folder.get() >= 0) sync(folder.get());
}

std::string part_name(const std::string& target) {
  static std::atomic<unsigned> counter{0};
  return target + "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".part";
}

void write_directly(const std::string& path, std::string_view bytes) {
  // Appending keeps what a redirected standard output already holds.
  Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file.get() < 0) fail_to_write(path, errno);
  int error = write_all(file.get(), bytes);
  if (error == 0) error = file.close();
  if (error != 0) fail_to_write(path, error);
}

void write_beside_and_rename(const std::string& path, const std::string& target, std::string_view bytes) {
  std::string part = part_name(target);
  int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EEXIST) {  // left by a killed process that had our number
    part = part_name(target);
    fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (fd < 0) fail_to_write(path, errno);
  Descriptor file(fd);
  Remover remover(part);
  int error = write_all(file.get(), bytes);
  if (error == 0) error = sync(file.get());
  if (error == 0) error = file.close();
  if (error != 0) fail_to_write(path, error);
  if (::rename(part.c_str(), target.c_str()) != 0) fail_to_write(path, errno);
  remover.release();
  sync_folder(target);
}

}  // namespace

void write_atomically(const std::string& path, std::string_view bytes) {
  if (path.empty()) throw InputError("cannot write a file with an empty name");
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) fail_to_write(path, EISDIR);
  if ((exists && !S_ISREG(info.st_mode)) || path.rfind("/dev/", 0) == 0) return write_directly(path, bytes);
  std::error_code ignored;
  const std::string target = exists ? fs::canonical(path, ignored).string() : path;
  write_beside_and_rename(path, target.empty() ? path : target, bytes);
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) throw InputError("cannot make the folder '" + path + "': " + error.message());
}

ResultFolder::ResultFolder(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  made_here_ = !fs::exists(path_, ignored);
  make_folder(path_);
}

ResultFolder::~ResultFolder() {
  std::error_code not_empty;
  if (made_here_) fs::remove(path_, not_empty);
}

std::string read_whole_file(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw InputError("file '" + path + "' does not exist");
  if (fs::is_directory(path, ignored)) throw InputError("'" + path + "' is a folder, not a file");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (in.good() && in.peek() != std::ifstream::traits_type::eof()) content << in.rdbuf();
  if (!in.is_open() || in.bad()) throw InputError("cannot read '" + path + "': " + std::strerror(errno));
  return std::move(content).str();
}

}  // namespace torsor
