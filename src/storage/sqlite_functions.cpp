#include "storage/sqlite_functions.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace storage {

namespace {

// A text array literal: '{a,"b c",\,}'. Elements are trimmed unless quoted; an unquoted NULL and an empty
// element are refused, as PostgreSQL does.
std::optional<std::vector<std::string>> parse_text_array(std::string_view text) {
  text = base::trim(text);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> out;
  if (base::trim(text).empty()) return out;
  std::size_t i = 0;
  const auto skip_space = [&] {
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r')) ++i;
  };
  while (true) {
    skip_space();
    std::string element;
    if (i < text.size() && text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && ++i == text.size()) return std::nullopt;
        element += text[i];
      }
      if (i++ >= text.size()) return std::nullopt;
      skip_space();
    } else {
      std::size_t kept = 0;
      for (; i < text.size() && text[i] != ','; ++i) {
        if (text[i] == '"' || text[i] == '{' || text[i] == '}') return std::nullopt;
        const bool escaped = text[i] == '\\';
        if (escaped && ++i == text.size()) return std::nullopt;
        element += text[i];
        if (escaped || text[i] != ' ') kept = element.size();
      }
      element.resize(kept);
      if (element.empty() || base::equals_ignore_case(element, "null")) return std::nullopt;
    }
    out.push_back(std::move(element));
    if (i == text.size()) return out;
    if (text[i++] != ',') return std::nullopt;
  }
}

// One text-or-null answer of a statement on text arguments; `ok` is false when it failed.
struct Answer {
  bool ok = false;
  std::optional<std::string> text;
};

Answer ask(sqlite3* db, const char* sql, const std::vector<std::string>& arguments) {
  sqlite3_stmt* statement = nullptr;
  Answer answer;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) return answer;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    sqlite3_bind_text64(statement, static_cast<int>(i) + 1, arguments[i].data(), arguments[i].size(),
                        SQLITE_STATIC, SQLITE_UTF8);
  if (sqlite3_step(statement) == SQLITE_ROW) {
    answer.ok = true;
    if (const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)))
      answer.text = std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
  }
  sqlite3_finalize(statement);
  return answer;
}

std::string argument(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string();
}

void answer_json(sqlite3_context* context, const std::string& text) {
  constexpr unsigned kJsonSubtype = 'J';  // what SQLite's own JSON functions mark their answers with
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  sqlite3_result_subtype(context, kJsonSubtype);
}

void answer_error(sqlite3_context* context, const char* message) {
  sqlite3_result_error(context, message, -1);
}

void put_at(sqlite3_context* context, const std::string& target, const std::string& path,
            const std::string& value) {
  const auto changed =
      ask(sqlite3_context_db_handle(context), "SELECT json_set(?1, ?2, json(?3))", {target, path, value});
  if (!changed.ok || !changed.text) return answer_error(context, "jsonb_set: cannot set this path");
  answer_json(context, *changed.text);
}

void set_at(sqlite3_context* context, const std::string& target, const std::vector<std::string>& steps,
            const std::string& value) {
  sqlite3* db = sqlite3_context_db_handle(context);
  std::string path = "$";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool last = i + 1 == steps.size();
    const auto type = ask(db, "SELECT json_type(?1, ?2)", {target, path});
    if (!type.ok) return answer_error(context, "jsonb_set: cannot follow this path");
    if (type.text == "object") {
      // SQLite 3.40 cannot name a member with a quote in it.
      if (steps[i].find('"') != std::string::npos)
        return answer_error(context, "jsonb_set: a quote in a member name");
      path += ".\"" + steps[i] + "\"";
      continue;
    }
    if (type.text != "array") {
      if (i == 0) return answer_error(context, "jsonb_set: cannot set path in scalar");
      return answer_json(context, target);  // an earlier step is missing: unchanged
    }
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(steps[i].data(), steps[i].data() + steps[i].size(), index);
    if (error != std::errc{} || end != steps[i].data() + steps[i].size())
      return answer_error(context, "jsonb_set: an array's path element is not an integer");
    const auto length_text = ask(db, "SELECT json_array_length(?1, ?2)", {target, path}).text.value_or("0");
    const auto length = static_cast<std::int64_t>(base::parse_u64(length_text).value_or(0));
    if (index < 0) index += length;
    if (index >= 0 && index < length) {
      path += "[" + std::to_string(index) + "]";
      continue;
    }
    if (!last) return answer_json(context, target);
    if (index >= length) return put_at(context, target, path + "[#]", value);
    const std::string elements = ask(db, "SELECT json_extract(?1, ?2)", {target, path}).text.value_or("[]");
    return put_at(context, target, path,
                  length == 0 ? "[" + value + "]" : "[" + value + "," + elements.substr(1));
  }
  put_at(context, target, path, value);
}

void jsonb_set(sqlite3_context* context, int count, sqlite3_value** arguments) {
  for (int i = 0; i < count; ++i)
    if (sqlite3_value_type(arguments[i]) == SQLITE_NULL) return sqlite3_result_null(context);
  sqlite3* db = sqlite3_context_db_handle(context);
  const std::string target = argument(arguments[0]);
  const std::string value = argument(arguments[2]);
  if (ask(db, "SELECT json_valid(?1) AND json_valid(?2)", {target, value}).text != "1")
    return answer_error(context, "jsonb_set: invalid JSON");
  const auto steps = parse_text_array(argument(arguments[1]));
  if (!steps) return answer_error(context, "jsonb_set: the path is not of the form {a,b}");
  if (steps->empty()) {
    const auto type = ask(db, "SELECT json_type(?1)", {target}).text;
    if (type != "object" && type != "array")
      return answer_error(context, "jsonb_set: cannot set path in scalar");
    return answer_json(context, target);
  }
  set_at(context, target, *steps, value);
}

}  // namespace

int register_jsonb_set(sqlite3* db) {
  return sqlite3_create_function_v2(db, "jsonb_set", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                    nullptr, jsonb_set, nullptr, nullptr, nullptr);
}

}  // namespace storage
