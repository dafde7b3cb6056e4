#include "reporter/objects/local_links.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "reporter/base/byte_json.h"

namespace umaskaudit {
namespace {

// "6ba7b810-9dad-11d1-80b4-00c04fd430c8" as bytes; zeroes when /proc is missing.
std::array<std::uint8_t, 16> boot_id_here() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::array<std::uint8_t, 16> id{};
  std::size_t digits = 0;
  for (char c = 0; file.get(c) && digits < 2 * id.size();) {
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && (c < 'a' || c > 'f')) continue;
    const int value = decimal ? c - '0' : c - 'a' + 10;
    std::uint8_t& byte = id[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++digits;
  }
  return id;
}

NameTree::Links links_of(const nlohmann::json& document) {
  using nlohmann::json;
  auto targets = std::make_shared<std::map<std::string, std::string>>();
  try {
    const json& links = document.at("links");
    if (links.is_null()) return nullptr;
    for (const json& link : links)
      (*targets)[bytes_of_text(link.at(0).get<std::string>())] =
          bytes_of_text(link.at(1).get<std::string>());
  } catch (const json::exception&) {
    return nullptr;
  }
  return [targets](const std::string& directory) {
    const auto found = targets->find(directory);
    return found == targets->end() ? std::string() : found->second;
  };
}

std::string known_file(const reader::Run& run) { return run.place() + '/' + kKnownLinksFile; }

}  // namespace

bool is_packed(const reader::Run& run) { return access(known_file(run).c_str(), F_OK) == 0; }

NameTree::Links KnownLinks::links() {
  if (!links_) return nullptr;
  return [this](const std::string& directory) {
    std::string target = links_(directory);
    if (!target.empty()) targets_[directory] = target;
    return target;
  };
}

std::string KnownLinks::text() const {
  using nlohmann::json;
  json links;
  if (links_) links = json::array();
  for (const auto& [directory, target] : targets_)
    links.push_back(json::array({text_of_bytes(directory), text_of_bytes(target)}));
  return json{{"links", std::move(links)}}.dump() + '\n';
}

bool is_of_this_boot(const reader::Run& run) {
  const std::array<std::uint8_t, 16> id = run.boot_id();
  const bool known = std::any_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte != 0; });
  return known && id == boot_id_here();
}

NameTree::Links local_links(const reader::Run& run) {
  if (const auto known = read_json(known_file(run))) return links_of(*known);
  if (!is_of_this_boot(run)) return nullptr;
  return [](const std::string& directory) {
    // There a link leads each process somewhere else, us too (proc(5)).
    if (directory.starts_with("/proc/")) return std::string();
    char target[PATH_MAX];
    const ssize_t length = readlink(directory.c_str(), target, sizeof target);
    return length <= 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
  };
}

}  // namespace umaskaudit
