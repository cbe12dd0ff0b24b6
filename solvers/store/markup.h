// Text inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace torsor {

/// `text` with & < > " ' as entities, so that it is plain text in elements and quoted attributes of XML and
/// HTML. Control characters other than tab and line ends, which XML forbids, and broken UTF-8 become U+FFFD.
std::string escape_markup(std::string_view text);

/// `text` as valid UTF-8: every byte that is part of no valid sequence becomes U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace torsor
