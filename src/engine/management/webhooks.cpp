// The workspace's webhook and secret, what was delivered, and sending it again (100ms-server-api.md §6.10,
// §7).
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "engine/management/api.h"
#include "engine/management/bodies.h"
#include "telemetry/log.h"

namespace engine {

namespace {

constexpr base::Duration kDay = base::Duration::seconds(86400);
constexpr std::int64_t kMaxWindowDays = 14, kHistoryDays = 30, kMaxReplay = 50000;
constexpr base::Duration kReplayPace = base::Duration::millis(100);  // 10 events a second
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_header_name(std::string_view name) {
  static constexpr std::string_view kOurs[] = {"content-type",      "content-length",    "host",
                                               "x-100ms-signature", "transfer-encoding", "connection"};
  if (name.empty() || name.size() > 100) return false;
  if (!std::all_of(name.begin(), name.end(),
                   [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; }))
    return false;
  return std::none_of(std::begin(kOurs), std::end(kOurs),
                      [&](auto own) { return base::equals_ignore_case(own, name); });
}

bool is_header_value(std::string_view value) {
  return value.size() <= 4096 &&
         std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

http::Response invalid_query(const std::string& detail) {
  return error_answer(400, "Invalid query param", {detail});
}

// What both calls take: from the query of a GET, from body or query of a POST (the documentation says both).
class Window {
 public:
  Window(const http::Request& request, const json::Object& body) : request_(request), body_(body) {}

  std::string text(std::string_view name) const {
    if (auto value = request_.query_value(name)) return std::string(*value);
    return std::string(json::text_or(body_, name));
  }
  std::optional<std::int64_t> number(std::string_view name) const {
    if (auto value = request_.query_value(name)) {
      const auto n = base::parse_u64(*value);
      return n && *n < 1'000'000'000 ? std::optional(static_cast<std::int64_t>(*n))
                                     : std::optional<std::int64_t>(-1);
    }
    const auto* value = json::find(body_, name);
    if (!value || value->is_null()) return std::nullopt;
    return value->is_int64() ? value->get_int64() : -1;
  }

  tl::expected<DeliveryFilter, http::Response> filter(base::WallTime now,
                                                      std::string_view default_status) const {
    DeliveryFilter out;
    out.to = now;
    const std::string from = text("start_time"), to = text("end_time");
    if (!to.empty()) {
      const auto time = base::parse_rfc3339(to);
      if (!time) return tl::unexpected(invalid_query("end_time must be an RFC 3339 time"));
      out.to = *time;
    }
    out.from = std::min(now, out.to) - kDay;
    if (!from.empty()) {
      const auto time = base::parse_rfc3339(from);
      if (!time) return tl::unexpected(invalid_query("start_time must be an RFC 3339 time"));
      out.from = *time;
    }
    if (out.from + kDay * kHistoryDays < now)
      return tl::unexpected(invalid_query("start_time must not be more than 30 days back"));
    if (out.to < out.from || out.to - out.from > kDay * kMaxWindowDays)
      return tl::unexpected(invalid_query("end_time must be within 14 days after start_time"));
    out.room_id = text("room_id");
    if (!out.room_id.empty() && !base::is_object_id(out.room_id))
      return tl::unexpected(invalid_room_id(out.room_id));
    const std::string status = text("status").empty() ? std::string(default_status) : text("status");
    if (status != "all" && status != "failed" && status != "success")
      return tl::unexpected(invalid_query("status must be all, failed or success"));
    if (status != "all") out.status = status;
    for (const auto& [name, value] : request_.query) {
      if (name == "event_names" && out.types.size() < 50) out.types.push_back(value);
    }
    for (const char* member : {"event_names", "event_types"}) {
      const auto* list = json::array_at(body_, member);
      if (!list) continue;
      for (const auto& name : *list) {
        if (name.is_string() && out.types.size() < 50) out.types.emplace_back(name.as_string());
      }
    }
    return out;
  }

 private:
  const http::Request& request_;
  const json::Object& body_;
};

json::Object delivery_document(const WebhookDelivery& d) {
  json::Object out{
      {"id", d.id}, {"event_name", d.type}, {"room_id", d.room_id}, {"session_id", d.session_id}};
  out["status"] = d.status;
  out["attempts"] = d.attempts;
  out["response_code"] = d.last_status ? json::Value(*d.last_status) : json::Value(nullptr);
  out["error"] = d.last_error;
  out["is_replay"] = !d.replay_id.empty();
  out["created_at"] = base::format_rfc3339(d.created_at);
  out["finished_at"] =
      d.finished_at ? json::Value(base::format_rfc3339(*d.finished_at)) : json::Value(nullptr);
  auto payload = json::parse_tolerant(d.body);
  out["payload"] = payload ? std::move(*payload) : json::Value(nullptr);
  return out;
}

json::Object webhook_document(const std::optional<json::Object>& webhook) {
  json::Object out{{"url", ""}, {"headers", json::Object()}};
  if (webhook) {
    for (const auto& [name, value] : *webhook) out[name] = value;
  }
  return out;
}

}  // namespace

std::optional<http::Response> wrong_webhook(const json::Object& webhook) {
  auto read = json::read<bodies::Webhook>(webhook);
  if (!read.ok()) {
    for (auto& e : read.errors) e.pointer = "/webhook" + e.pointer;
    return invalid_body(read.errors);
  }
  if (!read.value.headers) return std::nullopt;
  for (const auto& [name, value] : *read.value.headers) {
    if (!value.is_string()) return invalid_body("webhook.headers must hold texts");
    if (!is_header_name(name))
      return invalid_body("webhook.headers has a name that is not allowed: " + shown(name));
    if (!is_header_value(value.as_string()))
      return invalid_body("webhook.headers." + shown(name) + " is no header value");
  }
  return std::nullopt;
}

http::Response ManagementApi::get_webhook(const http::Request&, const Workspace& w) {
  auto stored = services_.store.workspace_by_id(w.id);
  if (!stored) return storage_failure(stored.error());
  return ok(webhook_document(*stored ? (*stored)->webhook : std::nullopt));
}

// An empty url takes the webhook away.
http::Response ManagementApi::put_webhook(const http::Request& request, const Workspace& w) {
  auto body = body_of(request);
  if (!body) return body.error();
  std::optional<json::Object> webhook;
  if (const auto* url = json::find(*body, "url"); !url || !url->is_string() || !url->as_string().empty()) {
    if (auto wrong = wrong_webhook(*body)) return std::move(*wrong);
    webhook.emplace();
    for (const char* member : {"url", "headers"}) {
      if (const auto* value = json::find(*body, member)) (*webhook)[member] = *value;
    }
  }
  if (auto stored = services_.store.put_workspace_webhook(w.id, webhook); !stored)
    return storage_failure(stored.error());
  telemetry::info("workspace webhook set", {{"workspace", w.id}, {"on", webhook.has_value()}});
  return ok(webhook_document(webhook));
}

// A new secret at once; the old one counts for `overlap_seconds` (a day) more.
http::Response ManagementApi::rotate_secret(const http::Request& request, const Workspace& w) {
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::RotateSecret>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  auto stored = services_.store.workspace_by_id(w.id);
  if (!stored) return storage_failure(stored.error());
  if (!*stored) return error_answer(404, "workspace not found");
  Workspace next = std::move(**stored);
  next.previous_secret = next.secret;
  next.previous_secret_until =
      services_.clock.wall() + base::Duration::seconds(read.value.overlap_seconds.value_or(86400));
  next.secret = base::Secret(services_.random.text(kAlphabet, 86));
  if (auto put = services_.store.put_secret(next); !put) return storage_failure(put.error());
  json::Object out{{"access_key", next.access_key}, {"secret", next.secret.reveal()}};
  out["previous_valid_until"] = base::format_rfc3339(*next.previous_secret_until);
  telemetry::info("workspace secret rotated", {{"workspace", w.id}});
  services_.workspaces.add(std::move(next));
  return ok(out);
}

http::Response ManagementApi::webhook_history(const http::Request& request, const Workspace& w) {
  const json::Object none;
  const Window window(request, none);
  auto filter = window.filter(services_.clock.wall(), "all");
  if (!filter) return filter.error();
  const std::int64_t limit = window.number("limit").value_or(50), page = window.number("page").value_or(1);
  if (limit < 1 || limit > 100) return invalid_query("limit must be 1 to 100");
  if (page < 1) return invalid_query("page must be at least 1");
  auto total = services_.store.count_deliveries(w.id, *filter);
  if (!total) return storage_failure(total.error());
  auto found = services_.store.deliveries(w.id, *filter, limit, (page - 1) * limit);
  if (!found) return storage_failure(found.error());
  json::Array events;
  for (const auto& d : *found) events.push_back(delivery_document(d));
  const std::int64_t pages = (*total + limit - 1) / limit;
  json::Object out;
  out["events"] = std::move(events);
  out["pagination"] =
      json::Object{{"current_page", page},  {"page_size", limit},       {"total_pages", pages},
                   {"total_items", *total}, {"has_next", page < pages}, {"has_prev", page > 1}};
  out["summary"] = json::Object{{"total_events", *total}};
  return ok(out);
}

http::Response ManagementApi::replay_webhooks(const http::Request& request, const Workspace& w) {
  auto body = body_of(request);
  if (!body) return body.error();
  const Window window(request, *body);
  auto filter = window.filter(services_.clock.wall(), "failed");
  if (!filter) return filter.error();
  const std::int64_t limit = window.number("limit").value_or(kMaxReplay),
                     offset = window.number("offset").value_or(0);
  if (limit < 1 || limit > kMaxReplay) return invalid_body("limit must be 1 to 50000");
  if (offset < 0) return invalid_body("offset must not be negative");
  auto running = services_.store.running_replay(w.id);
  if (!running) return storage_failure(running.error());
  if (!running->empty())
    return ok({{"workflow_id", *running}, {"status", "already_running"}, {"message", "a replay is running"}});
  const std::string id = services_.ids.next();
  auto count = services_.store.replay(w.id, *filter, limit, offset, id, services_.clock.wall(), kReplayPace);
  if (!count) return storage_failure(count.error());
  services_.outbox_filled();
  json::Object out{{"workflow_id", id}, {"status", "started"}};
  out["message"] = std::to_string(*count) + " events are sent again";
  json::Array types;
  for (const auto& type : filter->types) types.emplace_back(type);
  out["filters"] = json::Object{{"start_time", base::format_rfc3339(filter->from)},
                                {"end_time", base::format_rfc3339(filter->to)},
                                {"room_id", filter->room_id},
                                {"status", filter->status.empty() ? std::string("all") : filter->status},
                                {"event_types", std::move(types)}};
  return ok(out);
}

http::Response ManagementApi::replay_state(const http::Request& request, const Workspace& w) {
  const std::string id(request.param("workflow_id"));
  if (!base::is_object_id(id)) return error_answer(404, "replay not found");
  auto counts = services_.store.replay_counts(w.id, id);
  if (!counts) return storage_failure(counts.error());
  if (counts->empty()) return error_answer(404, "replay not found");
  std::int64_t total = 0;
  for (const auto& [status, n] : *counts) total += n;
  const std::int64_t waiting = (*counts)["pending"];
  json::Object out{{"workflow_id", id}, {"status", waiting > 0 ? "running" : "completed"}};
  out["progress"] = json::Object{{"total", total}, {"processed", total - waiting}};
  out["result"] = json::Object{{"success", (*counts)["success"]}, {"failed", (*counts)["failed"]}};
  return ok(out);
}

}  // namespace engine
