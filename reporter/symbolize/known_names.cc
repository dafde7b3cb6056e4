#include "reporter/symbolize/known_names.h"

#include "reporter/base/byte_json.h"

namespace umaskaudit::symbolize {
namespace {

using nlohmann::json;

json json_of(const Location& place) {
  return json::array({text_of_bytes(place.symbol), text_of_bytes(place.file), place.line,
                      place.inlined, text_of_bytes(place.language)});
}

Location location_of(const json& value) {
  Location place;
  place.symbol = bytes_of_text(value.at(0).get<std::string>());
  place.file = bytes_of_text(value.at(1).get<std::string>());
  place.line = value.at(2).get<std::uint32_t>();
  place.inlined = value.at(3).get<bool>();
  place.language = bytes_of_text(value.at(4).get<std::string>());
  return place;
}

SourceLine::State state_of(const std::string& name) {
  return name == "known"     ? SourceLine::State::known
         : name == "changed" ? SourceLine::State::changed
                             : SourceLine::State::unknown;
}

const char* name_of(SourceLine::State state) {
  switch (state) {
    case SourceLine::State::known:
      return "known";
    case SourceLine::State::changed:
      return "changed";
    case SourceLine::State::unknown:
      break;
  }
  return "unknown";
}

KnownNames names_of(const json& document) {
  KnownNames names;
  for (const json& given : document.at("modules")) {
    KnownModule& module = names.modules[{bytes_of_text(given.at("path").get<std::string>()),
                                         given.at("build_id").get<std::string>()}];
    module.note = bytes_of_text(given.at("note").get<std::string>());
    for (const json& address : given.at("addresses")) {
      Places& places = module.places[address.at(0).get<std::uint64_t>()];
      for (const json& place : address.at(1)) places.push_back(location_of(place));
    }
  }
  for (const json& line : document.at("lines"))
    names.lines[{bytes_of_text(line.at(0).get<std::string>()), line.at(1).get<std::uint32_t>()}] = {
        state_of(line.at(2).get<std::string>()), bytes_of_text(line.at(3).get<std::string>()),
        line.size() > 4 ? line.at(4).get<std::uint64_t>() : 0};
  return names;
}

}  // namespace

std::string known_names_text(const KnownNames& names) {
  json modules = json::array();
  for (const auto& [key, module] : names.modules) {
    // Sorted by address, so that a run always gives the same file.
    const std::map<std::uint64_t, Places> sorted(module.places.begin(), module.places.end());
    json addresses = json::array();
    for (const auto& [address, places] : sorted) {
      json list = json::array();
      for (const Location& place : places) list.push_back(json_of(place));
      addresses.push_back(json::array({address, std::move(list)}));
    }
    modules.push_back({{"path", text_of_bytes(key.path)},
                       {"build_id", key.build_id},
                       {"note", text_of_bytes(module.note)},
                       {"addresses", std::move(addresses)}});
  }
  json lines = json::array();
  for (const auto& [place, line] : names.lines)
    lines.push_back(json::array({text_of_bytes(place.first), place.second, name_of(line.state),
                                 text_of_bytes(line.text), line.written_real_ns}));
  return json{{"modules", std::move(modules)}, {"lines", std::move(lines)}}.dump() + '\n';
}

std::shared_ptr<const KnownNames> read_known_names(const std::string& directory) {
  const auto document = read_json(directory + '/' + kKnownNamesFile);
  if (!document) return nullptr;
  try {
    return std::make_shared<const KnownNames>(names_of(*document));
  } catch (const json::exception&) {
    return nullptr;
  }
}

}  // namespace umaskaudit::symbolize
