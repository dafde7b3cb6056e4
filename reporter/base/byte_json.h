// JSON documents that hold bytes: names of files and functions need not be UTF-8.
// Must never fail for a byte, nor trust a document: what a reader does not expect is an exception
// of nlohmann::json, which the caller catches.
// Called by who writes down, beside a packed run, what only its own machine knows.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace umaskaudit {

// Each byte as the character of its number (ISO 8859-1), and back; characters beyond are "?".
std::string text_of_bytes(std::string_view bytes);
std::string bytes_of_text(const std::string& text);

// The document in a file; nothing where there is no such file, or none that can be read as JSON.
std::optional<nlohmann::json> read_json(const std::string& path);

}  // namespace umaskaudit
