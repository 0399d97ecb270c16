#include "app/free_port.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace app {

base::Result<void> fix_free_port(base::SocketAddress& address) {
  if (address.port != 0) return {};
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int off = 0;
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  std::memcpy(&name.sin6_addr, address.ip.data(), address.ip.size());
  socklen_t length = sizeof name;
  const bool bound = fd >= 0 && ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
                     ::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!bound) return base::fail("address_unavailable", address.text() + ": " + std::strerror(error));
  address.port = ntohs(name.sin6_port);
  return {};
}

}  // namespace app
