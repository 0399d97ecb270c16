// Replaces port 0 by a port that was free a moment ago. Errors: "address_unavailable".
#pragma once

#include "base/address.h"
#include "base/result.h"

namespace app {

base::Result<void> fix_free_port(base::SocketAddress& address);

}  // namespace app
