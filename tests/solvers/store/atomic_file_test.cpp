#include "solvers/store/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "physics/error.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

/// Files cannot grow beyond `bytes` while the object lives: what a full disk looks like to a writer.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : old_action_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{bytes, old_limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_action_);
  }

 private:
  rlimit old_limit_{};
  sighandler_t old_action_;
};

TEST(AtomicFile, WritesAndReplaces) {
  const TemporaryFolder folder;
  write_atomically(folder.file("a"), "first, and longer");
  write_atomically(folder.file("a"), std::string_view("sec\0nd", 6));
  EXPECT_EQ(read_whole_file(folder.file("a")), std::string("sec\0nd", 6));
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFile, WritesAnEmptyFile) {
  const TemporaryFolder folder;
  write_atomically(folder.file("a"), "");
  EXPECT_EQ(read_whole_file(folder.file("a")), "");
}

TEST(AtomicFile, FullDiskKeepsTheOldFileAndLeavesNoRemains) {
  const TemporaryFolder folder;
  write_atomically(folder.file("a"), "old");
  std::string message;
  {
    const SmallDisk disk(1000);
    message = message_of<InputError>([&] { write_atomically(folder.file("a"), std::string(5000, 'x')); });
  }
  EXPECT_HAS(message, folder.file("a"));
  EXPECT_EQ(read_whole_file(folder.file("a")), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFile, ReportsAFullDevice) {
  EXPECT_HAS(message_of<InputError>([] { write_atomically("/dev/full", "x"); }), "No space left");
}

TEST(AtomicFile, NeverReplacesADevice) {
  write_atomically("/dev/null", "x");
  struct stat info {};
  ASSERT_EQ(stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST(AtomicFile, FollowsALink) {
  const TemporaryFolder folder;
  write_atomically(folder.file("target"), "old");
  std::filesystem::create_symlink("target", folder.file("link"));
  write_atomically(folder.file("link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ(read_whole_file(folder.file("target")), "new");
}

TEST(AtomicFile, SaysWhyAPlaceCannotBeWritten) {
  const TemporaryFolder folder;
  write_atomically(folder.file("plain"), "x");
  const auto write = [&](const std::string& name) {
    return message_of<InputError>([&] { write_atomically(folder.file(name), "x"); });
  };
  EXPECT_HAS(write("missing/a"), "No such file or directory");
  EXPECT_HAS(write("plain/a"), "Not a directory");
  EXPECT_HAS(write("."), "Is a directory");
  EXPECT_THROW(write_atomically("", "x"), InputError);
  EXPECT_EQ(folder.entries(), 1);
}

TEST(ResultFolders, AreTakenAwayWhenEmptyAndNew) {
  const TemporaryFolder folder;
  const std::string old = folder.file("old"), empty = folder.file("empty"), full = folder.file("full");
  make_folder(old);
  {
    const ResultFolder a(old), b(empty), c(full);
    write_atomically(full + "/x", "1");
    EXPECT_TRUE(std::filesystem::exists(empty));
  }
  EXPECT_TRUE(std::filesystem::exists(old));
  EXPECT_FALSE(std::filesystem::exists(empty));
  EXPECT_TRUE(std::filesystem::exists(full + "/x"));
}

TEST(AtomicFile, MakesFolders) {
  const TemporaryFolder folder;
  make_folder(folder.file("a/b/c"));
  make_folder(folder.file("a/b/c"));
  make_folder(folder.file("a/d/"));
  EXPECT_TRUE(std::filesystem::is_directory(folder.file("a/b/c")));
  write_atomically(folder.file("plain"), "x");
  EXPECT_THROW(make_folder(folder.file("plain")), InputError);
  EXPECT_THROW(make_folder(folder.file("plain/below")), InputError);
}

TEST(AtomicFile, ReadingNamesTheFile) {
  const TemporaryFolder folder;
  EXPECT_HAS(message_of<InputError>([&] { read_whole_file(folder.file("no")); }), "does not exist");
  EXPECT_HAS(message_of<InputError>([&] { read_whole_file(folder.path()); }), "is a folder");
}

}  // namespace
}  // namespace torsor
