#include "json/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

struct Bad {
  const char* what;
  std::string text;
};

TEST(JsonParse, RefusesWhatTheSpecificationLists) {
  const std::vector<Bad> table = {
      {"nothing", ""},
      {"white space only", "  "},
      {"not UTF-8", "{\"a\":\"\xff\"}"},
      {"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}"},
      {"surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}"},
      {"beyond U+10FFFF", "{\"a\":\"\xf4\x90\x80\x80\"}"},
      {"cut UTF-8", "{\"a\":\"\xe2\x82\"}"},
      {"bad UTF-8 in a key", "{\"\xff\":1}"},
      {"UTF-16", std::string("{\0\"\0a\0\"\0:\0001\0}\0", 14)},
      {"UTF-16 BOM", "\xff\xfe{}"},
      {"two BOMs", "\xEF\xBB\xBF\xEF\xBB\xBF{}"},
      {"NaN", "{\"a\":NaN}"},
      {"Infinity", "{\"a\":-Infinity}"},
      {"comment", "{/*x*/\"a\":1}"},
      {"line comment", "{} // x"},
      {"trailing comma", "{\"a\":1,}"},
      {"trailing comma in an array", "[1,]"},
      {"trailing data", "{} {}"},
      {"trailing NUL", std::string("{}\0", 3)},
      {"33 levels", nested(33)},
      {"\\u0000", "{\"a\":\"x\\u0000y\"}"},
      {"\\u0000 in a key", "{\"a\\u0000\":1}"},
      {"raw NUL", std::string("{\"a\":\"\0\"}", 9)},
      {"raw control character", "{\"a\":\"\x01\"}"},
      {"lone high surrogate", "{\"a\":\"\\ud800\"}"},
      {"lone high surrogate before text", "{\"a\":\"\\ud800x\"}"},
      {"two high surrogates", "{\"a\":\"\\ud800\\ud800\"}"},
      {"lone low surrogate", "{\"a\":\"\\udc00\"}"},
      {"duplicate member", "{\"a\":1,\"a\":2}"},
      {"duplicate member by escape", "{\"a\":1,\"\\u0061\":2}"},
      {"duplicate member inside", "{\"o\":{\"b\":1,\"c\":2,\"b\":3}}"},
      {"single quotes", "{'a':1}"},
      {"plus sign", "{\"a\":+1}"},
      {"leading zero", "{\"a\":01}"},
      {"hex number", "{\"a\":0x10}"},
      {"bare point", "{\"a\":1.}"},
      {"unfinished", "{\"a\":"},
  };
  for (const auto& bad : table) {
    const auto got = json::parse(bad.text);
    ASSERT_FALSE(got) << bad.what;
    EXPECT_EQ(got.error().code, "json_invalid") << bad.what;
    EXPECT_NE(got.error().detail.find("at byte "), std::string::npos)
        << bad.what << ": " << got.error().detail;
  }
}

TEST(JsonParse, AcceptsWhatIsLegal) {
  EXPECT_TRUE(json::parse("\xEF\xBB\xBF{\"a\":1}"));
  EXPECT_TRUE(json::parse(" \n{\"a\" : [ 1 , 2 ]}\r\n\t "));
  EXPECT_TRUE(json::parse(nested(32)));
  EXPECT_TRUE(json::parse("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"));
  EXPECT_TRUE(json::parse("{\"a\":1e400}"));  // a number beyond its range is the field's matter
  const auto pair = json::parse("[\"\\ud83d\\ude00\"]");
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->as_array()[0].as_string(), "\xF0\x9F\x98\x80");
  EXPECT_TRUE(json::parse("null"));
}

TEST(JsonParse, TheRootOfABodyIsAnObject) {
  EXPECT_TRUE(json::parse_object("{}"));
  for (const char* root : {"null", "[]", "1", "\"x\"", "true"}) {
    const auto got = json::parse_object(root);
    ASSERT_FALSE(got) << root;
    EXPECT_EQ(got.error().code, "json_invalid");
  }
}

TEST(JsonParse, NamesThePlace) {
  const auto got = json::parse("{\"a\":1,,}");
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().detail.find("at byte 7"), std::string::npos) << got.error().detail;
}

