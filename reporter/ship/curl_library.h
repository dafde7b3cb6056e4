// libcurl, loaded when something is to be sent. Must never be loaded otherwise: with what it needs
// it is thirty libraries, which each command would load when it starts, and no command that sends
// nothing has code that could. Called by http_client.cc.
#pragma once

#include <curl/curl.h>

#include "reporter/base/result.h"

namespace umaskaudit::ship {

// The functions that we call, with the types of the header.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;

  // Loads and initializes it; afterwards the same again. Not thread-safe (curl_global_init(3)).
  // Error: it is not installed, or not as it should be.
  static Result<const CurlLibrary*> get();
};

}  // namespace umaskaudit::ship
