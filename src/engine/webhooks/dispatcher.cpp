#include "engine/webhooks/dispatcher.h"

#include <array>

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "telemetry/log.h"

namespace engine {

namespace {

constexpr int kSenders = 4;
constexpr std::int64_t kBatch = 64;
constexpr base::Duration kTimeout = base::Duration::seconds(10);
constexpr std::array kPauses = {base::Duration::seconds(1), base::Duration::seconds(3),
                                base::Duration::seconds(10)};
constexpr base::Duration kHistory = base::Duration::seconds(30 * 86400);
constexpr base::WallTime kNever{INT64_MAX};

}  // namespace

Dispatcher::Dispatcher(Store& store, const base::Clock& clock, telemetry::Metrics& metrics, Options options)
    : store_(store),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      senders_(std::make_unique<net::WorkerPool>("webhooks", kSenders)),
      thread_([this] { loop(); }) {}

Dispatcher::~Dispatcher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  senders_.reset();
}

void Dispatcher::poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_all();
}

void Dispatcher::loop() {
  for (;;) {
    bool look = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::microseconds(options_.tick.us),
                     [this] { return stopping_ || poked_; });
      if (stopping_) return;
      look = std::exchange(poked_, false);
    }
    if (look || next_due_ <= clock_.wall()) start_due();
    if (next_prune_ <= clock_.wall()) {
      next_prune_ = clock_.wall() + base::Duration::seconds(3600);
      if (auto pruned = store_.forget_deliveries(clock_.wall() - kHistory); !pruned)
        telemetry::warn("old webhook deliveries were not removed", {{"code", pruned.error().code}});
    }
  }
}

void Dispatcher::start_due() {
  const auto now = clock_.wall();
  // Read before the outbox is: a room that is done meanwhile may still show the event it has just sent. Its
  // poke() brings us back.
  std::set<std::string> busy;
  {
    const std::lock_guard lock(mutex_);
    busy = under_way_;
  }
  auto due = store_.due_deliveries(now, kBatch);
  auto next = store_.next_delivery_at();
  if (!due || !next) {
    telemetry::error("the webhook outbox cannot be read",
                     {{"code", due ? next.error().code : due.error().code}});
    next_due_ = now + base::Duration::seconds(2);
    return;
  }
  next_due_ = next->value_or(kNever);
  for (auto& delivery : *due) {
    if (busy.contains(delivery.room_id)) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!under_way_.insert(delivery.room_id).second) continue;
    }
    const std::string room = delivery.room_id;
    const bool posted = senders_->post([this, delivery = std::move(delivery)] {
      bool stopping = false;
      {
        const std::lock_guard lock(mutex_);
        stopping = stopping_;
      }
      if (!stopping) deliver(delivery);
      {
        const std::lock_guard lock(mutex_);
        under_way_.erase(delivery.room_id);
      }
      poke();
    });
    if (!posted) {
      const std::lock_guard lock(mutex_);
      under_way_.erase(room);
    }
  }
}

void Dispatcher::deliver(const WebhookDelivery& delivery) {
  auto target = store_.webhook_target(delivery.workspace_id, delivery.room_id);
  if (!target) {
    telemetry::error("a webhook's target cannot be read",
                     {{"code", target.error().code}, {"room", delivery.room_id}});
    return record(delivery, false, std::nullopt, "the target cannot be read");
  }
  if (!*target) return record(delivery, false, std::nullopt, "no webhook is set any more");
  http::ClientRequest request;
  request.method = "POST";
  request.url = (*target)->url;
  request.headers = {{"content-type", "application/json"}, {"user-agent", "televisit"}};
  for (const auto& header : (*target)->headers) request.headers.push_back(header);
  request.headers.emplace_back("x-100ms-signature",
                               base::to_hex(crypto::hmac_sha256(base::as_bytes((*target)->secret.reveal()),
                                                                base::as_bytes(delivery.body))));
  request.body = delivery.body;
  request.total_timeout = kTimeout;
  request.max_body = 64 * 1024;
  request.address_allowed = options_.address_allowed;
  const auto answer = client_.send(request);
  if (!answer)
    return record(delivery, false, std::nullopt, std::string(http::to_string(answer.error().failure)));
  const bool delivered = answer->status >= 200 && answer->status < 300;
  record(delivery, delivered, answer->status, delivered ? std::string() : "the receiver refused");
}

void Dispatcher::record(const WebhookDelivery& delivery, bool delivered, std::optional<std::int64_t> status,
                        const std::string& error) {
  const auto now = clock_.wall();
  const auto attempts = delivery.attempts + 1;
  DeliveryOutcome outcome;
  outcome.seq = delivery.seq;
  outcome.attempts = attempts;
  outcome.last_status = status;
  outcome.last_error = error;
  if (delivered) {
    outcome.status = "success";
    outcome.finished_at = now;
  } else if (attempts > static_cast<std::int64_t>(kPauses.size())) {
    outcome.status = "failed";
    outcome.finished_at = now;
  } else {
    outcome.status = "pending";
    outcome.next_attempt_at = now + kPauses[static_cast<std::size_t>(attempts - 1)];
  }
  metrics_.counter("engine_webhook_attempts_total", "Webhook requests sent").add();
  telemetry::info("webhook", {{"room", delivery.room_id},
                              {"event", delivery.id},
                              {"type", delivery.type},
                              {"attempt", attempts},
                              {"status", status.value_or(0)},
                              {"outcome", outcome.status}});
  if (auto stored = store_.put_outcome(outcome); !stored) {
    // It stays as it was and is sent again: a receiver tells doubles by the id.
    telemetry::error("a webhook's outcome was not stored",
                     {{"code", stored.error().code}, {"event", delivery.id}});
  }
}

}  // namespace engine
