// Paint: whether to use colour, decided once and passed by value.
// Must never add a byte when colour is off.
#pragma once

#include <string>
#include <string_view>

namespace umaskaudit {

enum class Style { plain, strong, dim, good, warning, bad };

class Paint {
 public:
  explicit Paint(bool colour) : colour_(colour) {}
  // `text` must be escaped already.
  std::string operator()(Style style, std::string_view text) const;

 private:
  bool colour_;
};

}  // namespace umaskaudit
