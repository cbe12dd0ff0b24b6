#include "solvers/store/hdf5_heap_check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "physics/error.h"

namespace torsor {
namespace {

/// A file as memory.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd >= 0 && ::fstat(fd, &info) == 0) size_ = static_cast<size_t>(info.st_size);
    if (size_ > 0) memory_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (memory_ == MAP_FAILED) throw InputError("cannot read '" + path + "': " + std::strerror(error));
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (memory_ != MAP_FAILED) ::munmap(memory_, size_);
  }
  std::string_view bytes() const { return {static_cast<const char*>(memory_), size_}; }

 private:
  void* memory_ = MAP_FAILED;
  size_t size_ = 0;
};

template <class T>
T little_endian(std::string_view bytes, size_t at) {
  T value = 0;
  for (size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(bytes[at + i]));
  return value;
}

constexpr size_t kHeader = 16;  // of a collection and of an object, with lengths of 8 bytes
constexpr std::string_view kSignature("GCOL\1\0\0\0", 8);

/// Do lengths take 8 bytes, as everywhere but in files made for small machines?
bool has_usual_lengths(std::string_view file) {
  constexpr size_t kVersion = 8;
  if (file.size() < kHeader) return false;
  return file[file[kVersion] < 2 ? 14 : 10] == 8;
}

/// `collection` begins with its header and may be followed by the rest of the file.
bool collection_is_sound(std::string_view collection) {
  if (collection.size() < kHeader) return false;
  const auto size = little_endian<std::uint64_t>(collection, 8);
  if (size < kHeader || size > collection.size()) return false;
  for (size_t at = kHeader; at + kHeader <= size;) {
    const auto index = little_endian<std::uint16_t>(collection, at);
    const auto length = little_endian<std::uint64_t>(collection, at + 8);
    if (length > size) return false;
    // Object 0 is the free space, its length counted with its header; the others are padded to 8 bytes.
    const size_t needed = index == 0 ? length : kHeader + (length + 7) / 8 * 8;
    if (needed < kHeader || needed > size - at) return false;
    at += needed;
  }
  return true;
}

}  // namespace

bool text_heaps_are_sound(const std::string& path) {
  const MappedFile file(path);
  const std::string_view bytes = file.bytes();
  if (!has_usual_lengths(bytes)) return true;
  for (size_t at = bytes.find(kSignature); at != std::string_view::npos; at = bytes.find(kSignature, at + 1))
    if (!collection_is_sound(bytes.substr(at))) return false;
  return true;
}

}  // namespace torsor
