#include "visits/core/core.h"

#include "visits/integrations/clients.h"

namespace visits {

Core::Core(Config c, Dependencies d)
    : config(std::move(c)),
      db(d.database),
      keyring(d.keyring),
      clock(d.clock),
      random(d.random),
      metrics(d.metrics),
      pool(d.pool),
      timers(d.timers),
      limits(config.lobby_limits),
      clients(std::make_unique<Clients>(*this)) {}

Core::~Core() = default;

}  // namespace visits
