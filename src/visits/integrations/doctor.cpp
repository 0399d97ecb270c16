#include "visits/integrations/doctor.h"

#include <set>

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/integrations/clients.h"
#include "visits/integrations/endpoint_policy.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

struct Verdict {
  std::string status = "pass";
  std::string seen;
  std::string remedy;
};
Verdict pass(std::string seen) {
  return {"pass", std::move(seen), ""};
}
Verdict warn(std::string seen, std::string remedy) {
  return {"warn", std::move(seen), std::move(remedy)};
}
Verdict fail(std::string seen, std::string remedy) {
  return {"fail", std::move(seen), std::move(remedy)};
}

// One run: the checks in order; a check whose prerequisite failed is skipped.
class Doctor {
 public:
  Doctor(Core& core, Integration row) : core_(core), row_(std::move(row)) {}

  std::vector<CheckResult> run() {
    check("row.enabled", {}, [&] { return row_enabled(); });
    check("credentials.secret", {}, [&] { return secrets(); }, true);
    check("credentials.present", {"credentials.secret"}, [&] { return present(); });
    check("credentials.types", {"credentials.secret"}, [&] { return types(); });
    place_secret_check();
    check("endpoint.policy", {"credentials.present"}, [&] { return policy(); });
    check("endpoint.reachable", {"credentials.present", "endpoint.policy"}, [&] { return reachable(); });
    check("clock.skew", {"endpoint.reachable"}, [&] { return skew(); });
    check("token.accepted", {"endpoint.reachable"}, [&] { return accepted(); });
    check("token.control", {"endpoint.reachable"}, [&] { return control(); });
    check("templates.listed", {"token.accepted"}, [&] { return listed(); });
    check("template.id", {"templates.listed"}, [&] { return template_id(); });
    for (const char* id : {"roles.host", "roles.guest", "roles.waiting"})
      check(id, {"template.id"}, [&, id] { return roles(id); });
    return std::move(results_);
  }

 private:
  template <class Work>
  void check(const std::string& id, std::initializer_list<const char*> needs, Work work,
             bool keep_for_later = false) {
    CheckResult result;
    result.id = id;
    for (const char* need : needs)
      if (broken_.contains(need) && result.blocked_by.empty()) result.blocked_by = need;
    if (!result.blocked_by.empty()) {
      result.status = "skipped";
      broken_.insert(id);
    } else {
      const base::SteadyTime started = core_.clock.steady();
      Verdict verdict = work();
      result.duration_ms = (core_.clock.steady() - started).to_millis();
      result.status = verdict.status;
      result.seen = std::move(verdict.seen);
      result.remedy = std::move(verdict.remedy);
      if (result.status == "fail") broken_.insert(id);
    }
    if (keep_for_later)
      secret_ = std::move(result);
    else
      report(std::move(result));
  }

  void report(CheckResult result) {
    telemetry::info("100ms check " + result.id + ": " + result.status);
    results_.push_back(std::move(result));
  }
  // Secrets are opened before the members can be looked at, but listed in the order of the specification.
  void place_secret_check() { report(std::move(secret_)); }

  Verdict row_enabled() const {
    if (row_.vendor_id != "100ms")
      return fail("vendor " + row_.vendor_id + " has no handler", "Use vendor 100ms.");
    if (!row_.enabled)
      return warn("the integration is disabled",
                  "POST /api/integrations/" + row_.id + "/toggle with {\"enabled\":true}.");
    return pass("enabled");
  }

  Verdict secrets() {
    auto opened = open_credentials(core_, row_);
    if (!opened) return fail(opened.error().detail, "Restore the key file, or write the secret again.");
    config_ = read_config(opened->plain);
    if (opened->reenveloped) return pass("a plain secret was found and enveloped");
    return pass("envelopes open");
  }

  Verdict present() const {
    if (config_.missing.empty()) return pass("appId, appSecret, apiEndpoint");
    return fail("absent or a placeholder: " + joined(config_.missing),
                "PUT /api/integrations/" + row_.id + " with these members in credentials.");
  }

  Verdict types() const {
    if (!config_.mistyped.empty()) return fail(joined(config_.mistyped), "Correct these members.");
    if (!config_.without_effect.empty())
      return warn("without effect: " + joined(config_.without_effect), "Remove these members.");
    return pass("all well typed");
  }

  Verdict policy() const {
    auto allowed = check_endpoint(core_.config, config_.api_endpoint, ResolveNames::kYes);
    if (!allowed)
      return fail(allowed.error().detail,
                  "Use an https address with a public host, or name it in allowPrivateEndpoints.");
    return pass(allowed->origin());
  }

