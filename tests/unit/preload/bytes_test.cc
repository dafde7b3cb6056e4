// The library's own functions of string.h (preload/sys/bytes.cc) against libc's, for texts at each
// place of a page's end, behind which nothing can be read.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "preload/sys/sys.h"

extern "C" {
void* own_memmove(void* to, const void* from, std::size_t size);
void* own_memcpy(void* to, const void* from, std::size_t size);
void* own_memset(void* to, int byte, std::size_t size);
int own_memcmp(const void* one, const void* two, std::size_t size);
int own_bcmp(const void* one, const void* two, std::size_t size);
const void* own_memchr(const void* bytes, int byte, std::size_t size);
const void* own_memrchr(const void* bytes, int byte, std::size_t size);
std::size_t own_strlen(const char* text);
std::size_t own_strnlen(const char* text, std::size_t most);
const char* own_strchr(const char* text, int byte);
const char* own_strrchr(const char* text, int byte);
int own_strncmp(const char* one, const char* two, std::size_t most);
int own_strcmp(const char* one, const char* two);
std::size_t own_strspn(const char* text, const char* bytes);
std::size_t own_strcspn(const char* text, const char* bytes);
const char* own_strstr(const char* text, const char* wanted);
}

namespace umaskaudit::shim {

namespace {

constexpr std::size_t kPage = 4096;

// Two pages; a fault behind them.
class Fence {
 public:
  Fence() {
    void* at = mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::abort();
    begin_ = static_cast<char*>(at);
    if (mprotect(end(), kPage, PROT_NONE) != 0) std::abort();
  }
  ~Fence() { munmap(begin_, 3 * kPage); }
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;

  char* end() const { return begin_ + 2 * kPage; }
  // A copy whose last byte is the last that can be read.
  char* put(const std::string& bytes) const {
    return static_cast<char*>(std::memcpy(end() - bytes.size(), bytes.data(), bytes.size()));
  }
  const char* text(const std::string& text) const { return put(text + '\0'); }

 private:
  char* begin_ = nullptr;
};

int sign(int value) { return (value > 0) - (value < 0); }

class Bytes : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { sys::under_valgrind = GetParam(); }
  void TearDown() override { sys::under_valgrind = false; }

  std::string any(std::size_t size, const char* letters) {
    std::string bytes(size, 'a');
    for (char& byte : bytes) byte = letters[random_() % std::strlen(letters)];
    return bytes;
  }

  std::mt19937 random_{1};
  Fence fence_;
  Fence other_;
};

INSTANTIATE_TEST_SUITE_P(BothWays, Bytes, testing::Bool());

TEST_P(Bytes, SearchesEndWithTheText) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (int turn = 0; turn < 20; ++turn) {
      const char* text = fence_.text(any(size, "abc/"));
      EXPECT_EQ(own_strlen(text), size);
      for (const int byte : {'a', '/', 'x', '\0'}) {
        EXPECT_EQ(own_strchr(text, byte), std::strchr(text, byte));
        EXPECT_EQ(own_strrchr(text, byte), std::strrchr(text, byte));
        EXPECT_EQ(own_memchr(text, byte, size + 1), std::memchr(text, byte, size + 1));
        EXPECT_EQ(own_memrchr(text, byte, size + 1), memrchr(text, byte, size + 1));
      }
      for (const std::size_t most : {std::size_t{0}, size / 2, size, size + 1, kPage, SIZE_MAX}) {
        EXPECT_EQ(own_strnlen(text, most), std::min(size, most));
      }
      for (const char* set : {"", "a", "ab", "/x", "abc/"}) {
        EXPECT_EQ(own_strspn(text, set), std::strspn(text, set));
        EXPECT_EQ(own_strcspn(text, set), std::strcspn(text, set));
      }
      for (const char* wanted : {"", "a", "ab", "a/b", "cab/", "x", "aaaaaaaaaaaaaaaaaaaaaaa"}) {
        EXPECT_EQ(own_strstr(text, wanted), std::strstr(text, wanted)) << text;
      }
    }
  }
}

TEST_P(Bytes, WhatIsLookedForBehindTheEndIsNotFound) {
  char* bytes = fence_.put(std::string(40, 'x'));
  for (std::size_t from = 0; from < 20; ++from) {
    for (std::size_t size = 0; from + size < 40; ++size) {
      bytes[from + size] = 'y';
      if (from != 0) bytes[from - 1] = 'y';
      EXPECT_EQ(own_memchr(bytes + from, 'y', size), nullptr);
      EXPECT_EQ(own_memrchr(bytes + from, 'y', size), nullptr);
      EXPECT_EQ(own_strnlen(bytes + from, size), size);
      std::memset(bytes, 'x', 40);
    }
  }
}

TEST_P(Bytes, Comparisons) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (int turn = 0; turn < 40; ++turn) {
      const std::string one = any(size, "ab\xe4");
      std::string two = one;
      if (size != 0 && turn % 4 != 0) two[random_() % size] = "ab\xe4"[random_() % 3];
      if (turn % 5 == 0) two.resize(random_() % (size + 1));
      const char* a = fence_.text(one);
      const char* b = other_.text(two);
      EXPECT_EQ(sign(own_strcmp(a, b)), sign(std::strcmp(a, b)));
      for (const std::size_t most : {std::size_t{0}, size / 2, size, SIZE_MAX}) {
        EXPECT_EQ(sign(own_strncmp(a, b, most)), sign(std::strncmp(a, b, most)));
      }
      const std::size_t both = std::min(one.size(), two.size());
      EXPECT_EQ(sign(own_memcmp(a, b, both)), sign(std::memcmp(a, b, both)));
      EXPECT_EQ(own_bcmp(a, b, both) == 0, std::memcmp(a, b, both) == 0);
    }
  }
}

TEST_P(Bytes, CopiesThatOverlapAndFillings) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size < 100; ++size) sizes.push_back(size);
  for (const std::size_t size : {std::size_t{2047}, std::size_t{2048}, std::size_t{3001}}) {
    sizes.push_back(size);
  }
  for (const std::size_t size : sizes) {
    for (const std::size_t distance : {0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 3500}) {
      const std::string bytes = any(size + distance, "abcdefghijklmnop");
      for (const bool up : {false, true}) {
        std::string expected = bytes;
        std::memmove(&expected[up ? distance : 0], &expected[up ? 0 : distance], size);
        char* here = fence_.put(bytes);
        char* const to = here + (up ? distance : 0);
        EXPECT_EQ(own_memmove(to, here + (up ? 0 : distance), size), to);
        EXPECT_EQ(std::string(here, bytes.size()), expected) << size << ' ' << distance << up;
      }
    }
    const std::string bytes = any(size, "abcdefghijklmnop");
    char* const here = fence_.put('>' + std::string(size, 'x'));
    EXPECT_EQ(own_memcpy(here + 1, other_.put(bytes), size), here + 1);
    EXPECT_EQ(std::string(here, size + 1), '>' + bytes);
    EXPECT_EQ(own_memset(here + 1, 'z', size), here + 1);
    EXPECT_EQ(std::string(here, size + 1), '>' + std::string(size, 'z'));
  }
}

}  // namespace

}  // namespace umaskaudit::shim
