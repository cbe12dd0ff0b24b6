// A thin layer over the HDF5 C library: files, groups, datasets and attributes that close themselves, and
// failures as exceptions that name file, object and reason. Not for several threads at once: the serial
// library is not.
//
// New files are built in memory and reach the disk in one atomic write, so that neither a killed run nor a
// full disk leaves half a file. That holds the file twice in memory for a moment while it is saved.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace torsor {

/// What a file says it is, in its root attributes `filetype` and `format_version`.
struct FileType {
  std::string name;  // e.g. "torsor run"
  int major = 1;     // a reader refuses a newer major version
  int minor = 0;     // additions that an older reader may skip
};

/// An n-dimensional array, row-major.
template <class T>
struct Array {
  std::vector<long> shape;
  std::vector<T> values;
};

/// An identifier of the HDF5 library, closed at the end of its life.
class Hdf5Handle {
 public:
  using Close = int (*)(std::int64_t);
  Hdf5Handle() = default;
  Hdf5Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  std::int64_t get() const { return id_; }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

/// What groups and datasets share: a place in a file, and attributes.
/// Reading throws InputError when an attribute is missing or of another kind; writing throws
/// std::runtime_error. Both name the place.
class Hdf5Object {
 public:
  enum class Kind { number, integer, text };

  const std::string& place() const { return place_; }  // "FILE:/path"
  bool has_attribute(const std::string& name) const;
  std::vector<std::string> attributes() const;  // in the order of creation
  Kind attribute_kind(const std::string& name) const;

  void set(const std::string& name, double value);
  void set(const std::string& name, std::signed_integral auto value) { set_signed(name, value); }
  void set(const std::string& name, std::unsigned_integral auto value) { set_unsigned(name, value); }
  void set(const std::string& name, const std::string& text);
  void set(const std::string& name, const char* text) { set(name, std::string(text)); }
  void set(const std::string& name, const std::vector<std::int64_t>& values);

  double number(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  std::uint64_t unsigned_integer(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;

 protected:
  Hdf5Object(Hdf5Handle handle, std::string place, bool reading)
      : handle_(std::move(handle)), place_(std::move(place)), reading_(reading) {}
  std::int64_t id() const { return handle_.get(); }
  bool reading() const { return reading_; }
  [[noreturn]] void fail(const std::string& what) const;

 private:
  void set_signed(const std::string& name, std::int64_t value);
  void set_unsigned(const std::string& name, std::uint64_t value);
  Hdf5Handle open_attribute(const std::string& name, Kind wanted) const;

  Hdf5Handle handle_;
  std::string place_;
  bool reading_;
};

/// An array in a file.
class Hdf5Dataset : public Hdf5Object {
 public:
  std::vector<long> shape() const;

  /// Makes this one-dimensional dataset a dimension scale named `label`.
  void make_scale(const std::string& label);
  /// Gives dimension `k` of this dataset the coordinates `scale` and its name.
  void attach_scale(int k, const Hdf5Dataset& scale, const std::string& label);

 private:
  friend class Hdf5Group;
  using Hdf5Object::Hdf5Object;
};

/// A folder in a file. Names are single names or paths below the group.
class Hdf5Group : public Hdf5Object {
 public:
  bool has(const std::string& name) const;
  std::vector<std::string> groups() const;    // names of the groups in it, in the order of creation
  std::vector<std::string> datasets() const;  // names of the datasets in it, in the order of creation

  Hdf5Group create_group(const std::string& name);
  Hdf5Group group(const std::string& name) const;
  Hdf5Dataset dataset(const std::string& name) const;

  /// T is double, std::int64_t or std::int8_t; the product of `shape` is the number of values at `data`.
  template <class T>
  Hdf5Dataset write(const std::string& name, const T* data, const std::vector<long>& shape);
  Hdf5Dataset write(const std::string& name, const std::vector<double>& values);
  Hdf5Dataset write(const std::string& name, const std::vector<std::string>& texts);

  /// T is double, std::int64_t, std::int8_t or std::string; numbers are converted between their types.
  template <class T>
  Array<T> read(const std::string& name) const;
  /// Is the dataset of this kind? Throws InputError for kinds that this layer does not read.
  Kind dataset_kind(const std::string& name) const;

 private:
  friend class Hdf5File;
  using Hdf5Object::Hdf5Object;
  std::vector<std::string> members(int wanted_type) const;
};

/// A whole file.
class Hdf5File {
 public:
  /// A new file in memory; nothing is on the disk before save().
  static Hdf5File create(const std::string& path, const FileType& type);
  /// Opens for reading. Throws InputError when the file is missing, not HDF5, truncated, of another file type
  /// or of a newer major version.
  static Hdf5File open(const std::string& path, const FileType& type);
  /// Opens any HDF5 file for reading, whatever wrote it. Throws InputError as open() does.
  static Hdf5File open_foreign(const std::string& path);

  Hdf5File(Hdf5File&&) noexcept;
  ~Hdf5File();

  Hdf5Group root() const;
  /// Closes a file of create(), with all its groups and datasets, and puts it at its path in one atomic
  /// write. Throws InputError when the place cannot be written.
  void save();

 private:
  struct Image;
  Hdf5File(Hdf5Handle handle, std::string path, std::unique_ptr<Image> image);

  std::unique_ptr<Image> image_;  // outlives the handle, whose closing fills it; none when reading
  Hdf5Handle handle_;
  std::string path_;
};

/// Names of objects for `names`: characters with a meaning in paths of HDF5 or XDMF become '_', and names
/// that are then equal get a number.
std::vector<std::string> link_names(const std::vector<std::string>& names);

/// Does the file exist and begin as an HDF5 file does?
bool is_hdf5(const std::string& path);

}  // namespace torsor
