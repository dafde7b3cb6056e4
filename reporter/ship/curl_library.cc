#define CURL_DISABLE_TYPECHECK 1
#include "reporter/ship/curl_library.h"

#include <dlfcn.h>

namespace umaskaudit::ship {
namespace {

// Debian's flavours have one interface: that of OpenSSL, and that of GnuTLS.
constexpr const char* kNames[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

Error no_library(std::string why) {
  return {"cannot send anything", std::move(why), "installing libcurl4", ExitCode::usage};
}

template <typename Function>
bool find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

bool find_all(void* library, CurlLibrary* curl) {
  return find(library, "curl_global_init", &curl->global_init) &&
         find(library, "curl_easy_init", &curl->easy_init) &&
         find(library, "curl_easy_setopt", &curl->easy_setopt) &&
         find(library, "curl_easy_perform", &curl->easy_perform) &&
         find(library, "curl_easy_getinfo", &curl->easy_getinfo) &&
         find(library, "curl_easy_strerror", &curl->easy_strerror) &&
         find(library, "curl_easy_cleanup", &curl->easy_cleanup) &&
         find(library, "curl_slist_append", &curl->slist_append) &&
         find(library, "curl_slist_free_all", &curl->slist_free_all);
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::get() {
  static CurlLibrary curl{};
  if (curl.slist_free_all != nullptr) return &curl;
  void* library = nullptr;
  for (const char* name : kNames)
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return no_library("libcurl.so.4 cannot be loaded");
  CurlLibrary found{};
  if (!find_all(library, &found)) return no_library("libcurl.so.4 is not what it should be");
  if (found.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return no_library("libcurl.so.4 cannot be used");
  curl = found;
  return &curl;
}

}  // namespace umaskaudit::ship
