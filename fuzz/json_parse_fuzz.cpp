// Foreign text: what the strict parser accepts must survive writing and reading again, in both forms, and the
// tolerant parser must accept it too.
#include <cstdlib>

#include "base/text.h"
#include "json/fields.h"

namespace {

struct Inner {
  std::string text;
  std::optional<std::int64_t> n;
  template <class V>
  static void fields(V& v) {
    v.field("a", &Inner::text, json::text().max(8).name());
    v.field("n", &Inner::n, json::integer(-5, 5).lenient());
  }
};
struct Outer {
  std::optional<Inner> inner;
  std::optional<std::vector<Inner>> list;
  std::optional<base::WallTime> at;
  std::optional<json::Value> any;
  template <class V>
  static void fields(V& v) {
    v.field("o", &Outer::inner);
    v.field("l", &Outer::list, json::list().max(4));
    v.field("t", &Outer::at, json::time());
    v.field("x", &Outer::any);
  }
};

void require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = json::parse(text);
  (void)json::parse_tolerant(text);
  if (!value) return 0;
  require(base::is_valid_utf8(text));
  require(json::parse_tolerant(text).has_value());
  const std::string once = json::serialize(*value);
  const auto again = json::parse(once);
  require(again.has_value());
  require(json::serialize(*again) == once);
  const std::string canonical = json::canonical(*value);
  const auto sorted = json::parse(canonical);
  require(sorted.has_value());
  require(json::canonical(*sorted) == canonical);
  if (const auto* object = value->if_object()) {
    const auto read = json::read<Outer>(*object);
    if (read.ok()) require(json::read<Outer>(json::write(read.value)).ok());
  }
  return 0;
}
