// Strong types for ids and units: two ids of different kinds do not compare, convert or mix.
//   using RoomId = base::StrongString<struct RoomIdTag>;
//   using Ssrc = base::Strong<std::uint32_t, struct SsrcTag>;
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace base {

template <class T, class Tag>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}
  constexpr const T& get() const { return value_; }
  friend auto operator<=>(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

template <class Tag>
class StrongString {
 public:
  StrongString() = default;
  explicit StrongString(std::string value) : value_(std::move(value)) {}
  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend auto operator<=>(const StrongString&, const StrongString&) = default;

 private:
  std::string value_;
};

}  // namespace base

template <class T, class Tag>
struct std::hash<base::Strong<T, Tag>> {
  std::size_t operator()(const base::Strong<T, Tag>& s) const noexcept { return std::hash<T>{}(s.get()); }
};
template <class Tag>
struct std::hash<base::StrongString<Tag>> {
  std::size_t operator()(const base::StrongString<Tag>& s) const noexcept {
    return std::hash<std::string>{}(s.str());
  }
};
