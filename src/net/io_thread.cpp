#include "net/io_thread.h"

#include <pthread.h>

#include <boost/asio/post.hpp>

#include "telemetry/log.h"

namespace net {

bool Mailbox::post(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  if (context_ == nullptr) return false;
  boost::asio::post(*context_, std::move(call));
  return true;
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  context_ = nullptr;
}

IoThread::IoThread(const std::string& name)
    : context_(1),
      work_(boost::asio::make_work_guard(context_)),
      mailbox_(std::make_shared<Mailbox>(context_)) {
  thread_ = std::thread([this, name] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    for (;;) {
      // A session that throws loses its connection and nothing else.
      try {
        context_.run();
        return;
      } catch (const std::exception& e) {
        telemetry::error("an io handler threw", {{"what", e.what()}});
      } catch (...) {
        telemetry::error("an io handler threw something that is no std::exception");
      }
    }
  });
}

IoThread::~IoThread() {
  stop();
}

void IoThread::stop() {
  mailbox_->close();
  work_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace net
