// Result<T>: a value, or the Error that explains why there is none. Nothing below the command line
// throws or prints: errors are returned up to main, which prints them once, as `umaskaudit: error:
// WHAT (WHY); try HINT`.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace umaskaudit {

// Exit codes of the tool (`run` returns the program's own code).
enum class ExitCode : int {
  clean = 0,
  findings = 1,
  usage = 2,
  unreadable = 3,  // trace unreadable or too incomplete
  internal = 4,
};

struct Error {
  std::string what;  // "cannot open run directory 'x'"
  std::string why;   // "No such file or directory"; may be empty
  std::string hint;  // the next step, "umaskaudit run -o x -- CMD"; may be empty
  ExitCode code = ExitCode::unreadable;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

// For operations without a value.
struct Done {};
using Status = Result<Done>;

}  // namespace umaskaudit
