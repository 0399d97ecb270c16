#include <cmath>
#include <stdexcept>

#include "storage/database.h"

namespace storage {

namespace {

template <class T>
const T* as(const Param::Variant& value) {
  return std::get_if<T>(&value);
}

[[noreturn]] void wrong_type(std::string_view column, const char* wanted) {
  throw std::logic_error("column " + std::string(column) + " is not " + wanted);
}

}  // namespace

const Param::Variant& Row::at(std::string_view column) const {
  for (std::size_t i = 0; i < names_->size(); ++i)
    if ((*names_)[i] == column) return values_[i];
  throw std::logic_error("no column " + std::string(column) + " in the result");
}

bool Row::is_null(std::string_view column) const {
  return as<Null>(at(column)) != nullptr;
}

std::string Row::text(std::string_view column) const {
  return maybe_text(column).value_or(std::string());
}

std::optional<std::string> Row::maybe_text(std::string_view column) const {
  const auto& value = at(column);
  if (as<Null>(value)) return std::nullopt;
  if (const auto* text = as<std::string>(value)) return *text;
  wrong_type(column, "text");
}

std::int64_t Row::integer(std::string_view column) const {
  const auto& value = at(column);
  if (as<Null>(value)) return 0;
  if (const auto* n = as<std::int64_t>(value)) return *n;
  // sum(bigint) is numeric on PostgreSQL and an integer on SQLite.
  if (const auto* d = as<double>(value); d && std::trunc(*d) == *d && std::abs(*d) <= 9007199254740992.0)
    return static_cast<std::int64_t>(*d);
  wrong_type(column, "an integer");
}

double Row::real(std::string_view column) const {
  const auto& value = at(column);
  if (as<Null>(value)) return 0;
  if (const auto* d = as<double>(value)) return *d;
  if (const auto* n = as<std::int64_t>(value)) return static_cast<double>(*n);
  wrong_type(column, "a number");
}

bool Row::boolean(std::string_view column) const {
  const auto& value = at(column);
  if (as<Null>(value)) return false;
  if (const auto* b = as<bool>(value)) return *b;
  if (const auto* n = as<std::int64_t>(value); n && (*n == 0 || *n == 1)) return *n == 1;
  wrong_type(column, "a boolean");
}

base::WallTime Row::time(std::string_view column) const {
  const auto time = maybe_time(column);
  if (!time) throw std::logic_error("column " + std::string(column) + " is NULL, not a time");
  return *time;
}

std::optional<base::WallTime> Row::maybe_time(std::string_view column) const {
  const auto& value = at(column);
  if (as<Null>(value)) return std::nullopt;
  if (const auto* time = as<base::WallTime>(value)) return *time;
  if (const auto* text = as<std::string>(value))
    if (const auto parsed = base::parse_rfc3339(*text)) return *parsed;
  wrong_type(column, "a time");
}

std::string Row::blob(std::string_view column) const {
  const auto& value = at(column);
  if (as<Null>(value)) return {};
  if (const auto* blob = as<Blob>(value)) return blob->bytes;
  wrong_type(column, "bytes");
}

}  // namespace storage
