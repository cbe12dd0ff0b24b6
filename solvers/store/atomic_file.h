// Files that exist whole or not at all: written beside the target, flushed to the disk, then renamed over it.
#pragma once

#include <string>
#include <string_view>

namespace torsor {

/// Puts `bytes` into the file `path`. An interruption or a failure at any moment leaves the old file, or
/// none, and never half a new one. A link is followed; a device or a pipe, which cannot be replaced, is
/// written to directly. Throws InputError with path and reason: no such folder, no permission, a folder in
/// the way, a full disk.
void write_atomically(const std::string& path, std::string_view bytes);

/// Makes the folder `path` and its parents. Throws InputError with path and reason.
void make_folder(const std::string& path);

/// Makes a folder for results; takes it away again if it was not there before and is still empty at the end.
/// Throws InputError as make_folder.
class ResultFolder {
 public:
  explicit ResultFolder(std::string path);
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;
  ~ResultFolder();

 private:
  std::string path_;
  bool made_here_;
};

/// The whole content of the file `path`. Throws InputError when it is missing, a folder or unreadable.
std::string read_whole_file(const std::string& path);

}  // namespace torsor
