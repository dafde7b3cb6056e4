// The search for the next definitions, against the loader's own: dlsym(3) with RTLD_NEXT.
// Run by meson, with a library of next_definitions.c in front of libc.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "preload/sys/real.h"

extern "C" int next_definitions_version();

namespace umaskaudit::shim {

namespace {

void* found(Call call) { return real_functions[static_cast<unsigned>(call)].load(); }

class Real : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(next_definitions_version(), 1);  // linked, so loaded in front of libc
    resolve_all();
  }
};

TEST_F(Real, EachNameIsWhatTheLoaderFinds) {
  unsigned there = 0;
  for (unsigned call = 0; call < kCalls; ++call) {
    const char* name = call_name(static_cast<Call>(call));
    EXPECT_EQ(real_functions[call].load(), dlsym(RTLD_NEXT, name)) << name;
    there += real_functions[call].load() != nullptr ? 1 : 0;
  }
  EXPECT_GT(there, kCalls / 2);
}

#if defined(__x86_64__)
TEST_F(Real, SoAreTheOldVersions) {
  EXPECT_EQ(old_spawn_functions[0], dlvsym(RTLD_NEXT, "posix_spawn", kOldSpawnVersion));
  EXPECT_EQ(old_spawn_functions[1], dlvsym(RTLD_NEXT, "posix_spawnp", kOldSpawnVersion));
}
#endif

// Each of which libc has, too.
TEST_F(Real, ALibraryInFrontOfLibcComesFirst) {
  auto* const fifo = reinterpret_cast<int (*)(const char*, unsigned)>(found(Call::mkfifo));
  EXPECT_EQ(fifo("", 0), 1001);
  auto* const chosen = reinterpret_cast<int (*)(const char*, unsigned)>(found(Call::mkdir));
  EXPECT_EQ(chosen("", 0), 1002);
  auto* const weak = reinterpret_cast<int (*)(const char*, unsigned)>(found(Call::creat));
  EXPECT_EQ(weak("", 0), 1003);
}

// Hidden there: libc's.
TEST_F(Real, WhatALibraryKeepsToItselfIsNotFound) {
  EXPECT_EQ(found(Call::chmod), dlsym(RTLD_NEXT, "chmod"));
  EXPECT_NE(found(Call::chmod), nullptr);
}

}  // namespace

}  // namespace umaskaudit::shim