  Verdict reachable() {
    video_ = std::make_unique<Video>(row_, config_, core_);
    good_ = video_->client.reach(true);
    if (!*good_)
      return fail(good_->error().detail, "Check apiEndpoint, the network and that the provider runs.");
    const std::string seen =
        video_->client.host() + " answers in " + std::to_string((*good_)->took.to_millis()) + " ms";
    if ((*good_)->took > base::Duration::seconds(1)) return warn(seen, "The way to the provider is slow.");
    return pass(seen);
  }

  Verdict skew() const {
    if (!(*good_)->server_date)
      return warn("the provider sends no Date header", "The clocks cannot be compared.");
    const std::int64_t seconds = std::abs((core_.now() - *(*good_)->server_date).to_seconds());
    const std::string seen = std::to_string(seconds) + " s apart";
    if (seconds <= 5) return pass(seen);
    if (seconds <= 60) return warn(seen, "Set the clock of this machine.");
    return fail(seen, "Set the clock of this machine: tokens are refused.");
  }

  Verdict accepted() const {
    const int status = (*good_)->status;
    if (status == 200) return pass("200");
    if (status == 401 || status == 403)
      return fail(std::to_string(status) + ": the token is refused", "Check appId and appSecret.");
    return fail("the provider answered " + std::to_string(status) + " to GET templates",
                "Check that apiEndpoint is the provider's REST address.");
  }

  Verdict control() {
    auto wrong = video_->client.reach(false);
    if (!wrong) return fail(wrong.error().detail, "Check the network.");
    const std::string seen = std::to_string(wrong->status) + " to a wrongly signed token";
    if (wrong->status == 401 || wrong->status == 403) return pass(seen);
    return fail(seen, "This endpoint does not check credentials: it is not a 100ms service.");
  }

  Verdict listed() {
    auto templates = video_->client.list_templates(video_->client.deadline());
    if (!templates)
      return fail(templates.error().detail, "Check that apiEndpoint is the provider's REST address.");
    if (templates->empty())
      return fail("no template in the workspace",
                  "Create a template with the roles host, guest and waiting-room.");
    templates_ = std::move(*templates);
    return pass(std::to_string(templates_.size()) + (templates_.size() == 1 ? " template" : " templates"));
  }

  Verdict template_id() {
    const std::string& id = config_.template_id;
    std::vector<std::string> fitting;
    for (const provider::Template& t : templates_)
      if (role_faults(t, config_).empty())
        fitting.push_back(t.id + " (" + provider::shown_text(t.name) + ")");
    const std::string remedy =
        fitting.empty() ? "No template fits; create one with the roles host, guest and waiting-room."
                        : "Set it to " + joined(fitting) + ".";
    if (id.empty() && config_.allow_default_template)
      return warn("credentials.templateId is absent; the workspace's default is used", remedy);
    if (id.empty()) return fail("credentials.templateId is absent", remedy);
    if (!base::is_object_id(id)) return fail("credentials.templateId is not 24 hexadecimal digits", remedy);
    for (const provider::Template& t : templates_)
      if (t.id == id) chosen_ = t;
    if (!chosen_) {
      auto read_one = video_->client.get_template(id, video_->client.deadline());
      if (!read_one) return fail(read_one.error().detail, remedy);
      chosen_ = std::move(*read_one);
    }
    return pass(id + " (" + provider::shown_text(chosen_->name) + ")");
  }

  Verdict roles(const std::string& id) const {
    if (!chosen_)
      return warn("no template is chosen", "Set credentials.templateId, then the roles can be checked.");
    if (id == "roles.waiting" && !config_.waiting_by_role)
      return warn("waitingRoomMode is hold: people wait without a role", "");
    std::vector<std::string> faults;
    bool only_warnings = true;
    for (const RoleFault& fault : role_faults(*chosen_, config_)) {
      if (fault.check != id) continue;
      faults.push_back(fault.words);
      only_warnings = only_warnings && fault.warning;
    }
    if (faults.empty()) return pass("as needed");
    const std::string remedy = "Change the role in template " + chosen_->id + ", or roleMap.";
    return only_warnings ? warn(joined(faults), remedy) : fail(joined(faults), remedy);
  }

  Core& core_;
  const Integration row_;
  ProviderConfig config_;
  std::unique_ptr<Video> video_;
  std::optional<provider::Result<provider::Reach>> good_;
  std::vector<provider::Template> templates_;
  std::optional<provider::Template> chosen_;
  CheckResult secret_;
  std::set<std::string> broken_;
  std::vector<CheckResult> results_;
};

json::Array checks_array(const std::vector<CheckResult>& checks) {
  json::Array out;
  for (const CheckResult& c : checks) {
    json::Object o;
    o["id"] = c.id;
    o["status"] = c.status;
    if (!c.seen.empty()) o["seen"] = c.seen;
    if (!c.remedy.empty()) o["remedy"] = c.remedy;
    if (!c.blocked_by.empty()) o["blockedBy"] = c.blocked_by;
    o["durationMs"] = c.duration_ms;
    out.push_back(std::move(o));
  }
  return out;
}

