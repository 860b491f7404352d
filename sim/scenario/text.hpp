// UTF-8, and how text of the user is shown in a message.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brownout::sim {

// Offset of the first byte that is not part of valid UTF-8 (RFC 3629: no overlong forms, no surrogates),
// or nothing. O(n).
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

// `text` on one line: control characters and bytes that are not UTF-8 become \n, \t, \xNN or \uNNNN. O(n).
std::string escaped(std::string_view text);

// `text` escaped and in double quotes, for a message; cut after about 60 bytes, with "..." to say so.
std::string in_quotes(std::string_view text);

// ASCII letters in lower case, everything else as it is. Without a locale.
std::string lower_ascii(std::string_view text);

// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

// Whether a control character (below U+0020, or U+007F) is in `text`.
bool has_control_character(std::string_view text);

}  // namespace brownout::sim
