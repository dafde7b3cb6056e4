// The functions of string.h that the shim calls, linked into the library alone: the loader looks up
// each name that a library imports from libc, which costs every start about a thousand instructions
// a name.
// Must never be part of another link: a program's own memcpy(3) is libc's.

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>

#include "preload/sys/sys.h"

namespace {

using umaskaudit::shim::sys::under_valgrind;

constexpr std::size_t kVector = sizeof(__m128i);
// From this size on REP MOVSB and STOSB are the fastest (Intel's optimization manual, "Enhanced REP
// MOVSB and STOSB").
constexpr std::size_t kLarge = 2048;

template <typename Word>
Word load(const void* from) {
  Word word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}
template <typename Word>
void store(void* to, Word word) {
  __builtin_memcpy(to, &word, sizeof word);
}
__m128i load_vector(const void* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
void store_vector(void* to, __m128i vector) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), vector);
}

// Which of 16 bytes are `byte`: one bit each, the first byte's lowest.
unsigned equal_bytes(__m128i vector, __m128i byte) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(vector, byte)));
}

// Copies both ends as words, which overlap; all is loaded before anything is stored.
template <typename Word>
void copy_ends(char* to, const char* from, std::size_t size) {
  const Word first = load<Word>(from);
  const Word last = load<Word>(from + size - sizeof last);
  store(to, first);
  store(to + size - sizeof last, last);
}

void copy_short(char* to, const char* from, std::size_t size) {
  if (size >= 8) return copy_ends<std::uint64_t>(to, from, size);
  if (size >= 4) return copy_ends<std::uint32_t>(to, from, size);
  if (size >= 2) return copy_ends<std::uint16_t>(to, from, size);
  if (size == 1) *to = *from;
}

// Reads 16 aligned bytes at once: bytes after a string's end are on the string's own page, so they
// are mapped. Valgrind would report them as uninitialised: under it, byte by byte.
class Vectors {
 public:
  Vectors(const char* text, char byte, char other)
      : one_(_mm_set1_epi8(byte)),
        two_(_mm_set1_epi8(other)),
        before_(reinterpret_cast<std::uintptr_t>(text) % kVector),
        at_(text - before_),
        found_(look() >> before_ << before_) {}
  void next() {
    at_ += kVector;
    found_ = look();
  }
  void drop() { found_ &= found_ - 1; }
  bool found() const { return found_ != 0; }
  const char* at() const { return at_; }
  const char* place() const { return at_ + __builtin_ctz(found_); }

 private:
  unsigned look() const {
    const __m128i vector = _mm_load_si128(reinterpret_cast<const __m128i*>(at_));
    return equal_bytes(vector, one_) | equal_bytes(vector, two_);
  }

  __m128i one_;
  __m128i two_;
  std::size_t before_;
  const char* at_;
  unsigned found_;
};

// The first byte that is `byte` or `other`.
const char* find_either(const char* text, char byte, char other) {
  if (__builtin_expect(under_valgrind, 0)) {
    while (*text != byte && *text != other) ++text;
    return text;
  }
  Vectors vectors(text, byte, other);
  while (!vectors.found()) vectors.next();
  return vectors.place();
}

// The first of `size` bytes that equals `byte`, or null. Bytes after it need not be readable.
const char* find_within(const char* text, char byte, std::size_t size) {
  if (__builtin_expect(under_valgrind, 0) || size == 0) {
    for (; size > 0; ++text, --size) {
      if (*text == byte) return text;
    }
    return nullptr;
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(text);
  const std::uintptr_t end = size < UINTPTR_MAX - begin ? begin + size : UINTPTR_MAX;
  Vectors vectors(text, byte, byte);
  while (!vectors.found()) {
    if (end - reinterpret_cast<std::uintptr_t>(vectors.at()) <= kVector) return nullptr;
    vectors.next();
  }
  const char* const place = vectors.place();
  return reinterpret_cast<std::uintptr_t>(place) < end ? place : nullptr;
}

// Whether 16 bytes from here lie on one page.
bool lies_on_one_page(const char* text) {
  constexpr std::uintptr_t kPage = 4096;
  return reinterpret_cast<std::uintptr_t>(text) % kPage <= kPage - kVector;
}

bool begins_with(const char* text, const char* wanted) {
  while (*wanted != '\0' && *text == *wanted) {
    ++text;
    ++wanted;
  }
  return *wanted == '\0';
}

bool is_one_of(const char* bytes, char byte) {
  while (*bytes != '\0' && *bytes != byte) ++bytes;
  return *bytes != '\0';
}

int compare_bytes(const unsigned char* a, const unsigned char* b) { return *a - *b; }

}  // namespace

#define UMASKAUDIT_OWN extern "C" __attribute__((visibility("hidden")))

UMASKAUDIT_OWN void* memmove(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
  if (size < kVector) {
    copy_short(target, source, size);
    return to;
  }
  const __m128i first = load_vector(source);
  const __m128i last = load_vector(source + size - kVector);
  const std::size_t distance =
      reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
  if (distance >= size && size >= kLarge) {
    asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
    return to;
  }
  // The first and the last bytes are stored after everything has been read.
  if (distance >= size) {
    for (std::size_t at = kVector; at + kVector < size; at += kVector) {
      store_vector(target + at, load_vector(source + at));
    }
  } else {
    for (std::size_t at = size - kVector; at > kVector; at -= kVector) {
      store_vector(target + at - kVector, load_vector(source + at - kVector));
    }
  }
  store_vector(target, first);
  store_vector(target + size - kVector, last);
  return to;
}

