// A check of the part of an HDF5 file that has neither a checksum nor a check in the library: the global
// heaps, which hold the texts. HDF5 1.10 walks over damaged ones into foreign memory or for ever.
#pragma once

#include <string>

namespace torsor {

/// Are the objects of every global heap collection inside it (HDF5 file format specification, III.E)? True
/// for a file without any. Throws InputError when the file cannot be read.
bool text_heaps_are_sound(const std::string& path);

}  // namespace torsor
