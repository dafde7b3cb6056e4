// See known_appeared.h.
#include "reporter/analysis/known_appeared.h"

#include "reporter/base/byte_json.h"

namespace umaskaudit {

using nlohmann::json;

std::string known_appeared_text(const AppearedObjects& appeared) {
  json objects = json::array();
  for (const Appeared& one : appeared.objects)
    objects.push_back({{"path", text_of_bytes(one.path)},
                       {"kind", static_cast<unsigned>(one.kind)},
                       {"mode", one.mode},
                       {"uid", one.uid},
                       {"gid", one.gid},
                       {"time_ns", one.time_ns}});
  return json{{"objects", std::move(objects)},
              {"entries", appeared.entries},
              {"incomplete", text_of_bytes(appeared.incomplete)}}
             .dump() +
         '\n';
}

std::optional<AppearedObjects> read_known_appeared(const std::string& directory) {
  const auto document = read_json(directory + '/' + kKnownAppearedFile);
  if (!document) return std::nullopt;
  AppearedObjects appeared;
  try {
    for (const json& one : document->at("objects")) {
      Appeared object;
      object.path = bytes_of_text(one.at("path").get<std::string>());
      object.kind = static_cast<trace::Kind>(one.at("kind").get<std::uint8_t>());
      object.mode = one.at("mode").get<Mode>();
      object.uid = one.at("uid").get<std::uint32_t>();
      object.gid = one.at("gid").get<std::uint32_t>();
      object.time_ns = one.at("time_ns").get<std::uint64_t>();
      appeared.objects.push_back(std::move(object));
    }
    appeared.entries = document->at("entries").get<std::uint64_t>();
    appeared.incomplete = bytes_of_text(document->at("incomplete").get<std::string>());
  } catch (const json::exception&) {
    return std::nullopt;
  }
  return appeared;
}

}  // namespace umaskaudit
