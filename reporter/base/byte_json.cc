#include "reporter/base/byte_json.h"

#include <fstream>

namespace umaskaudit {

std::string text_of_bytes(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::string bytes_of_text(const std::string& text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      bytes += text[i];
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
      const auto next = static_cast<unsigned char>(text[++i]);
      bytes += static_cast<char>((lead & 0x03) << 6 | (next & 0x3F));
    } else if ((lead & 0xC0) != 0x80) {
      bytes += '?';
    }
  }
  return bytes;
}

std::optional<nlohmann::json> read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  nlohmann::json document = nlohmann::json::parse(file, nullptr, false);
  if (document.is_discarded()) return std::nullopt;
  return document;
}

}  // namespace umaskaudit
