// API keys and the scopes of every route of the table (visit-api.md §3.2, fault B-04).
#include <gtest/gtest.h>

#include "base/text.h"
#include "visits/api/support.h"
#include "visits/testing_clinic.h"

namespace {

using visits::Scope;
using visits::Scopes;
using visits::testing::Clinic;

constexpr const char* kOther = "0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01";

class KeysTest : public ::testing::TestWithParam<storage::Backend> {
 protected:
  KeysTest() {
    const std::string no = GetParam() == storage::Backend::kSqlite ? "0" : "false";
    clinic_.sql(std::string("INSERT INTO organizations (id, name, demo, fhir_system_base) VALUES ('") +
                kOther + "', 'Other', " + no + ", 'http://x/ids')");
  }
  visits::NewApiKey key(const std::string& org_id, const Scopes& scopes) {
    auto made = clinic_.visits->create_api_key(org_id, "key " + std::to_string(++keys_), scopes.names(), {});
    if (!made) throw std::runtime_error(made.error().code + ": " + made.error().detail);
    return std::move(*made);
  }
  Clinic::Answer as(const std::string& key, const std::string& method, const std::string& path,
                    const std::string& body = "", std::vector<http::Header> headers = {}) {
    if (!key.empty()) headers.emplace_back("authorization", "Bearer " + key);
    return clinic_.call(method, path, body, std::move(headers), false);
  }
  Clinic clinic_{GetParam(), false, [](visits::Config& config) { config.open_loopback = "off"; }};
  int keys_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Databases, KeysTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

// A body that passes where one is demanded, so that the ids decide.
std::string body_for(const std::string& path) {
  if (path.ends_with("/cancel")) return R"({"reasonCode":"other"})";
  if (path.ends_with("/no-show")) return R"({"who":"both"})";
  if (path.ends_with("/toggle")) return R"({"enabled":false})";
  return "";
}

TEST_P(KeysTest, EveryRouteRefusesWhoeverMayNot) {
  const std::string all = key(clinic_.org_id, Scopes::all()).key.reveal();
  const std::string other = key(kOther, Scopes::all()).key.reveal();
  const auto dead_key = key(clinic_.org_id, Scopes::all());
  ASSERT_TRUE(clinic_.visits->revoke_api_key(clinic_.org_id, dead_key.id));
  auto brief = clinic_.visits->create_api_key(clinic_.org_id, "brief", Scopes::all().names(),
                                              clinic_.clock.wall() + base::Duration::seconds(10));
  ASSERT_TRUE(brief);
  clinic_.clock.advance(base::Duration::seconds(11));
  const auto visit = as(all, "POST", "/api/virtual-meetings/instant");
  ASSERT_EQ(visit.status, 201) << visit.text;

  std::size_t checked = 0;
  for (const auto& route : visits::api::staff_routes()) {
    std::string path = route.path;
    const auto put = [&](const std::string& name, const std::string& value) {
      if (const auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    };
    const bool of_visit = path.find("virtual-meetings/:id") != std::string::npos;
    const bool of_key = path.find("api-keys/:id") != std::string::npos;
    const bool of_fhir = path.find("/fhir/") == 0;
    const bool names_an_object =
        path.find(':') != std::string::npos && path.find(":vendorId") == std::string::npos;
    put(":vendorId", "100ms");
    put(":appointmentId", "ap-1001");
    put(":orgId", clinic_.org_id);
    put(":vid", "1");
    if (path.find("/Encounter/") != std::string::npos) put(":id", "an-encounter");
    put(":id", of_visit  ? visit.at("id")
               : of_key  ? dead_key.id
               : of_fhir ? path.find("Patient") != std::string::npos        ? "pt-88"
                           : path.find("Practitioner") != std::string::npos ? "dr-12"
                                                                            : "ap-1001"
                         : clinic_.integration_id);
    const std::string method(http::to_string(route.method));
    const std::string what = method + " " + path;
    const std::string body = body_for(path);
    const std::vector<http::Header> match{{"if-match", "*"}};

    EXPECT_EQ(as("", method, path, body).status, 401) << what;
    EXPECT_EQ(as("tvk_aaaaaaaa_" + std::string(43, 'x'), method, path, body).status, 401) << what;
    EXPECT_EQ(as("tvt_" + std::string(43, 'x'), method, path, body).status, 401) << what;
    EXPECT_EQ(as(dead_key.key.reveal(), method, path, body).status, 401) << what;
    EXPECT_EQ(as(brief->key.reveal(), method, path, body).status, 401) << what;
    EXPECT_EQ(as(other, method, path, body, {{"x-org-id", clinic_.org_id}}).status, 403) << what;
    if (route.scope != Scope::kAny) {
      static std::map<std::string, std::string> lacking;  // one key per scope and database
      std::string& key_without = lacking[clinic_.org_id + std::string(visits::to_string(route.scope))];
      if (key_without.empty())
        key_without = key(clinic_.org_id, Scopes::all().without(route.scope)).key.reveal();
      const auto refused = as(key_without, method, path, body);
      EXPECT_EQ(refused.status, 403) << what << refused.text;
      EXPECT_NE(refused.text.find(visits::to_string(route.scope)), std::string::npos) << what;
    }
    if (names_an_object) {
      const auto foreign = as(other, method, path, body, match);
      EXPECT_TRUE(foreign.status == 403 || foreign.status == 404) << what << " " << foreign.text;
    }
    ++checked;
  }
  EXPECT_GE(checked, 28u);
  // Nothing of all this changed anything.
  EXPECT_EQ(as(all, "GET", "/api/virtual-meetings/" + visit.at("id")).at("status"), "scheduled");
  EXPECT_EQ(clinic_.count("virtual_meetings"), 1);
}

TEST_P(KeysTest, AKeyMakesAVisitWithItsScopesAndNoMore) {
  const std::string ehr =
      key(clinic_.org_id, Scopes().with(Scope::kMeetingsWrite).with(Scope::kMeetingsRead)).key.reveal();
  const auto made = as(ehr, "POST", "/api/virtual-meetings/appointment/ap-1001");
  ASSERT_EQ(made.status, 201) << made.text;
  const auto events = as(ehr, "GET", "/api/virtual-meetings/" + made.at("id") + "/events");
  EXPECT_NE(events.text.find("\"kind\":\"api_key\""), std::string::npos) << events.text;
  EXPECT_EQ(as(ehr, "POST", "/api/virtual-meetings/" + made.at("id") + "/end").at("code"), "forbidden_scope");
  EXPECT_EQ(as(ehr, "GET", "/api/api-keys").at("code"), "forbidden_scope");
  EXPECT_EQ(as(ehr, "GET", "/fhir/R4/Patient/pt-88").at("resourceType"), "OperationOutcome");
  EXPECT_EQ(as(ehr, "GET", "/api/virtual-meetings/org/" + std::string(kOther)).at("code"), "org_mismatch");
}

TEST_P(KeysTest, KeysAreShownOnceStoredHashedAndRevokedAtOnce) {
  const std::string admin = key(clinic_.org_id, Scopes::all()).key.reveal();
  const auto made =
      as(admin, "POST", "/api/api-keys", R"({"name":"ehr backend","scopes":["meetings:write"]})");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string secret = made.at("key");
  EXPECT_EQ(secret.rfind("tvk_" + made.at("prefix") + "_", 0), 0u);
  EXPECT_EQ(secret.size(), 4u + 8 + 1 + 43);
  EXPECT_EQ(as(admin, "GET", "/api/api-keys").text.find(secret), std::string::npos);
  auto rows = clinic_.fresh.db().query("SELECT key_hash FROM api_keys WHERE name = 'ehr backend'");
  ASSERT_TRUE(rows && rows->rows.size() == 1);
  EXPECT_EQ(rows->rows[0].blob("key_hash").size(), 32u);
  EXPECT_EQ(rows->rows[0].blob("key_hash").find(secret), std::string::npos);
  EXPECT_EQ(as(secret, "POST", "/api/virtual-meetings/instant").status, 201);

  EXPECT_EQ(as(admin, "POST", "/api/api-keys", R"({"name":"ehr backend","scopes":["admin"]})").at("code"),
            "conflict");
  for (const char* body :
       {R"({"name":"x","scopes":[]})", R"({"name":"x","scopes":["everything"]})",
        R"({"name":"","scopes":["admin"]})",
        R"({"name":"x","scopes":["admin"],"expiresAt":"2001-01-01T00:00:00Z"})", R"({"scopes":["admin"]})"})
    EXPECT_EQ(as(admin, "POST", "/api/api-keys", body).status, 422) << body;
  const std::string half = key(clinic_.org_id, Scopes().with(Scope::kAdmin)).key.reveal();
  EXPECT_EQ(as(half, "POST", "/api/api-keys", R"({"name":"more","scopes":["meetings:write"]})").at("code"),
            "forbidden_scope");

  EXPECT_EQ(as(admin, "DELETE", "/api/api-keys/" + made.at("id")).status, 204);
  EXPECT_EQ(as(secret, "POST", "/api/virtual-meetings/instant").status, 401);
  EXPECT_EQ(as(admin, "DELETE", "/api/api-keys/" + made.at("id")).status, 404);
}

TEST_P(KeysTest, SettingsThatHaveAnEffectCanBeChanged) {
  const std::string admin = key(clinic_.org_id, Scopes::all()).key.reveal();
  const auto before = as(admin, "GET", "/api/org");
  ASSERT_EQ(before.status, 200) << before.text;
  const std::vector<http::Header> match{{"if-match", std::string(before.raw.header("etag"))}};
  const std::string strict = R"({"settings":{"referencePolicy":"strict","joinWindowBeforeMin":null}})";
  EXPECT_EQ(as(admin, "PATCH", "/api/org", strict).status, 428);
  for (const char* body : {R"({"settings":{"noShowMin":1}})", R"({"settings":{"fhirPush":true}})",
                           R"({"settings":{"publicLinkPolicy":"everybody"}})", R"({"settings":[]})"})
    EXPECT_EQ(as(admin, "PATCH", "/api/org", body, match).status, 422) << body;
  const auto changed = as(admin, "PATCH", "/api/org", strict, match);
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(json::text_or(*json::object_at(changed.body, "settings"), "referencePolicy"), "strict");
  EXPECT_FALSE(json::object_at(changed.body, "settings")->contains("joinWindowBeforeMin"));
  EXPECT_EQ(as(admin, "PATCH", "/api/org", strict, match).status, 412);
  EXPECT_EQ(as(admin, "POST", "/api/virtual-meetings/instant", R"({"patientId":"nobody"})").at("code"),
            "reference_unknown");
}

TEST_P(KeysTest, OpenLoopbackIsNoAdministrator) {
  Clinic open(GetParam());
  EXPECT_EQ(open.get("/api/api-keys").at("code"), "forbidden_scope");
  EXPECT_EQ(open.post("/api/api-keys", R"({"name":"x","scopes":["admin"]})").at("code"), "forbidden_scope");
  auto made = open.visits->create_api_key("", "bootstrap", {"meetings:read"}, {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->org_id, open.org_id);
  EXPECT_FALSE(open.visits->create_api_key("", "bad", {"nonsense"}, {}));
  EXPECT_FALSE(open.visits->create_api_key(kOther, "bad", {"admin"}, {}));
}

}  // namespace
