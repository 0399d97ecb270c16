#include "probe/entrance.h"

#include "base/text.h"
#include "json/json.h"

namespace probe {
namespace {
constexpr std::string_view kUserAgent = "os:linux,sdk:web,sdk_version:0.15.2,env:production,domain:probe";
}

base::Result<Entrance> read_init_answer(std::string_view body, const base::Secret& token,
                                        const std::string& peer_id) {
  const auto value = json::parse_tolerant(body);
  const auto* object = value && value->is_object() ? &value->get_object() : nullptr;
  if (!object) return base::fail("init_invalid", "the answer of /init is not a JSON object");
  const auto* config = json::object_at(*object, "config");
  if (!config) return base::fail("init_invalid", "the answer of /init has no config");
  std::string url(json::text_or(*object, "endpoint"));
  if (url.empty()) return base::fail("init_invalid", "the answer of /init has no endpoint");
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += "peer=" + peer_id + "&token=" + token.reveal() + "&user_agent_v2=" + std::string(kUserAgent) +
         "&protocol_version=2.5&protocol_spec=20250115";
  auto websocket = parse_websocket_url(url);
  if (!websocket) return base::fail("init_invalid", "the endpoint of /init is not a ws:// or wss:// URL");
  Entrance out;
  out.peer_id = peer_id;
  out.websocket = std::move(*websocket);
  if (const auto* flags = json::array_at(*config, "enabledFlags")) {
    for (const auto& flag : *flags)
      out.simulcast = out.simulcast || (flag.is_string() && flag.get_string() == "simulcast");
  }
  return out;
}

base::Result<Entrance> fetch_entrance(http::Client& client, const std::string& origin,
                                      const base::Secret& token, const std::string& peer_id,
                                      const std::string& ca_file) {
  http::ClientRequest request;
  request.url = origin + "/init?peer_id=" + peer_id + "&user_agent_v2=" + std::string(kUserAgent);
  request.headers = {{"authorization", "Bearer " + token.reveal()}};
  const auto response = client.send(request);
  if (!response)
    return base::fail("init_unreachable", std::string(http::to_string(response.error().failure)) + ": " +
                                              response.error().detail);
  if (response->status != 200) {
    const auto body = json::parse_tolerant(response->body);
    std::string said = std::to_string(response->status);
    if (body && body->is_object())
      said += " " + base::escape_controls(json::text_or(body->get_object(), "message"));
    return base::fail("init_refused", "/init answered " + said);
  }
  auto entrance = read_init_answer(response->body, token, peer_id);
  if (!entrance) return entrance;
  const auto address = resolve(entrance->websocket.host, entrance->websocket.port);
  if (!address) return base::fail(address.error());
  entrance->address = *address;
  entrance->ca_file = ca_file;
  return entrance;
}

}  // namespace probe
