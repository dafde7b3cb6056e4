// The table of secret names: one row each, globs over the last component of a path.
// Must never list a name that is public as often as not: such names belong into a policy.
#include "reporter/rules/secrets.h"

#include <fnmatch.h>

#include <algorithm>

namespace umaskaudit::rules {
namespace {

struct Name {
  const char* glob;
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

bool matches(const char* glob, const std::string& name) {
  return fnmatch(glob, name.c_str(), 0) == 0;
}

}  // namespace

Secrecy secrecy_of(const std::string& path, const std::vector<std::string>& more) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (name.empty()) return Secrecy::none;
  if (std::any_of(more.begin(), more.end(),
                  [&](const std::string& glob) { return matches(glob.c_str(), name); }))
    return Secrecy::certain;
  for (const Name& row : kNames)
    if (matches(row.glob, name)) return row.secrecy;
  return Secrecy::none;
}

}  // namespace umaskaudit::rules
