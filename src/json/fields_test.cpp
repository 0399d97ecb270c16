#include "json/fields.h"

#include <gtest/gtest.h>

namespace {

using PatientName = base::Sensitive<struct PatientNameTag>;
using RoomId = base::StrongString<struct RoomIdTag>;

bool is_room_name(std::string_view text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

struct Webhook {
  std::string url;
  std::optional<std::string> secret;
  template <class V>
  static void fields(V& v) {
    v.field("url", &Webhook::url, json::text().max(100).pattern(json::is_http_url_text, "http or https URL"));
    v.field("secret", &Webhook::secret, json::text().min(16));
  }
};

struct Message {
  std::string name;
  std::int64_t size = 10;
  std::optional<bool> enabled;
  std::optional<double> weight;
  std::optional<base::WallTime> at;
  std::optional<Webhook> webhook;
  std::vector<Webhook> hooks;
  std::optional<std::vector<std::string>> tags;
  std::optional<json::Object> extra;
  std::optional<json::Value> anything;
  std::optional<std::optional<std::string>> note;
  std::optional<PatientName> patient;
  std::optional<RoomId> room;
  std::optional<std::string> next;
  int small = 0;
  template <class V>
  static void fields(V& v) {
    v.field("name", &Message::name,
            json::text().min(1).max(8).name().pattern(is_room_name, "room name").alias("room_name"));
    v.field("size", &Message::size, json::integer(2, 100).or_default().lenient());
    v.field("enabled", &Message::enabled, json::boolean().lenient());
    v.field("weight", &Message::weight, json::number(0.5, 300).lenient());
    v.field("at", &Message::at, json::time());
    v.field("webhook", &Message::webhook, json::object());
    v.field("hooks", &Message::hooks, json::list().max(2).or_default());
    v.field("tags", &Message::tags, json::list(json::text().one_of({"a", "b"})));
    v.field("extra", &Message::extra, json::object().max(2));
    v.field("anything", &Message::anything);
    v.field("note", &Message::note, json::text());
    v.field("patient", &Message::patient, json::text().name().max(40));
    v.field("room", &Message::room, json::text().pattern(json::is_object_id_text, "room id"));
    v.field("next", &Message::next, json::text().or_null());
    v.field("small", &Message::small, json::integer().or_default());
  }
};

json::Read<Message> read(std::string_view text, json::Unknown unknown = json::Unknown::kIgnore) {
  return json::read<Message>(json::parse_object(text).value(), unknown);
}

std::string first_error(std::string_view text) {
  const auto got = read(text);
  return got.errors.empty() ? "" : got.errors[0].pointer + " " + got.errors[0].code;
}

TEST(Fields, ReadsEveryType) {
  const auto got =
      read(R"({"name":"room","size":3,"enabled":true,"weight":70.5,"at":"2026-03-02T10:00:00+01:00",
    "webhook":{"url":"https://a.example/x"},"hooks":[{"url":"http://b"}],"tags":["a","b"],"extra":{"k":[1]},
    "anything":[null],"note":null,"patient":"Zoë","room":"66d1f0a2b3c4d5e6f7081920","small":-7})");
  ASSERT_TRUE(got.ok()) << got.errors[0].pointer << got.errors[0].code;
  EXPECT_EQ(got.value.name, "room");
  EXPECT_EQ(got.value.size, 3);
  EXPECT_EQ(got.value.enabled, true);
  EXPECT_EQ(got.value.weight, 70.5);
  EXPECT_EQ(base::format_rfc3339(*got.value.at), "2026-03-02T09:00:00.000Z");
  EXPECT_EQ(got.value.webhook->url, "https://a.example/x");
  EXPECT_EQ(got.value.hooks.at(0).url, "http://b");
  EXPECT_EQ(got.value.tags->size(), 2u);
  EXPECT_EQ(json::serialize(*got.value.extra), R"({"k":[1]})");
  EXPECT_TRUE(got.value.note.has_value());
  EXPECT_FALSE(got.value.note->has_value());
  EXPECT_EQ(got.value.patient->reveal(), "Zoë");
  EXPECT_EQ(got.value.room->str(), "66d1f0a2b3c4d5e6f7081920");
  EXPECT_EQ(got.value.small, -7);
  EXPECT_TRUE(got.ignored.empty());
}

TEST(Fields, AbsentAndNull) {
  const auto got = read(R"({"name":"x","enabled":null,"size":null})");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value.size, 10);
  EXPECT_FALSE(got.value.enabled.has_value());
  EXPECT_FALSE(got.value.note.has_value());
  EXPECT_EQ(first_error("{}"), "/name required");
  EXPECT_EQ(first_error(R"({"name":null})"), "/name type");
}

