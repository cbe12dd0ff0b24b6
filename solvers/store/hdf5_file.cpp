#include "solvers/store/hdf5_file.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "physics/error.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/hdf5_heap_check.h"

namespace torsor {
namespace {

static_assert(std::is_same_v<hid_t, std::int64_t>, "HDF5 1.10 or newer");

constexpr unsigned kOrdered = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

// ---- identifiers -----------------------------------------------------------------------------------------

Hdf5Handle property_list(hid_t list_class) {
  return {H5Pcreate(list_class), H5Pclose};
}

/// How groups and the file are created: members and attributes keep their order, and no times are stored, so
/// that the same content gives the same bytes.
Hdf5Handle ordered_creation(hid_t list_class) {
  Hdf5Handle properties = property_list(list_class);
  H5Pset_link_creation_order(properties.get(), kOrdered);
  H5Pset_attr_creation_order(properties.get(), kOrdered);
  H5Pset_obj_track_times(properties.get(), false);
  return properties;
}

Hdf5Handle scalar_space() {
  return {H5Screate(H5S_SCALAR), H5Sclose};
}

Hdf5Handle simple_space(const std::vector<long>& shape) {
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose};
}

Hdf5Handle text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return {type, H5Tclose};
}

template <class T>
hid_t number_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_NATIVE_INT8;
}

// ---- errors ----------------------------------------------------------------------------------------------

/// The library prints its error stack by default; we put its innermost reason into our own message instead.
void silence_library() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

herr_t take_first_reason(unsigned n, const H5E_error2_t* error, void* reason) {
  if (n == 0 && error->desc) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

std::string library_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first_reason, &reason);
  return reason.empty() ? "" : " (" + reason + ")";
}

std::string object_path(const std::string& place, const std::string& name) {
  return place.back() == '/' ? place + name : place + "/" + name;
}

// ---- text ------------------------------------------------------------------------------------------------

/// Reads strings of either kind through `read`, which fills memory of the given type. False when it fails.
template <class Read>
bool read_texts(hid_t file_type, hid_t space, std::vector<std::string>& texts, const Read& read) {
  const auto count = static_cast<size_t>(H5Sget_simple_extent_npoints(space));
  texts.assign(count, "");
  if (count == 0) return true;
  if (H5Tis_variable_str(file_type) > 0) {
    const Hdf5Handle type(H5Tcopy(file_type), H5Tclose);
    std::vector<char*> raw(count, nullptr);
    const bool done = read(type.get(), raw.data());
    for (size_t i = 0; i < count && done; ++i)
      if (raw[i]) texts[i] = raw[i];
    if (done) H5Dvlen_reclaim(type.get(), space, H5P_DEFAULT, raw.data());
    return done;
  }
  const size_t length = H5Tget_size(file_type);
  std::vector<char> raw(count * length, '\0');
  if (!read(file_type, raw.data())) return false;
  for (size_t i = 0; i < count; ++i) {
    texts[i].assign(raw.data() + i * length, length);
    if (H5Tget_strpad(file_type) == H5T_STR_SPACEPAD)
      texts[i].erase(texts[i].find_last_not_of(' ') + 1);
    else
      texts[i].erase(std::min(texts[i].find('\0'), length));
  }
  return true;
}

bool kind_of(hid_t type, Hdf5Object::Kind& kind) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      kind = Hdf5Object::Kind::number;
      return true;
    case H5T_ENUM:  // how other programs store booleans
    case H5T_INTEGER:
      kind = Hdf5Object::Kind::integer;
      return true;
    case H5T_STRING:
      kind = Hdf5Object::Kind::text;
      return true;
    default:
      return false;
  }
}

bool convertible(Hdf5Object::Kind stored, Hdf5Object::Kind wanted) {
  return stored == wanted || (stored == Hdf5Object::Kind::integer && wanted == Hdf5Object::Kind::number);
}

