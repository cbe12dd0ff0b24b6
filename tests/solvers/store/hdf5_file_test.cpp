#include "solvers/store/hdf5_file.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <limits>

#include "physics/error.h"
#include "solvers/store/atomic_file.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

const FileType kType{"torsor test", 2, 1};

TEST(Hdf5File, AttributesAndDatasetsComeBack) {
  const TemporaryFolder folder;
  {
    Hdf5File file = Hdf5File::create(folder.file("a.h5"), kType);
    Hdf5Group group = file.root().create_group("z").create_group("inner");
    group.set("real", 0.1);
    group.set("integer", -3);
    group.set("largest", std::numeric_limits<std::uint64_t>::max());
    group.set("text", "\xCF\x80 = 3");
    group.set("empty", "");
    group.set("long", std::string(200000, 'x'));
    const std::vector<double> numbers{1, 2, 3, 4, 5, 6};
    group.write("numbers", numbers.data(), {2, 3});
    group.write("none", std::vector<double>{});
    group.write("texts", std::vector<std::string>{"a", "", "long text"});
    file.root().create_group("a");
    EXPECT_EQ(folder.entries(), 0) << "nothing on the disk before save()";
    file.save();
  }
  const Hdf5File file = Hdf5File::open(folder.file("a.h5"), kType);
  EXPECT_EQ(file.root().groups(), (std::vector<std::string>{"z", "a"})) << "in the order of creation";
  const Hdf5Group group = file.root().group("z/inner");
  EXPECT_EQ(group.number("real"), 0.1);
  EXPECT_EQ(group.number("integer"), -3);
  EXPECT_EQ(group.integer("integer"), -3);
  EXPECT_EQ(group.unsigned_integer("largest"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(group.text("text"), "\xCF\x80 = 3");
  EXPECT_EQ(group.text("empty"), "");
  EXPECT_EQ(group.text("long").size(), 200000u);
  EXPECT_EQ(group.attributes(),
            (std::vector<std::string>{"real", "integer", "largest", "text", "empty", "long"}));
  const Array<double> numbers = group.read<double>("numbers");
  EXPECT_EQ(numbers.shape, (std::vector<long>{2, 3}));
  EXPECT_EQ(numbers.values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(group.read<double>("none").values.empty());
  EXPECT_EQ(group.read<std::string>("texts").values, (std::vector<std::string>{"a", "", "long text"}));
  EXPECT_TRUE(file.root().has("z/inner/numbers"));
  EXPECT_FALSE(file.root().has("y/inner"));
}

TEST(Hdf5File, EqualContentGivesEqualBytes) {
  const TemporaryFolder folder;
  for (const char* name : {"a.h5", "b.h5"}) {
    Hdf5File file = Hdf5File::create(folder.file(name), kType);
    file.root().write("x", std::vector<double>{1, 2});
    file.save();
  }
  EXPECT_EQ(read_whole_file(folder.file("a.h5")), read_whole_file(folder.file("b.h5")));
}

TEST(Hdf5File, ScalesAreAttachedAndNamed) {
  const TemporaryFolder folder;
  {
    Hdf5File file = Hdf5File::create(folder.file("a.h5"), kType);
    Hdf5Group root = file.root();
    Hdf5Dataset scale = root.write("x", std::vector<double>{0, 1});
    scale.make_scale("x");
    root.write("u", std::vector<double>{5, 6}).attach_scale(0, scale, "x");
    file.save();
  }
  const hid_t file = H5Fopen(folder.file("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t scale = H5Dopen2(file, "x", H5P_DEFAULT), field = H5Dopen2(file, "u", H5P_DEFAULT);
  EXPECT_GT(H5DSis_scale(scale), 0);
  EXPECT_GT(H5DSis_attached(field, scale, 0), 0);
  char label[8] = "";
  H5DSget_label(field, 0, label, sizeof label);
  EXPECT_STREQ(label, "x");
  H5Dclose(field);
  H5Dclose(scale);
  H5Fclose(file);
}

TEST(Hdf5File, MissingAndWrongObjectsAreNamed) {
  const TemporaryFolder folder;
  {
    Hdf5File file = Hdf5File::create(folder.file("a.h5"), kType);
    Hdf5Group group = file.root().create_group("g");
    group.set("text", "x");
    group.write("words", std::vector<std::string>{"x"});
    file.save();
  }
  const Hdf5File file = Hdf5File::open(folder.file("a.h5"), kType);
  const Hdf5Group group = file.root().group("g");
  const std::string place = folder.file("a.h5") + ":/g";
  const auto message = [&](auto action) { return message_of<InputError>(action); };
  EXPECT_EQ(message([&] { group.number("no"); }), place + ": attribute 'no' is missing");
  EXPECT_HAS(message([&] { group.number("text"); }), "attribute 'text' must hold numbers, not text");
  EXPECT_HAS(message([&] { group.read<double>("no"); }), place + ": dataset 'no' is missing");
  EXPECT_HAS(message([&] { group.read<double>("words"); }), "dataset 'words' must hold numbers, not text");
  EXPECT_HAS(message([&] { group.group("no"); }), place + ": group 'no' is missing");
  EXPECT_HAS(message([&] { group.group("words"); }), "'words' is not a readable group");
}

TEST(Hdf5File, RefusesWhatIsNoFileOfTheKind) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  const auto message = [&] { return message_of<InputError>([&] { Hdf5File::open(path, kType); }); };
  EXPECT_EQ(message(), "file '" + path + "' does not exist");
  write_atomically(path, "");
  EXPECT_HAS(message(), "is not an HDF5 file");
  write_atomically(path, "x,y\n1,2\n");
  EXPECT_HAS(message(), "is not an HDF5 file");
  EXPECT_HAS(message_of<InputError>([&] { Hdf5File::open(folder.path(), kType); }), "is a folder");

  Hdf5File::create(path, {"torsor other", 2, 1}).save();
  EXPECT_HAS(message(), "its filetype is 'torsor other'");
  Hdf5File::create(path, {"torsor test", 3, 4}).save();
  EXPECT_HAS(message(), "format version 3.4");
  Hdf5File::create(path, {"torsor test", 1, 9}).save();
  EXPECT_NO_THROW(Hdf5File::open(path, kType));

  H5Fclose(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_HAS(message(), "has no attribute 'filetype'");
}

TEST(Hdf5File, EveryTruncationIsAnError) {
  const TemporaryFolder folder;
  Hdf5File whole = Hdf5File::create(folder.file("a.h5"), kType);
  whole.root().write("x", std::vector<double>(2000, 1.0));
  whole.save();
  const std::string bytes = read_whole_file(folder.file("a.h5"));
  for (size_t size = 8; size < bytes.size(); size += 509) {
    std::ofstream(folder.file("b.h5"), std::ios::binary) << bytes.substr(0, size);
    EXPECT_THROW(Hdf5File::open(folder.file("b.h5"), kType), InputError) << size;
  }
}

/// Reads copies of `bytes` with one byte changed, at every seventh place, and ends the process.
[[noreturn]] void read_damaged_copies(const std::string& bytes, const std::string& path) {
  alarm(60);
  for (size_t place = 0; place < bytes.size(); place += 7) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 0xFF);
    std::ofstream(path, std::ios::binary) << damaged;
    try {
      Hdf5File::open(path, kType).root().read<double>("g/x");
    } catch (const InputError&) {
      continue;
    }
  }
  std::_Exit(0);
}

TEST(Hdf5File, DamageNeverCrashes) {
  const TemporaryFolder folder;
  Hdf5File whole = Hdf5File::create(folder.file("a.h5"), kType);
  whole.root().create_group("g").write("x", std::vector<double>(50, 1.0));
  whole.save();
  const std::string bytes = read_whole_file(folder.file("a.h5"));
  // In a process of its own: the library leaks where it gives up on a damaged file.
  EXPECT_EXIT(read_damaged_copies(bytes, folder.file("b.h5")), testing::ExitedWithCode(0), "");
}

TEST(Hdf5File, UnwritablePlaceIsAnInputError) {
  const TemporaryFolder folder;
  Hdf5File file = Hdf5File::create(folder.file("no/such/folder/a.h5"), kType);
  EXPECT_THROW(file.save(), InputError);
}

TEST(Hdf5File, LinkNamesAreSafeAndDistinct) {
  EXPECT_EQ(link_names({"a/b", "a:b", "nu=0.1", "", ".", "\xCE\xB5"}),
            (std::vector<std::string>{"a_b", "a_b_2", "nu=0.1", "_", "_.", "\xCE\xB5"}));
}

}  // namespace
}  // namespace torsor
