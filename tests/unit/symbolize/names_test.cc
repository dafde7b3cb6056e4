// Names as people write them.
#include "reporter/symbolize/names.h"

#include <dwarf.h>
#include <gtest/gtest.h>

#include <string>

namespace umaskaudit::symbolize {
namespace {

TEST(Names, Demangled) {
  EXPECT_EQ(demangle("_ZN3zoo6Keeper4feedEi"), "zoo::Keeper::feed(int)");
  EXPECT_EQ(demangle("main"), "main");
  EXPECT_EQ(demangle(""), "");
  EXPECT_EQ(demangle("_Z_main"), "_Z_main");  // begins like one, and is none
  EXPECT_EQ(demangle("_R"), "_R");
}

// As in RFC 2603 of Rust, and in the scheme before it.
TEST(Names, OfRust) {
#ifdef HAVE_LIBIBERTY
  EXPECT_EQ(demangle("_RNvC6_123foo3bar"), "123foo::bar");
  EXPECT_EQ(demangle("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
  EXPECT_EQ(demangle("_ZN33_$LT$Test$u20$as$u20$foo..Bar$GT$3bar17h930b740aa94f1d3aE"),
            "<Test as foo::Bar>::bar");
#else
  EXPECT_EQ(demangle("_RNvC6_123foo3bar"), "_RNvC6_123foo3bar");
#endif
}

TEST(Names, RustHashesAreLeftOut) {
  EXPECT_EQ(demangle("_ZN3foo3bar17h0123456789abcdefE"), "foo::bar");
  EXPECT_EQ(demangle("_ZN3foo3bar17h0123456789abcdeGE"), "foo::bar::h0123456789abcdeG");
}

TEST(Names, EndlessNamesAreCut) {
  const std::string nested = "_Z" + std::string(1 << 20, 'P') + "i";
  EXPECT_LT(demangle(nested.c_str()).size(), std::size_t{1} << 15);
}

TEST(Names, MangledOnes) {
  EXPECT_TRUE(is_mangled("_ZN3foo3barE"));
  EXPECT_TRUE(is_mangled("_RNvC6_123foo3bar"));
  EXPECT_FALSE(is_mangled("__GI_qsort"));
  EXPECT_FALSE(is_mangled(""));
}

TEST(Names, Languages) {
  EXPECT_STREQ(language_name(DW_LANG_C99), "C");
  EXPECT_STREQ(language_name(DW_LANG_C_plus_plus_14), "C++");
  EXPECT_STREQ(language_name(DW_LANG_Rust), "Rust");
  EXPECT_STREQ(language_name(0xFFFFFFFF), "");
}

}  // namespace
}  // namespace umaskaudit::symbolize