std::string words(Hdf5Object::Kind kind) {
  if (kind == Hdf5Object::Kind::number) return "numbers";
  return kind == Hdf5Object::Kind::integer ? "integers" : "text";
}

herr_t take_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->push_back(name);
  return 0;
}

bool write_attribute(hid_t object, const std::string& name, hid_t type, const Hdf5Handle& space,
                     const void* data) {
  const Hdf5Handle attribute(H5Acreate2(object, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose);
  return attribute.get() >= 0 && H5Awrite(attribute.get(), type, data) >= 0;
}

}  // namespace

// ---- attributes ------------------------------------------------------------------------------------------

void Hdf5Object::fail(const std::string& what) const {
  const std::string message = place_ + ": " + what + library_reason();
  if (reading_) throw InputError(message);
  throw std::runtime_error(message);
}

bool Hdf5Object::has_attribute(const std::string& name) const {
  return H5Aexists(id(), name.c_str()) > 0;
}

std::vector<std::string> Hdf5Object::attributes() const {
  std::vector<std::string> names;
  hsize_t position = 0;
  if (H5Aiterate2(id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, &position, take_name, &names) >= 0) return names;
  // Files of other programs may keep no order of creation.
  names.clear();
  position = 0;
  if (H5Aiterate2(id(), H5_INDEX_NAME, H5_ITER_INC, &position, take_name, &names) < 0)
    fail("cannot list the attributes");
  return names;
}

