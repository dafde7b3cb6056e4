#include "reporter/analysis/saved_unrecorded.h"

#include "reporter/base/byte_json.h"

namespace umaskaudit::analysis {

using nlohmann::json;

std::string saved_unrecorded_text(const UnrecordedObjects& found) {
  json objects = json::array();
  for (const UnrecordedObject& one : found.objects) {
    json more = json::array();
    for (const std::string& name : one.more_names) more.push_back(text_of_bytes(name));
    objects.push_back({{"path", text_of_bytes(one.path)},
                       {"kind", static_cast<unsigned>(one.kind)},
                       {"mode", one.mode},
                       {"uid", one.uid},
                       {"gid", one.gid},
                       {"time_ns", one.time_ns},
                       {"dev", one.dev},
                       {"ino", one.ino},
                       {"more_names", std::move(more)}});
  }
  return json{{"objects", std::move(objects)},
              {"entries", found.entries},
              {"incomplete", text_of_bytes(found.incomplete)}}
             .dump() +
         '\n';
}

std::optional<UnrecordedObjects> read_saved_unrecorded(const std::string& directory) {
  const auto document = read_json(directory + '/' + kSavedUnrecordedFile);
  if (!document) return std::nullopt;
  UnrecordedObjects found;
  try {
    for (const json& one : document->at("objects")) {
      UnrecordedObject object;
      object.path = bytes_of_text(one.at("path").get<std::string>());
      object.kind = static_cast<trace::Kind>(one.at("kind").get<std::uint8_t>());
      object.mode = one.at("mode").get<Mode>();
      object.uid = one.at("uid").get<std::uint32_t>();
      object.gid = one.at("gid").get<std::uint32_t>();
      object.time_ns = one.at("time_ns").get<std::uint64_t>();
      object.dev = one.value("dev", std::uint64_t{0});
      object.ino = one.value("ino", std::uint64_t{0});
      for (const json& name : one.value("more_names", json::array()))
        object.more_names.push_back(bytes_of_text(name.get<std::string>()));
      found.objects.push_back(std::move(object));
    }
    found.entries = document->at("entries").get<std::uint64_t>();
    found.incomplete = bytes_of_text(document->at("incomplete").get<std::string>());
  } catch (const json::exception&) {
    return std::nullopt;
  }
  return found;
}

}  // namespace umaskaudit::analysis
