#include "sfu/datagram_socket.h"

#include <gtest/gtest.h>

#include <string>

namespace sfu {
namespace {

const auto kAny = base::SocketAddress::v4(0x7F000001, 0);

std::vector<std::string> read_all(DatagramSocket& socket) {
  std::vector<std::string> out;
  for (int empty = 0; empty < 3;) {
    const auto n = socket.receive();
    if (n == 0) ++empty;
    for (std::size_t i = 0; i < n; ++i) {
      out.emplace_back(base::as_text(socket.datagram(i)));
      EXPECT_GE(socket.age(i).us, 0);
      EXPECT_LT(socket.age(i), base::Duration::millis(500));
    }
  }
  return out;
}

// Runs to one address are handed over in one piece; what arrives is what was queued, in order, whatever the
// sizes.
TEST(DatagramSocketTest, EveryAddressGetsItsDatagramsWholeAndInOrder) {
  Counters counters;
  auto from = std::move(*DatagramSocket::open(kAny, counters));
  auto one = std::move(*DatagramSocket::open(kAny, counters));
  auto two = std::move(*DatagramSocket::open(kAny, counters));
  std::vector<std::string> to_one, to_two;
  const std::vector<std::size_t> sizes{1200, 1200, 1200, 300, 1200, 1201, 1200, 1,
                                       1,    1,    900,  900, 899,  900,  1400, 1400};
  for (int round = 0; round < 7; ++round) {  // past a full batch
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::string text(sizes[i], static_cast<char>('a' + (static_cast<std::size_t>(round) * 5 + i) % 26));
      const bool first = i % 3 != 1;
      const auto slot = from->slot();
      std::copy(text.begin(), text.end(), slot.begin());
      from->commit(text.size(), first ? one->local_address() : two->local_address());
      (first ? to_one : to_two).push_back(std::move(text));
    }
  }
  from->flush();
  EXPECT_EQ(read_all(*one), to_one);
  EXPECT_EQ(read_all(*two), to_two);
  EXPECT_EQ(counters.packets_out.get(), 7 * sizes.size());
  EXPECT_EQ(counters.send_drops.get(), 0u);
}

TEST(DatagramSocketTest, TheAgeIsTheTimeADatagramWaited) {
  Counters counters;
  auto from = std::move(*DatagramSocket::open(kAny, counters));
  auto to = std::move(*DatagramSocket::open(kAny, counters));
  from->slot()[0] = 1;
  from->commit(1, to->local_address());
  const base::SystemClock clock;
  const auto before = clock.steady();
  from->flush();
  const auto sent = clock.steady();
  while (clock.steady() - sent < base::Duration::millis(5)) continue;
  ASSERT_EQ(to->receive(), 1u);
  const auto read = clock.steady();
  EXPECT_GE(to->age(0), base::Duration::millis(4));
  EXPECT_LE(to->age(0), read - before + base::Duration::millis(1));
}

}  // namespace
}  // namespace sfu