TEST(JsonParse, CountsBytesMembersElementsAndNames) {
  json::Limits limits;
  limits.max_bytes = 10;
  EXPECT_EQ(json::parse("{\"a\":1234567}", limits).error().code, "body_too_large");

  std::string members = "{";
  for (int i = 0; i < 1001; ++i) members += (i ? ",\"" : "\"") + std::to_string(i) + "\":1";
  members += "}";
  EXPECT_EQ(json::parse(members).error().code, "validation_failed");

  std::string elements = "[0";
  for (int i = 0; i < 999; ++i) elements += ",0";
  EXPECT_TRUE(json::parse(elements + "]"));
  EXPECT_EQ(json::parse(elements + ",0]").error().code, "validation_failed");

  EXPECT_TRUE(json::parse("{\"" + std::string(256, 'k') + "\":1}"));
  EXPECT_EQ(json::parse("{\"" + std::string(257, 'k') + "\":1}").error().code, "validation_failed");
}

TEST(JsonParse, TolerantKeepsTheLastDuplicate) {
  const auto got = json::parse_tolerant("{\"a\":1,\"a\":2}");
  ASSERT_TRUE(got);
  EXPECT_EQ(json::int_or(got->as_object(), "a", 0), 2);
  EXPECT_FALSE(json::parse_tolerant(nested(33)));
  EXPECT_FALSE(json::parse_tolerant("{} x"));
}

TEST(JsonFind, NeverThrows) {
  const auto object =
      json::parse_object(R"({"s":"x","i":7,"f":7.0,"h":7.5,"b":true,"o":{"k":1},"l":[1],"n":null})").value();
  EXPECT_EQ(json::text_or(object, "s"), "x");
  EXPECT_EQ(json::text_or(object, "i", "d"), "d");
  EXPECT_EQ(json::text_or(object, "absent", "d"), "d");
  EXPECT_EQ(json::int_or(object, "i", 0), 7);
  EXPECT_EQ(json::int_or(object, "f", 0), 7);
  EXPECT_EQ(json::int_or(object, "h", -1), -1);
  EXPECT_TRUE(json::bool_or(object, "b", false));
  EXPECT_FALSE(json::bool_or(object, "n", false));
  ASSERT_NE(json::object_at(object, "o"), nullptr);
  EXPECT_EQ(json::object_at(object, "l"), nullptr);
  ASSERT_NE(json::array_at(object, "l"), nullptr);
  EXPECT_EQ(json::find(object, "absent"), nullptr);
}

TEST(JsonWrite, RoundTripsAndPrintsNumbersAsBrowsersDo) {
  const std::vector<std::pair<double, const char*>> numbers = {
      {36.6, "36.6"},
      {1.5, "1.5"},
      {0.0, "0"},
      {-0.0, "0"},
      {1e21, "1e+21"},
      {1e20, "100000000000000000000"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {123456.789, "123456.789"},
      {-2.5e-9, "-2.5e-9"},
      {4.5, "4.5"},
      {2e-3, "0.002"},
      {333333333.33333329, "333333333.3333333"},
      {1e30, "1e+30"},
      {std::numeric_limits<double>::infinity(), "null"}};
  for (const auto& [number, text] : numbers) EXPECT_EQ(json::serialize(json::Value(number)), text);

  const std::string text = R"({"a":[1,-2,true,null,"q\"\\\n\u0001é"],"b":{}})";
  EXPECT_EQ(json::serialize(json::parse(text).value()), text);
}

TEST(JsonParse, NumbersAreTheNearestDoubles) {
  for (const char* text : {"5.333333333333333e+73", "9007199254740993.5", "2.2250738585072011e-308", "0.1",
                           "1.7976931348623157e+308", "1e-400"}) {
    const auto value = json::parse(text);
    ASSERT_TRUE(value);
    EXPECT_EQ(value->as_double(), std::strtod(text, nullptr)) << text;
  }
  // Found by fuzzing: written and read again it was another number.
  const std::string many = "5" + std::string(73, '3');
  const std::string once = json::serialize(json::parse(many).value());
  EXPECT_EQ(json::serialize(json::parse(once).value()), once);
  EXPECT_EQ(json::parse(many)->as_double(), std::strtod(many.c_str(), nullptr));
}

TEST(JsonWrite, CanonicalFormOfRfc8785) {
  // RFC 8785 §3.2.3.
  const auto value = json::parse(
      "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With "
      "Dagesh\",\"1\":\"One\","
      "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin Small Letter "
      "O With Diaeresis\"}");
  ASSERT_TRUE(value);
  EXPECT_EQ(json::canonical(*value),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\",\"\xC3\xB6\":\"Latin Small "
            "Letter O With "
            "Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\",\"\xF0\x9F\x98\x80\":\"Emoji: Grinning "
            "Face\",\"\xEF\xAC\xB3\":\"Hebrew Letter "
            "Dalet With Dagesh\"}");
}

}  // namespace
