#include "visits/visits.h"

#include <condition_variable>

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/api/support.h"
#include "visits/core/core.h"
#include "visits/demo.h"
#include "visits/integrations/clients.h"
#include "visits/integrations/doctor.h"
#include "visits/meetings/close.h"
#include "visits/meetings/presence.h"
#include "visits/meetings/repair.h"
#include "visits/people/api_keys.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr base::Duration kPresencePeriod = base::Duration::seconds(5);
constexpr base::Duration kOperationPeriod = base::Duration::seconds(30);

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

base::Error error_of(const Failure& failure) {
  return {failure.code, failure.detail};
}

// One background job: posted by a timer, never twice at once, waited for by its destructor.
class Job {
 public:
  Job(net::WorkerPool& pool, std::function<void()> work) : pool_(pool), work_(std::move(work)) {}
  ~Job() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    idle_.wait(lock, [this] { return !running_; });
  }

  void start() {
    std::lock_guard lock(mutex_);
    if (running_ || stopping_) return;
    running_ = pool_.post([this] { run(); });
  }

 private:
  void run() {
    work_();
    std::lock_guard lock(mutex_);
    running_ = false;
    idle_.notify_all();
  }

  net::WorkerPool& pool_;
  const std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace

struct Visits::Impl {
  Impl(Config config, Dependencies dependencies)
      : core(std::move(config), dependencies),
        presence(core),
        watch(core.pool, [this] { presence.run(); }),
        operations(core.pool, [this] { run_operations(core); }) {
    if (!core.config.background) return;
    watch_timer = core.timers.every(kPresencePeriod, [this] { watch.start(); });
    operation_timer = core.timers.every(kOperationPeriod, [this] { operations.start(); });
  }

  base::Result<Principal> operator_of(std::string org_id) {
    if (org_id.empty()) {
      auto org = read(core, [](storage::Transaction& t) { return store::find_demo_organization(t); });
      if (!org) return base::fail(org.error());
      if (!*org)
        return base::fail("not_found", "no organisation was named and there is no demo organisation");
      org_id = (*org)->id;
    }
    return Principal{Principal::Kind::kOperator, base::to_lower(org_id), "operator", Scopes::all()};
  }

  Core core;
  PresenceWatch presence;
  Job watch;
  Job operations;
  net::Timers::Handle watch_timer;  // the timers stop first
  net::Timers::Handle operation_timer;
};

Visits::Visits(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Visits::~Visits() = default;

base::Result<std::unique_ptr<Visits>> Visits::open(Config config, Dependencies dependencies) {
  if (config.open_loopback == "on" && !config.all_listeners_loopback)
    return base::fail("listener_not_loopback",
                      "auth.openLoopback is on, but a listening address is not loopback");
  config.public_api_url = without_slash(std::move(config.public_api_url));
  config.public_web_url = without_slash(std::move(config.public_web_url));
  auto migrations = storage::load_migrations(config.migrations_folder, dependencies.database.backend());
  if (!migrations) return base::fail(migrations.error());
  if (auto done = storage::migrate(dependencies.database, *migrations, dependencies.clock); !done)
    return base::fail(done.error());
  auto aborted = storage::transact(dependencies.database, [&](storage::Transaction& t) {
    return store::abort_open_check_runs(t, dependencies.clock.wall());
  });
  if (!aborted) return base::fail(aborted.error());
  return std::unique_ptr<Visits>(new Visits(std::make_unique<Impl>(std::move(config), dependencies)));
}

void Visits::mount(http::Router& router) {
  const api::Api api{impl_->core, impl_->presence};
  api::mount_service(api, router);
  api::mount_joining(api, router);
  for (const api::StaffRoute& route : api::staff_routes()) api::mount_staff(api, router, route);
}

base::Result<DemoInfo> Visits::init_demo(const DemoSeed& seed) {
  auto info = seed_demo(impl_->core, seed);
  if (info) info->banner = api::banner(impl_->core, info->org_id);
  return info;
}

base::Result<std::optional<DemoInfo>> Visits::demo_info() {
  struct Found {
    std::optional<Organization> org;
    std::vector<Integration> integrations;
  };
  auto found = read(impl_->core, [](storage::Transaction& t) -> base::Result<Found> {
    auto org = store::find_demo_organization(t);
    if (!org) return base::fail(org.error());
    if (!*org) return Found{};
    auto integrations = store::list_integrations(t, (*org)->id);
    if (!integrations) return base::fail(integrations.error());
    return Found{std::move(*org), std::move(*integrations)};
  });
  if (!found) return base::fail(found.error());
  if (!found->org) return std::optional<DemoInfo>{};
  DemoInfo info{found->org->id, found->org->name, {}, api::banner(impl_->core, found->org->id)};
  for (const Integration& row : found->integrations)
    if (row.vendor_id == "100ms" && info.integration_id.empty()) info.integration_id = row.id;
  return std::optional<DemoInfo>(std::move(info));
}

base::Result<TestRun> Visits::test_integration(const std::string& org_id, const std::string& integration_id) {
  auto principal = impl_->operator_of(org_id);
  if (!principal) return base::fail(principal.error());
  auto run = run_test(impl_->core, *principal, integration_id, "cli");
  if (!run) return base::fail(error_of(run.error()));
  return std::move(*run);
}

base::Result<std::vector<TemplateInfo>> Visits::list_templates(const std::string& org_id,
                                                               const std::string& integration_id) {
  auto principal = impl_->operator_of(org_id);
  if (!principal) return base::fail(principal.error());
  auto templates = live_templates(impl_->core, *principal, integration_id);
  if (!templates) return base::fail(error_of(templates.error()));
  return std::move(*templates);
}

base::Result<NewApiKey> Visits::create_api_key(const std::string& org_id, const std::string& name,
                                               const std::vector<std::string>& scopes,
                                               std::optional<base::WallTime> expires_at) {
  auto principal = impl_->operator_of(org_id);
  if (!principal) return base::fail(principal.error());
  if (name.empty() || base::utf8_length(name) > 80)
    return base::fail("validation_failed", "a name has 1 to 80 characters");
  const auto parsed = Scopes::parse(scopes);
  if (!parsed) return base::fail("validation_failed", "a scope does not exist");
  auto issued = issue_key(impl_->core, *principal, {name, *parsed, expires_at});
  if (!issued) return base::fail(error_of(issued.error()));
  return NewApiKey{issued->row.id, issued->row.org_id, issued->row.prefix, std::move(issued->key)};
}

base::Result<void> Visits::revoke_api_key(const std::string& org_id, const std::string& id) {
  auto principal = impl_->operator_of(org_id);
  if (!principal) return base::fail(principal.error());
  if (!base::is_uuid(id)) return base::fail("not_found", "no such live key in this organisation");
  auto revoked = revoke_key(impl_->core, *principal, base::to_lower(id));
  if (!revoked) return base::fail(error_of(revoked.error()));
  return {};
}

std::vector<std::string> Visits::scope_names() {
  return Scopes::all().names();
}

base::Result<RepairReport> Visits::repair_rooms(const RepairOptions& options) {
  return visits::repair_rooms(impl_->core, options);
}

int RepairReport::exit_code() const {
  for (const RepairedRoom& room : rooms)
    if (room.action == "listed" || room.action == "failed") return 1;
  return rooms.empty() ? 0 : 2;
}

void Visits::run_housekeeping() {
  impl_->presence.run();
  run_operations(impl_->core);
}

}  // namespace visits
