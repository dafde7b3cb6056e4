// --format text|json of commands whose text has a twin for programs.
// Must never be offered where the two could disagree: both come from the same values.
#pragma once

#include "reporter/commands/enum_option.h"

namespace umaskaudit::commands {

enum class TwinFormat { text, json };

inline void add_twin_format(CLI::App& app, TwinFormat& format,
                            const char* help = "What to write; json: one document for programs") {
  add_enum_option<TwinFormat>(app, "-f,--format", format,
                              {{"text", TwinFormat::text}, {"json", TwinFormat::json}}, help);
}

}  // namespace umaskaudit::commands
