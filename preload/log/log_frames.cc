// The frames of a log line, of scripts and native ones; see log_frames.h.

#include "preload/log/log_frames.h"

#include <cstring>

#include "preload/log/demangle.h"
#include "preload/log/symbols.h"
#include "preload/script/script.h"
#include "preload/stack/modules.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

namespace {

// Not inlined, because its frame is large.
[[gnu::noinline]] void put_function(TextBuffer& text, const Module& module, std::uintptr_t pc) {
  Symbol symbol;
  if (!find_symbol(module, pc - 1, symbol)) return;
  put_function_name(text, symbol.name, symbol.length, symbol.cut);
  text.put(symbol.cut ? "...+0x" : "+0x");
  text.hex(pc - symbol.start).put(' ');
}

// The data for looking up the names of a stack's frames.
struct Lookup {
  int self = sys::getpid();
  Scratch buffer;
  Module module;  // the module of the previous frame: neighbours are often in one

  bool find(std::uintptr_t pc) {
    if (pc >= module.start && pc < module.end) return true;
    module = {};
    return find_module(pc, self, buffer, module);
  }
};

void put_frame(TextBuffer& text, unsigned number, std::uintptr_t pc, Lookup& lookup) {
  text.put("    #").decimal(number).put(' ');
  if (lookup.buffer.get() == nullptr) {  // no buffer: names cannot be looked up
    text.put("0x").hex(pc).put('\n');
    return;
  }
  if (!lookup.find(pc - 1)) {
    text.put("0x").hex(pc).put(" (generated code)\n");
    return;
  }
  const Module& module = lookup.module;
  put_function(text, module, pc);
  text.put('(').escaped(module.path, module.path_length).put("+0x").hex(pc - module.base);
  text.put(")\n");
}

// The output for the lines of a script stack.
struct ScriptLines {
  TextBuffer& text;
  unsigned count = 0;
};

void put_place(TextBuffer& text, const PlaceText& place) {
  if (place.file_length != 0) text.escaped(place.file, place.file_length);
  if (place.line != 0) text.put(':').decimal(place.line);
  if (place.function_length != 0) text.put(' ').escaped(place.function, place.function_length);
}

bool put_script_frame(void* to, const PlaceText& place) {
  auto& lines = *static_cast<ScriptLines*>(to);
  if (lines.text.room() < 2048) return false;
  lines.text.put("    @").decimal(lines.count++).put(' ');
  put_place(lines.text, place);
  lines.text.put('\n');
  return true;
}

bool has_at(const PlaceText& place, std::uint32_t at, const char* text, std::uint32_t length) {
  return place.file_length - at >= length && memcmp(place.file + at, text, length) == 0;
}

// True for frames of the runtime itself: of the interpreter, or of its standard library.
bool is_library(const PlaceText& place) {
  constexpr char kNode[] = "node:";
  constexpr char kPython[] = "/lib/python";
  if (place.file_length == 0 || place.file[0] == '<') return true;
  for (std::uint32_t at = 0; at < place.file_length; ++at) {
    if (has_at(place, at, kPython, sizeof kPython - 1)) return true;
  }
  return has_at(place, 0, kNode, sizeof kNode - 1);
}

bool put_first_of_user(void* to, const PlaceText& place) {
  if (is_library(place)) return true;
  auto& text = *static_cast<TextBuffer*>(to);
  if (text.room() < 2048) return false;
  text.put(" at ");
  put_place(text, place);
  return false;
}

// JSON: a name and a path are cut at so many bytes.
constexpr std::uint32_t kMostName = 700;
constexpr std::size_t kFrameRoom = 2 * kMostName + 300;

// Static, because an object of the JSON form needs more stack than a line.
struct NamedSymbol {
  Symbol symbol;
  char name[Scratch::kSize - sizeof(Symbol)];
};

[[gnu::noinline]] void add_function(Fields& fields, const Module& module, std::uintptr_t pc) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return;
  auto& room = *reinterpret_cast<NamedSymbol*>(scratch.get());
  if (!find_symbol(module, pc - 1, room.symbol)) return;
  TextBuffer name(room.name, sizeof room.name);
  put_function_name(name, room.symbol.name, room.symbol.length, room.symbol.cut);
  if (room.symbol.cut) name.put("...");
  fields.bytes("function", name.begin(), static_cast<std::uint32_t>(name.length()), kMostName);
}

[[gnu::noinline]] void add_frame(Fields& fields, std::uintptr_t pc, Lookup& lookup) {
  fields.open(nullptr, '{');
  if (lookup.buffer.get() == nullptr || !lookup.find(pc - 1)) {
    fields.hex("address", pc).close('}');
    return;
  }
  const Module& module = lookup.module;
  add_function(fields, module, pc);
  fields.bytes("module", module.path, module.path_length, kMostName);
  fields.hex("offset", pc - module.base).close('}');
}

struct ScriptFields {
  Fields& fields;
  TextBuffer& text;
};

void add_place(Fields& fields, const PlaceText& place) {
  if (place.file_length != 0) fields.bytes("file", place.file, place.file_length, kMostName);
  if (place.line != 0) fields.number("line", place.line);
  if (place.function_length != 0)
    fields.bytes("function", place.function, place.function_length, kMostName);
}

bool add_script_frame(void* to, const PlaceText& place) {
  auto& script = *static_cast<ScriptFields*>(to);
  if (script.text.room() < kFrameRoom) return false;
  script.fields.open(nullptr, '{');
  add_place(script.fields, place);
  script.fields.close('}');
  return true;
}

bool add_first_of_user(void* to, const PlaceText& place) {
  if (is_library(place)) return true;
  auto& script = *static_cast<ScriptFields*>(to);
  if (script.text.room() < kFrameRoom) return false;
  script.fields.open("at", '{');
  add_place(script.fields, place);
  script.fields.close('}');
  return false;
}

}  // namespace

void put_frames(TextBuffer& text, const CapturedStack& stack, const sys::WithoutSignals&) {
  if (stack.script != nullptr) {
    ScriptLines lines{text};
    show_script(*stack.script, put_script_frame, &lines);
  }
  if (stack.walk.count == 0) return;
  Lookup lookup;
  for (unsigned i = 0; i < stack.walk.count; ++i) {
    if (text.room() < 1024) break;  // one frame is at most one path and one name
    put_frame(text, i, stack.pcs[i], lookup);
  }
}

void put_user_place(TextBuffer& text, const CapturedStack& stack, const sys::WithoutSignals&) {
  if (stack.script != nullptr) show_script(*stack.script, put_first_of_user, &text);
}

void add_frames(Fields& fields, TextBuffer& text, const CapturedStack& stack,
                const sys::WithoutSignals&) {
  if (stack.script != nullptr) {
    ScriptFields script{fields, text};
    fields.open("script", '[');
    show_script(*stack.script, add_script_frame, &script);
    fields.close(']');
  }
  if (stack.walk.count == 0) return;
  Lookup lookup;
  fields.open("stack", '[');
  for (unsigned i = 0; i < stack.walk.count; ++i) {
    if (text.room() < kFrameRoom + 64) break;
    add_frame(fields, stack.pcs[i], lookup);
  }
  fields.close(']');
}

void add_user_place(Fields& fields, TextBuffer& text, const CapturedStack& stack,
                    const sys::WithoutSignals&) {
  ScriptFields script{fields, text};
  if (stack.script != nullptr) show_script(*stack.script, add_first_of_user, &script);
}

}  // namespace umaskaudit::shim