Hdf5Object::Kind Hdf5Object::attribute_kind(const std::string& name) const {
  if (!has_attribute(name)) fail("attribute '" + name + "' is missing");
  const Hdf5Handle attribute(H5Aopen(id(), name.c_str(), H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
  Kind kind{};
  if (type.get() < 0 || !kind_of(type.get(), kind))
    fail("attribute '" + name + "' is neither numbers nor text");
  return kind;
}

Hdf5Handle Hdf5Object::open_attribute(const std::string& name, Kind wanted) const {
  const Kind stored = attribute_kind(name);
  if (!convertible(stored, wanted))
    fail("attribute '" + name + "' must hold " + words(wanted) + ", not " + words(stored));
  return {H5Aopen(id(), name.c_str(), H5P_DEFAULT), H5Aclose};
}

void Hdf5Object::set(const std::string& name, double value) {
  if (!write_attribute(id(), name, H5T_NATIVE_DOUBLE, scalar_space(), &value))
    fail("cannot write attribute '" + name + "'");
}

void Hdf5Object::set_signed(const std::string& name, std::int64_t value) {
  if (!write_attribute(id(), name, H5T_NATIVE_INT64, scalar_space(), &value))
    fail("cannot write attribute '" + name + "'");
}

void Hdf5Object::set_unsigned(const std::string& name, std::uint64_t value) {
  if (!write_attribute(id(), name, H5T_NATIVE_UINT64, scalar_space(), &value))
    fail("cannot write attribute '" + name + "'");
}

void Hdf5Object::set(const std::string& name, const std::string& text) {
  // Variable length: the characters lie outside the object header, which ends at 64 KiB.
  const char* data = text.c_str();
  if (!write_attribute(id(), name, text_type().get(), scalar_space(), &data))
    fail("cannot write attribute '" + name + "'");
}

void Hdf5Object::set(const std::string& name, const std::vector<std::int64_t>& values) {
  const Hdf5Handle space = simple_space({static_cast<long>(values.size())});
  if (!write_attribute(id(), name, H5T_NATIVE_INT64, space, values.data()))
    fail("cannot write attribute '" + name + "'");
}

namespace {

/// Reads a numeric attribute of any length; false when it fails.
template <class T>
bool read_attribute(const Hdf5Handle& attribute, std::vector<T>& values) {
  const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  if (count < 0) return false;
  values.assign(static_cast<size_t>(count), T{});
  return count == 0 || H5Aread(attribute.get(), number_type<T>(), values.data()) >= 0;
}

template <class T>
bool read_attribute(const Hdf5Handle& attribute, T& value) {
  std::vector<T> values;
  if (!read_attribute(attribute, values) || values.size() != 1) return false;
  value = values.front();
  return true;
}

}  // namespace

double Hdf5Object::number(const std::string& name) const {
  double value = 0;
  if (!read_attribute(open_attribute(name, Kind::number), value))
    fail("attribute '" + name + "' is not one number");
  return value;
}

std::int64_t Hdf5Object::integer(const std::string& name) const {
  std::int64_t value = 0;
  if (!read_attribute(open_attribute(name, Kind::integer), value))
    fail("attribute '" + name + "' is not one integer");
  return value;
}

std::uint64_t Hdf5Object::unsigned_integer(const std::string& name) const {
  std::uint64_t value = 0;
  if (!read_attribute(open_attribute(name, Kind::integer), value))
    fail("attribute '" + name + "' is not one integer");
  return value;
}

std::vector<std::int64_t> Hdf5Object::integers(const std::string& name) const {
  std::vector<std::int64_t> values;
  if (!read_attribute(open_attribute(name, Kind::integer), values))
    fail("cannot read attribute '" + name + "'");
  return values;
}

std::string Hdf5Object::text(const std::string& name) const {
  const Hdf5Handle attribute = open_attribute(name, Kind::text);
  const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
  std::vector<std::string> texts;
  const bool done = read_texts(type.get(), space.get(), texts, [&](hid_t memory_type, void* memory) {
    return H5Aread(attribute.get(), memory_type, memory) >= 0;
  });
  if (!done || texts.size() != 1) fail("attribute '" + name + "' is not one text");
  return texts.front();
}

// ---- datasets --------------------------------------------------------------------------------------------

std::vector<long> Hdf5Dataset::shape() const {
  const Hdf5Handle space(H5Dget_space(id()), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank < 0) fail("cannot read the shape");
  std::vector<hsize_t> sizes(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

void Hdf5Dataset::make_scale(const std::string& label) {
  if (H5DSset_scale(id(), label.c_str()) < 0) fail("cannot make a dimension scale");
}

void Hdf5Dataset::attach_scale(int k, const Hdf5Dataset& scale, const std::string& label) {
  const auto index = static_cast<unsigned>(k);
  if (H5DSattach_scale(id(), scale.id(), index) < 0 || H5DSset_label(id(), index, label.c_str()) < 0)
    fail("cannot attach the dimension scale '" + label + "'");
}

// ---- groups ----------------------------------------------------------------------------------------------

bool Hdf5Group::has(const std::string& name) const {
  // H5Lexists fails, rather than answers no, when a group on the way is missing.
  for (size_t end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1))
    if (H5Lexists(id(), name.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
  return H5Lexists(id(), name.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> Hdf5Group::members(int wanted_type) const {
  const Hdf5Handle properties(H5Gget_create_plist(id()), H5Pclose);
  unsigned order = 0;
  H5Pget_link_creation_order(properties.get(), &order);
  const H5_index_t index = order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  H5G_info_t info;
  if (H5Gget_info(id(), &info) < 0) fail("cannot list the group");
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const ssize_t length = H5Lget_name_by_idx(id(), ".", index, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    if (length < 0) fail("cannot list the group");
    std::string name(static_cast<size_t>(length), '\0');
    H5Lget_name_by_idx(id(), ".", index, H5_ITER_INC, i, name.data(), name.size() + 1, H5P_DEFAULT);
    const Hdf5Handle object(H5Oopen(id(), name.c_str(), H5P_DEFAULT), H5Oclose);
    if (object.get() < 0) fail("cannot open '" + name + "'");
    if (H5Iget_type(object.get()) == wanted_type) names.push_back(name);
  }
  return names;
}

std::vector<std::string> Hdf5Group::groups() const {
  return members(H5I_GROUP);
}

std::vector<std::string> Hdf5Group::datasets() const {
  return members(H5I_DATASET);
}

Hdf5Group Hdf5Group::create_group(const std::string& name) {
  const Hdf5Handle properties = ordered_creation(H5P_GROUP_CREATE);
  Hdf5Handle handle(H5Gcreate2(id(), name.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), H5Gclose);
  if (handle.get() < 0) fail("cannot create group '" + name + "'");
  return {std::move(handle), object_path(place(), name), reading()};
}

Hdf5Group Hdf5Group::group(const std::string& name) const {
  if (!has(name)) fail("group '" + name + "' is missing");
  Hdf5Handle handle(H5Gopen2(id(), name.c_str(), H5P_DEFAULT), H5Gclose);
  if (handle.get() < 0) fail("'" + name + "' is not a readable group");
  return {std::move(handle), object_path(place(), name), reading()};
}

Hdf5Dataset Hdf5Group::dataset(const std::string& name) const {
  if (!has(name)) fail("dataset '" + name + "' is missing");
  Hdf5Handle handle(H5Dopen2(id(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (handle.get() < 0) fail("'" + name + "' is not a readable dataset");
  return {std::move(handle), object_path(place(), name), reading()};
}

namespace {

Hdf5Handle create_dataset(hid_t group, const std::string& name, hid_t type, const Hdf5Handle& space) {
  const Hdf5Handle properties = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(properties.get(), false);
  return {H5Dcreate2(group, name.c_str(), type, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
          H5Dclose};
}

}  // namespace

template <class T>
Hdf5Dataset Hdf5Group::write(const std::string& name, const T* data, const std::vector<long>& shape) {
  const Hdf5Handle space = simple_space(shape);
  Hdf5Handle handle = create_dataset(id(), name, number_type<T>(), space);
  const bool empty = H5Sget_simple_extent_npoints(space.get()) == 0;
  if (handle.get() < 0 ||
      (!empty && H5Dwrite(handle.get(), number_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
    fail("cannot write dataset '" + name + "'");
  return {std::move(handle), object_path(place(), name), reading()};
}

template Hdf5Dataset Hdf5Group::write(const std::string&, const double*, const std::vector<long>&);
template Hdf5Dataset Hdf5Group::write(const std::string&, const std::int64_t*, const std::vector<long>&);
template Hdf5Dataset Hdf5Group::write(const std::string&, const std::int8_t*, const std::vector<long>&);

Hdf5Dataset Hdf5Group::write(const std::string& name, const std::vector<double>& values) {
  return write(name, values.data(), {static_cast<long>(values.size())});
}

Hdf5Dataset Hdf5Group::write(const std::string& name, const std::vector<std::string>& texts) {
  const Hdf5Handle type = text_type();
  std::vector<const char*> data;
  for (const std::string& text : texts) data.push_back(text.c_str());
  Hdf5Handle handle = create_dataset(id(), name, type.get(), simple_space({static_cast<long>(texts.size())}));
  if (handle.get() < 0 ||
      (!data.empty() && H5Dwrite(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) < 0))
    fail("cannot write dataset '" + name + "'");
  return {std::move(handle), object_path(place(), name), reading()};
}

Hdf5Object::Kind Hdf5Group::dataset_kind(const std::string& name) const {
  const Hdf5Dataset data = dataset(name);
  const Hdf5Handle type(H5Dget_type(data.id()), H5Tclose);
  Kind kind{};
  if (type.get() < 0 || !kind_of(type.get(), kind))
    fail("dataset '" + name + "' is neither numbers nor text");
  return kind;
}

namespace {

/// A damaged header may claim any size: contiguous data cannot be larger than the file that holds them.
bool size_is_plausible(hid_t dataset, hid_t space, hid_t type) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count < 0) return false;
  const Hdf5Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  if (H5Pget_layout(properties.get()) != H5D_CONTIGUOUS) return true;
  const Hdf5Handle file(H5Iget_file_id(dataset), H5Fclose);
  hsize_t file_size = 0;
  if (H5Fget_filesize(file.get(), &file_size) < 0) return false;
  return H5Dget_storage_size(dataset) == 0 || static_cast<hsize_t>(count) <= file_size / H5Tget_size(type);
}

}  // namespace

template <class T>
Array<T> Hdf5Group::read(const std::string& name) const {
  constexpr bool is_text = std::is_same_v<T, std::string>;
  const Kind wanted = is_text ? Kind::text : std::is_same_v<T, double> ? Kind::number : Kind::integer;
  const Kind stored = dataset_kind(name);
  if (!convertible(stored, wanted))
    fail("dataset '" + name + "' must hold " + words(wanted) + ", not " + words(stored));
  const Hdf5Dataset data = dataset(name);
  const Hdf5Handle space(H5Dget_space(data.id()), H5Sclose);
  const Hdf5Handle type(H5Dget_type(data.id()), H5Tclose);
  if (!size_is_plausible(data.id(), space.get(), type.get())) fail("dataset '" + name + "' is damaged");
  Array<T> array{data.shape(), {}};
  const auto read_into = [&](hid_t memory_type, void* memory) {
    return H5Dread(data.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, memory) >= 0;
  };
  bool done = false;
  if constexpr (is_text) {
    done = read_texts(type.get(), space.get(), array.values, read_into);
  } else {
    array.values.resize(static_cast<size_t>(H5Sget_simple_extent_npoints(space.get())));
    done = array.values.empty() || read_into(number_type<T>(), array.values.data());
  }
  if (!done) fail("cannot read dataset '" + name + "'");
  return array;
}

template Array<double> Hdf5Group::read(const std::string&) const;
template Array<std::int64_t> Hdf5Group::read(const std::string&) const;
template Array<std::int8_t> Hdf5Group::read(const std::string&) const;
template Array<std::string> Hdf5Group::read(const std::string&) const;

// ---- files -----------------------------------------------------------------------------------------------

namespace {

void check_version(const Hdf5Group& root, const std::string& path, const FileType& type) {
  const std::vector<std::int64_t> version = root.integers("format_version");
  if (version.size() != 2)
    throw InputError("'" + path + "': attribute 'format_version' must be {major, minor}");
  if (version[0] > type.major)
    throw InputError("'" + path + "' has format version " + std::to_string(version[0]) + "." +
                     std::to_string(version[1]) + " of a " + type.name + "; this program reads up to " +
                     std::to_string(type.major) + ".x: use a newer one");
}

}  // namespace

std::vector<std::string> link_names(const std::vector<std::string>& names) {
  const auto allowed = [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code >= 0x80 || std::isalnum(code) ||
           std::string_view("_-+=.,()").find(c) != std::string_view::npos;
  };
  std::vector<std::string> links;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    std::string link = name;
    for (char& c : link) c = allowed(c) ? c : '_';
    if (link.empty() || link[0] == '.') link.insert(0, "_");
    const std::string first = link;
    for (int n = 2; !taken.insert(link).second; ++n) link = first + "_" + std::to_string(n);
    links.push_back(link);
  }
  return links;
}

bool is_hdf5(const std::string& path) {
  silence_library();
  return H5Fis_hdf5(path.c_str()) > 0;
}

/// Takes the bytes of an in-memory file when the library closes it. (H5Fget_file_image would give them
/// earlier, but with a wrong checksum in the superblock.)
struct Hdf5File::Image {
  std::string bytes;  // sized before closing

  static void* allocate(size_t size, H5FD_file_image_op_t, void*) { return std::malloc(size); }
  static void* reallocate(void* buffer, size_t size, H5FD_file_image_op_t, void*) {
    return std::realloc(buffer, size);
  }
  static herr_t release(void* buffer, H5FD_file_image_op_t, void* self) {
    std::string& target = static_cast<Image*>(self)->bytes;
    std::copy_n(static_cast<const char*>(buffer), target.size(), target.data());
    std::free(buffer);
    return 0;
  }
  static void* share(void* self) { return self; }
  static herr_t keep(void*) { return 0; }

  H5FD_file_image_callbacks_t callbacks() {
    return {allocate, nullptr, reallocate, release, share, keep, this};
  }
};

Hdf5File::Hdf5File(Hdf5Handle handle, std::string path, std::unique_ptr<Image> image)
    : image_(std::move(image)), handle_(std::move(handle)), path_(std::move(path)) {}

Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;

Hdf5File::~Hdf5File() = default;

Hdf5File Hdf5File::create(const std::string& path, const FileType& type) {
  silence_library();
  constexpr size_t kGrowth = size_t{1} << 20;
  auto image = std::make_unique<Image>();
  H5FD_file_image_callbacks_t callbacks = image->callbacks();
  const Hdf5Handle access = property_list(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access.get(), kGrowth, false);
  H5Pset_file_image_callbacks(access.get(), &callbacks);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  // The format of HDF5 1.8 has checksums in its metadata, so that the library notices damage.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18);
  const Hdf5Handle creation = ordered_creation(H5P_FILE_CREATE);
  Hdf5Handle handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
  if (handle.get() < 0) throw std::runtime_error("cannot begin the file '" + path + "'" + library_reason());
  Hdf5File file(std::move(handle), path, std::move(image));
  Hdf5Group root = file.root();
  root.set("filetype", type.name);
  root.set("format_version", std::vector<std::int64_t>{type.major, type.minor});
  return file;
}

Hdf5File Hdf5File::open_foreign(const std::string& path) {
  silence_library();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) throw InputError("file '" + path + "' does not exist");
  if (std::filesystem::is_directory(path, ignored))
    throw InputError("'" + path + "' is a folder, not a file");
  const htri_t recognised = H5Fis_hdf5(path.c_str());
  if (recognised < 0) throw InputError("cannot read '" + path + "'" + library_reason());
  if (recognised == 0) throw InputError("'" + path + "' is not an HDF5 file");
  Hdf5Handle handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (handle.get() < 0) throw InputError("'" + path + "' is truncated or damaged" + library_reason());
  if (!text_heaps_are_sound(path)) throw InputError("'" + path + "' is damaged (its texts overlap)");
  return {std::move(handle), path, nullptr};
}

Hdf5File Hdf5File::open(const std::string& path, const FileType& type) {
  Hdf5File file = open_foreign(path);
  const Hdf5Group root = file.root();
  if (!root.has_attribute("filetype"))
    throw InputError("'" + path + "' is not a " + type.name + ": it has no attribute 'filetype'");
  const std::string found = root.text("filetype");
  if (found != type.name)
    throw InputError("'" + path + "' is not a " + type.name + ": its filetype is '" + found + "'");
  check_version(root, path, type);
  return file;
}

Hdf5Group Hdf5File::root() const {
  Hdf5Handle handle(H5Gopen2(handle_.get(), "/", H5P_DEFAULT), H5Gclose);
  if (handle.get() < 0) throw InputError("'" + path_ + "' is truncated or damaged" + library_reason());
  return {std::move(handle), path_ + ":/", image_ == nullptr};
}

void Hdf5File::save() {
  if (!image_ || handle_.get() < 0)
    throw std::logic_error("'" + path_ + "' was not created here, or is saved");
  const bool flushed = H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL) >= 0;
  const ssize_t size = H5Fget_file_image(handle_.get(), nullptr, 0);
  if (!flushed || size <= 0)
    throw std::runtime_error("cannot complete the file '" + path_ + "'" + library_reason());
  image_->bytes.resize(static_cast<size_t>(size));
  handle_ = Hdf5Handle();
  write_atomically(path_, image_->bytes);
  image_->bytes.clear();
}

}  // namespace torsor
