
#include "preload/log/log_fields.h"

#include "preload/log/log_time.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

struct Letter {
  std::uint32_t value;
  std::uint32_t length;
  bool valid;
};

// RFC 3629: no overlong forms, no surrogates.
Letter decode(const char* text, std::uint32_t length) {
  const auto byte = [&](std::uint32_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  const std::uint32_t least = more == 3 ? 0x10000u : more == 2 ? 0x800u : 0x80u;
  if (first < 0xc2 || first > 0xf4 || more >= length) return {kReplacement, 1, false};
  std::uint32_t value = first & (0x3fu >> more);
  for (std::uint32_t at = 1; at <= more; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {kReplacement, 1, false};
    value = value << 6 | (byte(at) & 0x3f);
  }
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  if (value < least || value > 0x10ffff || surrogate) return {kReplacement, 1, false};
  return {value, more + 1, true};
}

void put_letter(TextBuffer& out, std::uint32_t value) {
  if (value == '"' || value == '\\') {
    out.put('\\').put(static_cast<char>(value));
  } else if (value >= 0x20 && value < 0x7f) {
    out.put(static_cast<char>(value));
  } else if (value < 0x10000) {
    out.put("\\u").hex(value, 4);
  } else {
    const std::uint32_t pair = value - 0x10000;
    out.put("\\u").hex(0xd800 | pair >> 10, 4).put("\\u").hex(0xdc00 | (pair & 0x3ff), 4);
  }
}

void put_base64(TextBuffer& out, const char* text, std::uint32_t length) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::uint32_t at = 0; at < length; at += 3) {
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < length ? static_cast<unsigned char>(text[at + i]) : 0u);
    }
    for (std::uint32_t i = 0; i < 4; ++i) {
      out.put(at + i > length ? '=' : kDigits[bits >> (18 - 6 * i) & 63]);
    }
  }
}

// The journal's numbers are little endian on every machine.
void put_size(char* at, std::uint64_t size) {
  for (unsigned i = 0; i < 8; ++i) at[i] = static_cast<char>(size >> 8 * i & 0xff);
}

}  // namespace

std::uint32_t put_json(TextBuffer& out, const char* text, std::uint32_t length, std::uint32_t most,
                       bool& valid) {
  valid = true;
  const std::size_t begin = out.length();
  std::uint32_t at = 0;
  while (at < length && out.length() - begin < most) {
    const Letter letter = decode(text + at, length - at);
    put_letter(out, letter.value);
    valid = valid && letter.valid;
    at += letter.length;
  }
  return at;
}

void Fields::name(const char* name) {
  if (form_ == Form::journal) {
    out_.put("UMASKAUDIT_");
    for (const char* c = name; *c != '\0'; ++c) {
      out_.put(*c >= 'a' && *c <= 'z' ? static_cast<char>(*c - 'a' + 'A') : *c);
    }
    return;
  }
  if (!first_) out_.put(',');
  first_ = false;
  if (name != nullptr) out_.put('"').put(name).put("\":");
}

void Fields::end() {
  if (form_ == Form::journal) out_.put('\n');
}

Fields& Fields::open(const char* name_of_it, char bracket) {
  name(name_of_it);
  out_.put(bracket);
  first_ = true;
  return *this;
}

Fields& Fields::close(char bracket) {
  out_.put(bracket);
  first_ = false;
  return *this;
}

Fields& Fields::word(const char* name_of_it, const char* text) {
  name(name_of_it);
  if (form_ == Form::journal) {
    out_.put('=').put(text);
  } else {
    out_.put('"').put(text).put('"');
  }
  end();
  return *this;
}

Fields& Fields::time(const char* name_of_it, std::uint64_t real_ns) {
  name(name_of_it);
  out_.put(form_ == Form::journal ? '=' : '"');
  put_timestamp(out_, real_ns);
  if (form_ == Form::json) out_.put('"');
  end();
  return *this;
}

Fields& Fields::number(const char* name_of_it, std::uint64_t value) {
  name(name_of_it);
  if (form_ == Form::journal) out_.put('=');
  out_.decimal(value);
  end();
  return *this;
}

Fields& Fields::mode(const char* name_of_it, std::uint32_t value) {
  name(name_of_it);
  out_.put(form_ == Form::journal ? '=' : '"').mode(value);
  if (form_ == Form::json) out_.put('"');
  end();
  return *this;
}

Fields& Fields::hex(const char* name_of_it, std::uint64_t value) {
  name(name_of_it);
  out_.put(form_ == Form::journal ? "=" : "\"").put("0x").hex(value);
  if (form_ == Form::json) out_.put('"');
  end();
  return *this;
}

Fields& Fields::yes(const char* name_of_it) {
  name(name_of_it);
  out_.put(form_ == Form::journal ? "=true" : "true");
  end();
  return *this;
}

Fields& Fields::bytes(const char* name_of_it, const char* text, std::uint32_t length,
                      std::uint32_t most) {
  if (form_ == Form::journal) {
    const std::size_t begin = begin_lines(name_of_it);
    out_.put(text, length < most ? length : most);
    end_lines(begin);
    return *this;
  }
  name(name_of_it);
  out_.put('"');
  bool valid = true;
  const std::uint32_t taken = put_json(out_, text, length, most, valid);
  out_.put('"');
  if (!valid) {
    out_.put(",\"").put(name_of_it).put("_bytes\":\"");
    put_base64(out_, text, taken);
    out_.put('"');
  }
  if (taken < length) out_.put(",\"").put(name_of_it).put("_cut\":true");
  return *this;
}

std::size_t Fields::begin_lines(const char* name_of_it) {
  name(name_of_it);
  out_.put('\n').put("        ");  // a placeholder for the size, which is written at the end
  return out_.length();
}

void Fields::end_lines(std::size_t begin) {
  if (!out_.overflow()) {
    put_size(const_cast<char*>(out_.begin()) + begin - 8, out_.length() - begin);
  }
  out_.put('\n');
}

}  // namespace umaskaudit::shim
