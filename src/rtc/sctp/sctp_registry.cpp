#include "rtc/sctp/sctp_registry.h"

#include <usrsctp.h>

#include "rtc/sctp/sctp_association.h"

namespace rtc {
namespace {

// usrsctp is one per process and its output callback gets nothing but the address, so this is the one pointer
// that cannot be injected. Only the owning thread touches it.
SctpRegistry* g_registry = nullptr;

}  // namespace

SctpRegistry* current_sctp_registry() {
  return g_registry;
}

std::uintptr_t SctpRegistry::add(SctpAssociation& association) {
  const auto id = next_id_++;
  associations_[id] = &association;
  return id;
}

void SctpRegistry::remove(std::uintptr_t id) {
  associations_.erase(id);
}

SctpAssociation* SctpRegistry::find(std::uintptr_t id) const {
  const auto it = associations_.find(id);
  return it == associations_.end() ? nullptr : it->second;
}

void SctpRegistry::run_ready() {
  if (running_) return;
  running_ = true;
  // Looked up anew each time: a callback may destroy another association.
  while (!ready_.empty()) {
    const auto id = ready_.back();
    ready_.pop_back();
    if (auto* association = find(id)) association->drain();
  }
  running_ = false;
}

int sctp_output(void* address, void* data, std::size_t size, std::uint8_t, std::uint8_t) {
  auto* association =
      g_registry == nullptr ? nullptr : g_registry->find(reinterpret_cast<std::uintptr_t>(address));
  if (association != nullptr) association->output({static_cast<const std::uint8_t*>(data), size});
  return 0;
}

SctpStack::SctpStack() : impl_(std::make_unique<Impl>()) {
  g_registry = &impl_->registry;
  usrsctp_init_nothreads(0, &sctp_output, nullptr);
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auto_asconf(0);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
  usrsctp_sysctl_set_sctp_blackhole(2);  // stray packets get no ABORT
  usrsctp_sysctl_set_sctp_rto_initial_default(500);
  usrsctp_sysctl_set_sctp_rto_min_default(200);
  usrsctp_sysctl_set_sctp_rto_max_default(10'000);
  usrsctp_sysctl_set_sctp_init_rto_max_default(5'000);
}

SctpStack::~SctpStack() {
  // Closed sockets are freed by timers; usrsctp_finish() refuses while one is left.
  for (int i = 0; i < 100 && usrsctp_finish() != 0; ++i) usrsctp_handle_timers(1000);
  g_registry = nullptr;
}

void SctpStack::handle_timers(base::Duration elapsed) {
  impl_->carried_us += elapsed.us;
  const auto ms = impl_->carried_us / 1000;
  if (ms <= 0) return;
  impl_->carried_us -= ms * 1000;
  usrsctp_handle_timers(static_cast<std::uint32_t>(ms));
  impl_->registry.run_ready();
}

}  // namespace rtc