TEST(Fields, NamesEveryBrokenRule) {
  const std::vector<std::pair<const char*, const char*>> table = {
      {R"({"name":5})", "/name type"},
      {R"({"name":""})", "/name too_short"},
      {R"({"name":"aaaaaaaaa"})", "/name too_long"},
      {R"({"name":"a b"})", "/name pattern"},
      {R"({"name":"a\u0007"})", "/name characters"},
      {R"({"name":"a\u0085"})", "/name characters"},
      {R"({"name":"a\u202eb"})", "/name characters"},
      {R"({"name":"a\u2066b"})", "/name characters"},
      {R"({"name":"x","size":1})", "/size too_small"},
      {R"({"name":"x","size":-5})", "/size too_small"},
      {R"({"name":"x","size":101})", "/size too_large"},
      {R"({"name":"x","size":1.5})", "/size type"},
      {R"({"name":"x","size":1e400})", "/size too_large"},
      {R"({"name":"x","size":-1e400})", "/size too_small"},
      {R"({"name":"x","size":18446744073709551615})", "/size too_large"},
      {R"({"name":"x","size":true})", "/size type"},
      {R"({"name":"x","size":"1.5"})", "/size type"},
      {R"({"name":"x","size":" 5"})", "/size type"},
      {R"({"name":"x","small":2147483648})", "/small too_large"},
      {R"({"name":"x","small":"5"})", "/small type"},
      {R"({"name":"x","enabled":"yes"})", "/enabled type"},
      {R"({"name":"x","enabled":1})", "/enabled type"},
      {R"({"name":"x","weight":1e400})", "/weight too_large"},
      {R"({"name":"x","weight":0.4})", "/weight too_small"},
      {R"({"name":"x","weight":"nan"})", "/weight type"},
      {R"({"name":"x","at":"2026-03-02"})", "/at format"},
      {R"({"name":"x","at":"2026-03-02T09:00:00"})", "/at format"},
      {R"({"name":"x","at":"2026-03-02T09:00:00+01"})", "/at format"},
      {R"({"name":"x","at":"2026-02-30T09:00:00Z"})", "/at format"},
      {R"({"name":"x","at":5})", "/at type"},
      {R"({"name":"x","webhook":[]})", "/webhook type"},
      {R"({"name":"x","webhook":{}})", "/webhook/url required"},
      {R"({"name":"x","webhook":{"url":"ftp://a"}})", "/webhook/url pattern"},
      {R"({"name":"x","webhook":{"url":"https://u@a"}})", "/webhook/url pattern"},
      {R"({"name":"x","webhook":{"url":"https://"}})", "/webhook/url pattern"},
      {R"({"name":"x","hooks":[{"url":"http://b"},{"url":7}]})", "/hooks/1/url type"},
      {R"({"name":"x","hooks":[{},{},{}]})", "/hooks too_many"},
      {R"({"name":"x","hooks":{}})", "/hooks type"},
      {R"({"name":"x","tags":["a","c"]})", "/tags/1 one_of"},
      {R"({"name":"x","tags":[null]})", "/tags/0 type"},
      {R"({"name":"x","extra":{"a":1,"b":2,"c":3}})", "/extra too_many"},
      {R"({"name":"x","extra":{"a":[1e400]}})", "/extra characters"},
      {R"({"name":"x","extra":{"a":"\u0001"}})", "/extra characters"},
      {R"({"name":"x","room":"room_1750000000001"})", "/room pattern"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(first_error(text), expected) << text;
}

TEST(Fields, ReportsAllErrorsAndNeverTheValue) {
  const auto got = read(R"({"name":"SECRET","size":0,"enabled":"SECRET","at":"SECRET","tags":["SECRET"]})");
  EXPECT_EQ(got.errors.size(), 5u);
  for (const auto& error : got.errors) EXPECT_EQ(error.message.find("SECRET"), std::string::npos);
}

TEST(Fields, LenientSwitchesAndAliases) {
  const auto got = read(R"({"room_name":"x","size":"42","enabled":"FALSE","weight":"70.25"})");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value.name, "x");
  EXPECT_EQ(got.value.size, 42);
  EXPECT_EQ(got.value.enabled, false);
  EXPECT_EQ(got.value.weight, 70.25);
  EXPECT_TRUE(got.ignored.empty());
  const auto both = read(R"({"room_name":"y","name":"x"})");
  EXPECT_EQ(both.value.name, "x");
  EXPECT_EQ(both.ignored, std::vector<std::string>{"/room_name"});
}

TEST(Fields, UnknownMembersAreListedOrRefused) {
  const std::string text = R"({"name":"x","__proto__":{},"a/b~":1,"webhook":{"url":"http://b","role":1}})";
  const auto got = read(text);
  EXPECT_TRUE(got.ok());
  EXPECT_EQ(got.ignored, (std::vector<std::string>{"/webhook/role", "/__proto__", "/a~1b~0"}));
  const auto strict = read(text, json::Unknown::kRefuse);
  ASSERT_EQ(strict.errors.size(), 3u);
  EXPECT_EQ(strict.errors[0].code, "unknown");
}

TEST(Fields, WritesWhatItReads) {
  const std::string text =
      R"({"name":"room","size":3,"at":"2026-03-02T09:00:00.000Z","webhook":{"url":"http://b"},"hooks":[{"url":"http://c"}],"note":null,"patient":"Zoë","next":null,"small":0})";
  const auto got = read(text);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(json::serialize(json::write(got.value)), text);
}

TEST(Fields, Schema) {
  const json::Object schema = json::schema<Message>();
  EXPECT_EQ(json::serialize(schema.at("required")), R"(["name"])");
  const auto& properties = schema.at("properties").as_object();
  EXPECT_EQ(json::serialize(properties.at("name")),
            R"({"type":"string","minLength":1,"maxLength":8,"description":"room name"})");
  EXPECT_EQ(json::serialize(properties.at("size")),
            R"({"type":["integer","string"],"minimum":2,"maximum":100})");
  EXPECT_EQ(json::serialize(properties.at("at")), R"({"type":["string","null"],"format":"date-time"})");
  EXPECT_EQ(json::serialize(properties.at("tags")),
            R"({"type":["array","null"],"items":{"type":"string","enum":["a","b"]}})");
  EXPECT_EQ(json::serialize(properties.at("webhook").as_object().at("required")), R"(["url"])");
}

}  // namespace