UMASKAUDIT_OWN void* memcpy(void* to, const void* from, std::size_t size) {
  return memmove(to, from, size);
}

UMASKAUDIT_OWN void* memset(void* to, int byte, std::size_t size) {
  auto* at = static_cast<char*>(to);
  if (size >= kLarge) {
    asm volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
    return to;
  }
  if (size < kVector) {
    for (char* const end = at + size; at < end; ++at) *at = static_cast<char>(byte);
    return to;
  }
  const __m128i vector = _mm_set1_epi8(static_cast<char>(byte));
  for (std::size_t done = 0; done + kVector < size; done += kVector) {
    store_vector(at + done, vector);
  }
  store_vector(at + size - kVector, vector);
  return to;
}

UMASKAUDIT_OWN int memcmp(const void* one, const void* two, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(one);
  const auto* b = static_cast<const unsigned char*>(two);
  for (; size >= kVector; a += kVector, b += kVector, size -= kVector) {
    const unsigned equal = equal_bytes(load_vector(a), load_vector(b));
    if (equal == 0xffff) continue;
    const auto at = __builtin_ctz(~equal);
    return compare_bytes(a + at, b + at);
  }
  for (; size > 0; ++a, ++b, --size) {
    if (*a != *b) return compare_bytes(a, b);
  }
  return 0;
}

UMASKAUDIT_OWN int bcmp(const void* one, const void* two, std::size_t size) {
  return memcmp(one, two, size);
}

UMASKAUDIT_OWN const void* memchr(const void* bytes, int byte, std::size_t size) {
  return find_within(static_cast<const char*>(bytes), static_cast<char>(byte), size);
}

UMASKAUDIT_OWN const void* memrchr(const void* bytes, int byte, std::size_t size) {
  const auto* begin = static_cast<const char*>(bytes);
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(byte));
  for (; size >= kVector; size -= kVector) {
    const unsigned found = equal_bytes(load_vector(begin + size - kVector), wanted);
    if (found != 0) return begin + size - kVector + (31 - __builtin_clz(found));
  }
  while (size > 0) {
    if (begin[--size] == static_cast<char>(byte)) return begin + size;
  }
  return nullptr;
}

UMASKAUDIT_OWN std::size_t strlen(const char* text) {
  return static_cast<std::size_t>(find_either(text, '\0', '\0') - text);
}

// Reads no byte beyond `most`, as strnlen(3) promises.
UMASKAUDIT_OWN std::size_t strnlen(const char* text, std::size_t most) {
  const char* const end = find_within(text, '\0', most);
  return end != nullptr ? static_cast<std::size_t>(end - text) : most;
}

UMASKAUDIT_OWN const char* strchr(const char* text, int byte) {
  const char* const found = find_either(text, static_cast<char>(byte), '\0');
  return *found == static_cast<char>(byte) ? found : nullptr;
}

UMASKAUDIT_OWN const char* strrchr(const char* text, int byte) {
  return static_cast<const char*>(memrchr(text, byte, strlen(text) + 1));
}

UMASKAUDIT_OWN int strncmp(const char* one, const char* two, std::size_t most) {
  const auto* a = reinterpret_cast<const unsigned char*>(one);
  const auto* b = reinterpret_cast<const unsigned char*>(two);
  for (; most > 0; ++a, ++b, --most) {
    if (*a != *b || *a == '\0') return compare_bytes(a, b);
  }
  return 0;
}

UMASKAUDIT_OWN int strcmp(const char* one, const char* two) {
  // Optimised for short, equal strings: function names, at a start.
  while (!under_valgrind && lies_on_one_page(one) && lies_on_one_page(two)) {
    const __m128i a = load_vector(one);
    const unsigned equal = equal_bytes(a, load_vector(two));
    const unsigned ends = (equal ^ 0xffff) | equal_bytes(a, _mm_setzero_si128());
    if (ends == 0) {
      one += kVector;
      two += kVector;
      continue;
    }
    const auto at = __builtin_ctz(ends);
    return static_cast<unsigned char>(one[at]) - static_cast<unsigned char>(two[at]);
  }
  return strncmp(one, two, SIZE_MAX);
}

UMASKAUDIT_OWN std::size_t strspn(const char* text, const char* bytes) {
  const char* at = text;
  while (*at != '\0' && is_one_of(bytes, *at)) ++at;
  return static_cast<std::size_t>(at - text);
}

UMASKAUDIT_OWN std::size_t strcspn(const char* text, const char* bytes) {
  const char* at = text;
  while (*at != '\0' && !is_one_of(bytes, *at)) ++at;
  return static_cast<std::size_t>(at - text);
}

UMASKAUDIT_OWN const char* strstr(const char* text, const char* wanted) {
  if (*wanted == '\0') return text;
  if (__builtin_expect(under_valgrind, 0)) {
    while (*text != '\0' && !begins_with(text, wanted)) ++text;
    return *text != '\0' ? text : nullptr;
  }
  for (Vectors vectors(text, *wanted, '\0');; vectors.next()) {
    for (; vectors.found(); vectors.drop()) {
      const char* const place = vectors.place();
      if (*place == '\0') return nullptr;
      if (begins_with(place, wanted)) return place;
    }
  }
}
