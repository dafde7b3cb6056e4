// See appeared.h.
#include "reporter/render/appeared.h"

#include <sys/stat.h>

#include <algorithm>

#include "reporter/render/escape.h"
#include "reporter/render/json_writer.h"
#include "reporter/render/mode_text.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kMostNamed = 20;
constexpr char kAdvice[] =
    "it appeared while the run was recorded, in a directory that the run used, and no record names "
    "it; what could not be seen may have made it";

const char* kind_of(std::uint32_t st_mode) {
  switch (st_mode & S_IFMT) {
    case S_IFDIR:
      return "dir";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "chardev";
    case S_IFBLK:
      return "blockdev";
    default:
      return "file";
  }
}

}  // namespace

void append_appeared(std::string& out, const TextContext& context,
                     const std::vector<Appeared>& files) {
  if (files.empty()) return;
  out += "  " + context.paint(Style::warning, "appeared, not seen") +
         ": made while the run was recorded, and no record names them\n";
  const std::size_t named = std::min(files.size(), kMostNamed);
  for (std::size_t i = 0; i < named; ++i) {
    const Appeared& file = files[i];
    const Mode mode = file.st_mode & 07777;
    out += "      " + context.paint(mode_style(mode), octal(mode)) + ' ' + kind_of(file.st_mode) +
           " of " + std::to_string(file.uid) + ':' + std::to_string(file.gid) + "  " +
           escape(file.path) + '\n';
  }
  if (files.size() > named)
    out += "      ... and " + std::to_string(files.size() - named) + " more\n";
}

void append_appeared_json(std::string& out, const Appeared& file) {
  JsonWriter json(out);
  json.begin_object();
  json.text("type", "blind_spot");
  // Nobody is known to have made it: what every object has is empty.
  json.number("seq", 0);
  json.number("time_ns", file.time_ns);
  json.number("pid", 0);
  json.number("tid", 0);
  json.text("thread", "");
  json.number("fs", 0);
  json.text("call", "");
  json.text("reason", "appeared");
  json.bytes("text", file.path);
  json.text("advice", kAdvice);
  json.text("kind", kind_of(file.st_mode));
  json.mode("final", file.st_mode & 07777);
  json.number("uid", file.uid);
  json.number("gid", file.gid);
  json.begin_array("stack");
  json.end_array();
  json.end_object();
  out += '\n';
}

}  // namespace umaskaudit
