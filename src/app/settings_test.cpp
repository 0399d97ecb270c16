#include "app/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

struct File {
  explicit File(const std::string& text)
      : path(std::filesystem::temp_directory_path() / "settings_test.toml") {
    std::ofstream(path) << text;
  }
  ~File() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

TEST(Settings, TheLaterSourceWinsAndIsNamed) {
  const File file(
      "publicApiUrl = \"https://file.example\"\n[listen]\napi = \"127.0.0.1:1\"\nweb = \"127.0.0.1:2\"\n");
  ::setenv("TELEVISIT_LISTEN_API", "127.0.0.1:11", 1);
  const auto settings = app::Settings::load(file.path, {{"listen.web", "127.0.0.1:22"}});
  ::unsetenv("TELEVISIT_LISTEN_API");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->text("publicApiUrl"), "https://file.example");
  EXPECT_EQ(settings->origin("publicApiUrl"), "file " + file.path.string());
  EXPECT_EQ(settings->text("listen.api"), "127.0.0.1:11");
  EXPECT_EQ(settings->origin("listen.api"), "environment TELEVISIT_LISTEN_API");
  EXPECT_EQ(settings->text("listen.web"), "127.0.0.1:22");
  EXPECT_EQ(settings->origin("listen.web"), "flag --web");
  EXPECT_EQ(settings->origin("listen.media"), "default");
}

TEST(Settings, UnknownKeysAndBadValuesAreNamed) {
  const File file("[listen]\napi_port = 5\n");
  const auto unknown = app::Settings::load(file.path, {});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().detail.find("listen.api_port"), std::string::npos);

  const auto settings = app::Settings::load("", {{"listen.api", "8000"}, {"http.workers", "0"}});
  ASSERT_TRUE(settings);
  EXPECT_NE(settings->address("listen.api").error().detail.find("listen.api = '8000'"), std::string::npos);
  EXPECT_EQ(settings->integer("http.workers", 1, 64).error().code, "config_value_invalid");
}

TEST(Settings, PasswordsAreNotShown) {
  const auto settings = app::Settings::load("", {{"database.url", "postgresql://u:hunter2@localhost/x"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->shown("database.url"), "postgresql://u:***@localhost/x");
}

}  // namespace
