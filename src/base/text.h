// Small text helpers: hex, base64, UTF-8, splitting. No locale anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

std::string to_hex(std::span<const std::uint8_t> bytes);                   // lower case
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);  // either case, even length
std::string to_base64(std::span<const std::uint8_t> bytes);                // RFC 4648 §4, padded
std::optional<std::string> from_base64(std::string_view text);             // padding optional
std::string to_base64url(std::span<const std::uint8_t> bytes);             // RFC 4648 §5, no padding
std::optional<std::string> from_base64url(std::string_view text);          // padding optional

std::string to_lower(std::string_view text);   // ASCII only
std::string to_upper(std::string_view text);   // ASCII only
std::string_view trim(std::string_view text);  // space, tab, CR, LF
bool equals_ignore_case(std::string_view a, std::string_view b);
std::vector<std::string_view> split(std::string_view text, char separator);

// Whole decimal number with nothing around it; nullopt on overflow, sign or rest.
std::optional<std::uint64_t> parse_u64(std::string_view text);

bool is_valid_utf8(std::string_view text);  // no overlong forms, no surrogates, <= U+10FFFF
// Number of Unicode code points; `text` is valid UTF-8.
std::size_t utf8_length(std::string_view text);
// 24 lower-case hex digits: the form of every 100ms object id.
bool is_object_id(std::string_view text);
// 8-4-4-4-12 hex digits, either case.
bool is_uuid(std::string_view text);
// Control characters become \n, \t or \xNN, so that a value cannot forge a log line.
std::string escape_controls(std::string_view text);

}  // namespace base
