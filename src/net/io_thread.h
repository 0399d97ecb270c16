// One thread with one Asio io_context. Everything bound to the context (sockets, timers, sessions) is touched
// on that thread alone, so sessions need no lock. Other threads reach it through the Mailbox, which may
// outlive the thread: a post that comes too late is dropped.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace net {

// Thread-safe.
class Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& context) : context_(&context) {}
  // Runs `call` on the io thread. False once the thread is gone.
  bool post(std::function<void()> call);
  void close();

 private:
  std::mutex mutex_;
  boost::asio::io_context* context_;  // guarded by mutex_; null after close()
};

class IoThread {
 public:
  explicit IoThread(const std::string& name);
  ~IoThread();  // stop()
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& context() { return context_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  // Ends the loop and joins; what was still pending is destroyed with this object.
  void stop();

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::shared_ptr<Mailbox> mailbox_;
  std::thread thread_;
};

}  // namespace net
