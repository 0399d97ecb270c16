#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "http/testing_socket.h"

namespace http {
namespace {

using testing::body_of;
using testing::header_of;
using testing::status_of;

class StaticFiles : public ::testing::Test {
 protected:
  StaticFiles() {
    write("www/index.html", "<html>home");
    write("www/assets/index-Bx1k_9aQ.js", "console.log(1)");
    write("www/assets/index-Bx1k_9aQ.js.gz", "gzipped");
    write("www/assets/index-Bx1k_9aQ.js.br", "brotli");
    write("www/data.txt", "0123456789");
    write("www/.secret", "hidden");
    write("secret.txt", "outside");
    std::filesystem::create_symlink(folder + "/secret.txt", folder + "/www/link.txt");
    write("big.bin", std::string(3'000'000, 'z'));
    router.add(Method::kGet, "/*path", static_files(folder + "/www", "index.html"));
    router.add(Method::kGet, "/recording", [this](const Request&) {
      Response r;
      r.file_path = folder + "/big.bin";
      r.set("content-type", "video/mp4");
      return r;
    });
    router.add(Method::kGet, "/lost", [this](const Request&) {
      Response r;
      r.file_path = folder + "/nothing";
      return r;
    });
    server = std::make_unique<testing::TestServer>(router);
  }
  ~StaticFiles() override {
    server.reset();
    std::filesystem::remove_all(folder);
  }

  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  std::string get(const std::string& path, const std::string& more = "") const {
    return server->ask("GET " + path + " HTTP/1.1\r\nHost: t\r\n" + more + "\r\n");
  }

  std::string folder = testing::temporary_folder();
  Router router;
  std::unique_ptr<testing::TestServer> server;
};

TEST_F(StaticFiles, ServesFilesTheFallbackAndNothingElse) {
  const std::string home = get("/");
  EXPECT_EQ(body_of(home), "<html>home");
  EXPECT_EQ(header_of(home, "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(header_of(home, "cache-control"), "no-cache");
  EXPECT_EQ(body_of(get("/join/ABC123")), "<html>home");
  EXPECT_EQ(body_of(get("/data.txt")), "0123456789");
  EXPECT_EQ(status_of(get("/missing.js")), 404);
  EXPECT_EQ(body_of(get("/assets")), "<html>home");
}

TEST_F(StaticFiles, NeverLeavesItsFolder) {
  for (const char* path :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt", "/link.txt", "/.secret", "/%2fetc%2fpasswd", "/..%5csecret.txt",
        "/assets/../../secret.txt", "//etc/hosts.txt", "/data.txt%00.html"}) {
    const std::string r = get(path);
    EXPECT_THAT(status_of(r), ::testing::AnyOf(400, 404)) << path;
    EXPECT_THAT(r, ::testing::Not(::testing::HasSubstr("outside")));
  }
}

TEST_F(StaticFiles, HashedNamesAreImmutableAndTwinsAreChosen) {
  const std::string plain = get("/assets/index-Bx1k_9aQ.js");
  EXPECT_EQ(body_of(plain), "console.log(1)");
  EXPECT_THAT(header_of(plain, "cache-control"), ::testing::HasSubstr("immutable"));
  EXPECT_EQ(header_of(plain, "vary"), "accept-encoding");
  const std::string gz = get("/assets/index-Bx1k_9aQ.js", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(header_of(gz, "content-encoding"), "gzip");
  EXPECT_EQ(body_of(gz), "gzipped");
  EXPECT_EQ(header_of(gz, "content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(body_of(get("/assets/index-Bx1k_9aQ.js", "Accept-Encoding: gzip, deflate, br\r\n")), "brotli");
  EXPECT_EQ(body_of(get("/assets/index-Bx1k_9aQ.js", "Accept-Encoding: br;q=0, gzip;q=0.5\r\n")), "gzipped");
}

TEST_F(StaticFiles, ConditionsAndRanges) {
  const std::string etag = header_of(get("/data.txt"), "etag");
  ASSERT_FALSE(etag.empty());
  const std::string same = get("/data.txt", "If-None-Match: \"x\", W/" + etag + "\r\n");
  EXPECT_EQ(status_of(same), 304);
  EXPECT_EQ(header_of(same, "content-length"), "");
  EXPECT_EQ(status_of(get("/data.txt", "If-None-Match: \"x\"\r\n")), 200);
  const auto range = [&](const std::string& r, const std::string& more = "") {
    return get("/data.txt", "Range: " + r + "\r\n" + more);
  };
  EXPECT_EQ(body_of(range("bytes=2-4")), "234");
  EXPECT_EQ(header_of(range("bytes=2-4"), "content-range"), "bytes 2-4/10");
  EXPECT_EQ(status_of(range("bytes=2-4")), 206);
  EXPECT_EQ(body_of(range("bytes=7-")), "789");
  EXPECT_EQ(body_of(range("bytes=-3")), "789");
  EXPECT_EQ(body_of(range("bytes=5-500")), "56789");
  EXPECT_EQ(status_of(range("bytes=10-")), 416);
  EXPECT_EQ(header_of(range("bytes=10-"), "content-range"), "bytes */10");
  EXPECT_EQ(status_of(range("bytes=4-2")), 200);
  EXPECT_EQ(status_of(range("bytes=0-1,3-4")), 200);
  EXPECT_EQ(status_of(range("lines=1-2")), 200);
  EXPECT_EQ(status_of(range("bytes=0-1", "If-Range: \"old\"\r\n")), 200);
  EXPECT_EQ(status_of(range("bytes=0-1", "If-Range: " + etag + "\r\n")), 206);
}

TEST_F(StaticFiles, LargeFilesAreStreamedAndLostOnesAre404) {
  EXPECT_EQ(body_of(get("/recording")).size(), 3'000'000U);
  EXPECT_EQ(header_of(get("/recording", "Range: bytes=1000000-1999999\r\n"), "content-length"), "1000000");
  EXPECT_EQ(status_of(get("/lost")), 404);
  testing::RawSocket s = server->connect();
  s.send("HEAD /recording HTTP/1.1\r\nHost: t\r\n\r\nGET /data.txt HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(header_of(s.read_until("\r\n\r\n"), "content-length"), "3000000");
  EXPECT_EQ(body_of(s.read_response()), "0123456789");
}

}  // namespace
}  // namespace http
