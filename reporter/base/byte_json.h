// Stores bytes in JSON documents: names of files and functions need not be UTF-8.
// Must never fail for a byte, nor trust a document: unexpected content is an exception of
// nlohmann::json, which the caller catches. Used for the files that `pack` adds to a run.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace umaskaudit {

// Each byte as the character with its number (ISO 8859-1), and back; other characters become "?".
std::string text_of_bytes(std::string_view bytes);
std::string bytes_of_text(const std::string& text);

// The document in a file; nothing if there is no such file, or it is not valid JSON.
std::optional<nlohmann::json> read_json(const std::string& path);

}  // namespace umaskaudit
