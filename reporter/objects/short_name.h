// ShortName: a path component stored inside its owner: most are short, and comparing one touches no
// memory but the entry.
// Longer components are allocated.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace umaskaudit {

class ShortName {
 public:
  ShortName() = default;
  ShortName(ShortName&& other) noexcept { *this = std::move(other); }
  ShortName& operator=(ShortName&& other) noexcept {
    std::memcpy(near_, other.near_, sizeof near_);
    far_ = std::move(other.far_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  void assign(std::string_view text) {
    size_ = static_cast<std::uint32_t>(text.size());
    if (text.size() <= sizeof near_) {
      far_.reset();
      if (!text.empty()) std::memcpy(near_, text.data(), text.size());
    } else {
      far_ = std::make_unique<char[]>(text.size());
      std::memcpy(far_.get(), text.data(), text.size());
    }
  }
  std::string_view view() const { return {far_ ? far_.get() : near_, size_}; }

 private:
  std::uint32_t size_ = 0;
  char near_[28] = {};
  std::unique_ptr<char[]> far_;
};

}  // namespace umaskaudit
