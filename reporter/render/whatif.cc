#include "reporter/render/whatif.h"

#include <algorithm>
#include <map>

#include "reporter/mode/access.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kMostUnpredictable = 10;

const char* verb(char letter, bool directory) {
  switch (letter) {
    case 'r':
      return directory ? "list" : "read";
    case 'w':
      return directory ? "change" : "write";
    default:
      return directory ? "enter" : "run";
  }
}

void append_table(std::string& out, const TextContext& context, const analysis::WhatIf& whatif,
                  std::size_t limit) {
  const std::size_t rows =
      limit == 0 ? whatif.changed.size() : std::min(limit, whatif.changed.size());
  TextTable table({{"PATH", Align::left, true},
                   {"KIND"},
                   {"CALL"},
                   {"MASK", Align::right},
                   {"", Align::left},
                   {"NOW", Align::right},
                   {"THEN", Align::right},
                   {"CHANGE"}});
  for (std::size_t i = 0; i < rows; ++i) {
    const analysis::WhatIfObject& one = whatif.changed[i];
    const CreateEvent& made = one.object.creation;
    table.add({escape(one.object.path), kind_name(made.kind), escape(made.call), octal(made.mask),
               "-> " + octal(one.mask), octal(one.object.mode),
               Cell(octal(one.mode), mode_style(one.mode)),
               access_change(one.object.mode, one.mode)});
  }
  out += table.text(context.width, context.paint);
  if (rows < whatif.changed.size())
    out += "  ... and " + std::to_string(whatif.changed.size() - rows) +
           " more, --limit 0 shows all\n";
}

// "others may no longer read: 12 objects", one line for each class and deed.
void append_access(std::string& out, const analysis::WhatIf& whatif) {
  std::map<std::string, std::uint64_t> counts;
  std::vector<std::string> order;
  const auto count = [&](const std::string& line) {
    if (counts[line]++ == 0) order.push_back(line);
  };
  for (const analysis::WhatIfObject& one : whatif.changed) {
    const bool directory = one.object.creation.kind == trace::Kind::dir;
    for (const UserClass& who : kUserClasses) {
      const Mode before = one.object.mode >> who.shift & 7, after = one.mode >> who.shift & 7;
      const std::string name = (who.shift == 0 ? "" : "the ") + std::string(who.name);
      for (const char letter : letters(before & ~after))
        count(name + " may no longer " + verb(letter, directory) +
              (directory ? " directories" : ""));
      for (const char letter : letters(after & ~before))
        count(name + " may then " + verb(letter, directory) + (directory ? " directories" : ""));
    }
  }
  for (const std::string& line : order)
    out += "  " + line + ": " + std::to_string(counts[line]) + '\n';
}

void append_rest(std::string& out, const TextContext& context, const analysis::WhatIf& whatif) {
  const auto line = [&](std::uint64_t count, const char* why) {
    if (count != 0) out += "  " + counted(count, "object") + ' ' + why + '\n';
  };
  line(whatif.own_mask,
       "under a mask that the program set itself, and would set again (--everywhere replaces it)");
  line(whatif.acl, "in directories with a default ACL, where no mask applies");
  line(whatif.settled, "whose mode a later chmod decides");
  line(whatif.same, "whose requested mode the mask leaves as it is");
  if (whatif.unpredictable.empty()) return;
  out +=
      context.paint(Style::warning, "  " + counted(whatif.unpredictable.size(), "object") +
                                        " cannot be predicted: not the mask alone made the mode") +
      '\n';
  const std::size_t shown = std::min(whatif.unpredictable.size(), kMostUnpredictable);
  for (std::size_t i = 0; i < shown; ++i) {
    const analysis::FinalObject& object = whatif.unpredictable[i];
    out += "    " + escape(object.path) + ' ' + octal(object.mode) + " (" +
           rule_name(object.creation.steps.back().rule) + ")\n";
  }
}

std::string masks_text(const std::vector<Mode>& masks) {
  std::string text;
  for (const Mode mask : masks) text += (text.empty() ? "" : ", ") + octal(mask);
  return text;
}

}  // namespace

std::string whatif_text(const TextContext& context, const analysis::WhatIf& whatif,
                        std::size_t limit) {
  std::string out = context.paint(
      Style::strong,
      "Under umask " + octal(whatif.mask) +
          (whatif.everywhere ? ", in the place of every mask"
                             : ", instead of the inherited " +
                                   (whatif.inherited.empty() ? std::string("one")
                                                             : masks_text(whatif.inherited))));
  out += '\n';
  if (!whatif.changed.empty()) {
    append_table(out, context, whatif, limit);
    out += '\n' + context.paint(Style::strong, "Who would lose or gain access") + '\n';
    append_access(out, whatif);
  }
  out += '\n' + std::to_string(whatif.changed.size()) + " of " + counted(whatif.objects, "object") +
         " would change";
  out += whatif.objects == whatif.changed.size() ? "\n" : "; unchanged:\n";
  append_rest(out, context, whatif);
  return out + '\n';
}

}  // namespace umaskaudit::render