void judge(TestRun& run) {
  run.outcome = "pass";
  for (const CheckResult& c : run.checks) {
    if (c.status == "warn" && run.outcome == "pass") run.outcome = "warn";
    if (c.status != "fail") continue;
    run.outcome = "fail";
    if (run.first_broken.empty()) run.first_broken = c.id;
  }
  run.health_status = run.outcome == "fail" ? "error" : "active";
}

base::Result<void> save(storage::Transaction& t, Core& core, const Principal& principal,
                        const std::string& integration_id, const CheckRun& stored, const TestRun& run,
                        const OptionalText& last_error) {
  if (auto r = store::finish_check_run(t, principal.org_id, stored); !r) return r;
  if (auto r =
          store::save_health(t, principal.org_id, integration_id, run.health_status, core.now(), last_error);
      !r)
    return r;
  json::Object details;
  details["outcome"] = run.outcome;
  if (!run.first_broken.empty()) details["firstBroken"] = run.first_broken;
  return store::log_activity(t,
                             {principal.org_id, integration_id, "tested", run.outcome != "fail",
                              json::serialize(details), std::nullopt, principal.actor},
                             core.now());
}

}  // namespace

Outcome<TestRun> run_test(Core& core, const Principal& principal, const std::string& integration_id,
                          const std::string& origin) {
  const base::SteadyTime started = core.clock.steady();
  CheckRun stored;
  stored.id = core.random.uuid();
  stored.origin = origin;
  stored.started_at = core.now();
  auto row = write(core, [&](storage::Transaction& t) -> base::Result<std::optional<Integration>> {
    auto found = store::find_integration(t, principal.org_id, integration_id);
    if (!found || !*found) return found;
    if (auto r = store::start_check_run(t, principal.org_id, integration_id, stored); !r)
      return base::fail(r.error());
    if (auto r =
            store::save_health(t, principal.org_id, integration_id, "testing", std::nullopt, std::nullopt);
        !r)
      return base::fail(r.error());
    return found;
  });
  if (!row && row.error().code == storage::kUnique)
    return refuse("test_running", "a test of this integration is running");
  if (!row) return refuse(Failure(row.error()));
  if (!*row) return refuse("not_found", "no such integration in this organisation");
  telemetry::info("Testing 100ms connection…");
  TestRun run;
  run.run_id = stored.id;
  run.checks = Doctor(core, std::move(**row)).run();
  judge(run);
  run.checks.push_back({"health.saved", "pass", run.health_status, "", "", 0});
  OptionalText last_error;
  for (const CheckResult& c : run.checks)
    if (c.id == run.first_broken) last_error = c.id + ": " + c.seen;
  stored.finished_at = core.now();
  stored.outcome = run.outcome;
  stored.checks = json::serialize(json::Value(checks_array(run.checks)));
  auto saved = write(core, [&](storage::Transaction& t) {
    return save(t, core, principal, integration_id, stored, run, last_error);
  });
  if (!saved) return refuse(Failure(saved.error()));
  run.duration_ms = (core.clock.steady() - started).to_millis();
  if (run.outcome == "fail")
    telemetry::warn("❌ 100ms connection test failed at " + run.first_broken);
  else
    telemetry::info("✅ 100ms connection test successful");
  return run;
}

json::Object test_object(const TestRun& run) {
  json::Object o;
  o["success"] = run.outcome != "fail";
  o["outcome"] = run.outcome;
  o["runId"] = run.run_id;
  o["durationMs"] = run.duration_ms;
  o["health_status"] = run.health_status;
  if (run.first_broken.empty())
    o["firstBroken"] = nullptr;
  else
    o["firstBroken"] = run.first_broken;
  o["checks"] = checks_array(run.checks);
  return o;
}

Outcome<std::vector<TemplateInfo>> live_templates(Core& core, const Principal& principal,
                                                  const std::string& integration_id) {
  auto row = read(core, [&](storage::Transaction& t) {
    return store::find_integration(t, principal.org_id, integration_id);
  });
  if (!row) return refuse(Failure(row.error()));
  if (!*row) return refuse("not_found", "no such integration in this organisation");
  auto video = core.clients->of(**row);
  if (!video) return refuse(std::move(video.error()));
  auto templates = (*video)->client.list_templates((*video)->client.deadline());
  if (!templates) return refuse(from_provider(templates.error(), "templates.listed"));
  std::vector<TemplateInfo> out;
  for (const provider::Template& t : *templates) {
    TemplateInfo info{t.id, provider::shown_text(t.name), {}, true, {}};
    for (const auto& [name, role] : t.roles) info.roles.push_back(provider::shown_text(name));
    for (const RoleFault& fault : role_faults(t, (*video)->config)) {
      if (fault.warning) continue;
      info.fits = false;
      info.missing.push_back(fault.words);
    }
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace visits
