// The table of secret names: one row each, globs over the last component of a path.
// Must never list a name that is public as often as not: such names belong into a policy.
#include "reporter/rules/secrets.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace umaskaudit::rules {
namespace {

struct Name {
  std::string_view glob;
  Secrecy secrecy;
};

// The first row that matches decides.
constexpr Name kNames[] = {
    {"*.pub", Secrecy::none},           {"*pub*.pem", Secrecy::none},
    {"*cert*.pem", Secrecy::none},      {"*chain*.pem", Secrecy::none},
    {"*ca*.pem", Secrecy::none},        {"id_rsa", Secrecy::certain},  // ssh-keygen(1)
    {"id_dsa", Secrecy::certain},       {"id_ecdsa*", Secrecy::certain},
    {"id_ed25519*", Secrecy::certain},  {"ssh_host_*_key", Secrecy::certain},
    {"*.key", Secrecy::certain},        {"*key.pem", Secrecy::certain},
    {"*.pem", Secrecy::likely},         {"*.p12", Secrecy::certain},
    {"*.pfx", Secrecy::certain},        {"*.jks", Secrecy::certain},
    {"*.keystore", Secrecy::certain},   {"*.keytab", Secrecy::certain},
    {"*.kdbx", Secrecy::certain},       {"krb5cc_*", Secrecy::certain},
    {".pgpass", Secrecy::certain},      {".netrc", Secrecy::certain},
    {".my.cnf", Secrecy::likely},       {".git-credentials", Secrecy::certain},
    {".htpasswd", Secrecy::likely},     {".npmrc", Secrecy::likely},
    {".pypirc", Secrecy::certain},      {".dockercfg", Secrecy::certain},
    {".vault-token", Secrecy::certain}, {".env", Secrecy::likely},
    {"shadow", Secrecy::likely},        {"gshadow", Secrecy::likely},
    {"credentials", Secrecy::certain},  {"credentials.json", Secrecy::likely},
    {"secring.gpg", Secrecy::certain},  {"secrets.json", Secrecy::likely},
    {"secrets.y*ml", Secrecy::likely},  {"*.secret", Secrecy::certain},
    {"token", Secrecy::likely},         {"*.token", Secrecy::certain},
    {"wallet.dat", Secrecy::certain},
};

// Whether a byte at either end of a glob stands for itself alone.
constexpr bool is_literal(char c) {
  return c != '*' && c != '?' && c != '[' && c != ']' && c != '\\';
}

// Asked for every object of a run: most rows are out by their first or last byte, and fnmatch(3)
// converts both strings to wide characters each time.
bool matches(std::string_view glob, std::string_view name) {
  if (glob.empty()) return false;
  if (is_literal(glob.front()) && glob.front() != name.front()) return false;
  if (is_literal(glob.back()) && glob.back() != name.back()) return false;
  return fnmatch(glob.data(), name.data(), 0) == 0;  // both end in a NUL: see the callers
}

// Which rows of kNames may match a name that begins, or ends, with a byte: one bit for each.
struct Candidates {
  std::array<std::uint64_t, 256> first{}, last{};
};
static_assert(std::size(kNames) <= 64);

constexpr Candidates candidates() {
  Candidates rows;
  for (std::size_t row = 0; row < std::size(kNames); ++row) {
    const auto enter = [row](std::array<std::uint64_t, 256>& bytes, char end) {
      for (std::size_t byte = 0; byte < bytes.size(); ++byte)
        if (!is_literal(end) || byte == static_cast<unsigned char>(end))
          bytes[byte] |= std::uint64_t{1} << row;
    };
    enter(rows.first, kNames[row].glob.front());
    enter(rows.last, kNames[row].glob.back());
  }
  return rows;
}
constexpr Candidates kCandidates = candidates();

}  // namespace

Secrecy secrecy_of(const std::string& path, const std::vector<std::string>& more) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (name.empty()) return Secrecy::none;
  if (std::any_of(more.begin(), more.end(),
                  [&](const std::string& glob) { return matches(glob, name); }))
    return Secrecy::certain;
  std::uint64_t rows = kCandidates.first[static_cast<unsigned char>(name.front())] &
                       kCandidates.last[static_cast<unsigned char>(name.back())];
  for (; rows != 0; rows &= rows - 1) {
    const Name& row = kNames[std::countr_zero(rows)];
    if (matches(row.glob, name)) return row.secrecy;
  }
  return Secrecy::none;
}

}  // namespace umaskaudit::rules
