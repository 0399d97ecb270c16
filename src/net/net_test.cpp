#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <thread>

#include "net/timers.h"
#include "net/worker_pool.h"

namespace net {
namespace {

TEST(WorkerPool, RunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> done{0};
  {
    WorkerPool pool("t", 3);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pool.post([&] { ++done; }));
  }
  EXPECT_EQ(done, 1000);
}

TEST(WorkerPool, RefusesBeyondItsQueueLimit) {
  WorkerPool pool("t", 1, 2);
  std::promise<void> started;
  std::promise<void> release;
  ASSERT_TRUE(pool.post([&, gate = release.get_future().share()] {
    started.set_value();
    gate.wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_FALSE(pool.post([] {}));
  release.set_value();
}

TEST(WorkerPool, SurvivesATaskThatThrows) {
  std::atomic<bool> ran{false};
  {
    WorkerPool pool("t", 1);
    pool.post([] { throw std::runtime_error("boom"); });
    pool.post([] { throw 7; });
    pool.post([&] { ran = true; });
  }
  EXPECT_TRUE(ran);
}

TEST(SerialQueue, KeepsTheOrderOfEachPosterAndNeverOverlaps) {
  constexpr int kPosters = 4;
  constexpr int kEach = 2000;
  std::vector<std::pair<int, int>> seen;  // touched without a lock: that is the promise under test
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  {
    WorkerPool pool("t", 4);
    const auto queue = pool.make_serial_queue();
    std::vector<std::thread> posters;
    for (int p = 0; p < kPosters; ++p) {
      posters.emplace_back([&, p] {
        for (int i = 0; i < kEach; ++i) {
          queue.post([&, p, i] {
            if (inside.fetch_add(1) != 0) overlapped = true;
            seen.emplace_back(p, i);
            inside.fetch_sub(1);
          });
        }
      });
    }
    for (auto& t : posters) t.join();
  }
  EXPECT_FALSE(overlapped);
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(kPosters * kEach));
  std::array<int, kPosters> next{};
  for (const auto& [p, i] : seen) EXPECT_EQ(i, next.at(static_cast<std::size_t>(p))++);
}

TEST(SerialQueue, TasksPostedByItsLastTaskStillRunAndOneOutlivingThePoolIsHarmless) {
  std::atomic<int> depth{0};
  std::optional<WorkerPool::SerialQueue> queue;
  const std::function<void()> again = [&] {
    if (++depth < 50) queue->post(again);
  };
  {
    WorkerPool pool("t", 3, 1);
    queue = pool.make_serial_queue();
    queue->post(again);
  }
  EXPECT_EQ(depth, 50);
  queue->post([&] { depth = 1000; });
  EXPECT_EQ(depth, 50);
}

TEST(SerialQueue, TwoQueuesRunSideBySide) {
  WorkerPool pool("t", 2);
  const auto a = pool.make_serial_queue();
  const auto b = pool.make_serial_queue();
  std::promise<void> from_b;
  std::promise<void> a_done;
  a.post([&, wait = from_b.get_future().share()] {
    wait.wait();
    a_done.set_value();
  });
  b.post([&] { from_b.set_value(); });
  a_done.get_future().wait();
}

TEST(Timers, CallsInTheOrderOfTheirDelays) {
  Timers timers;
  std::mutex mutex;
  std::vector<int> order;
  std::promise<void> last;
  auto push = [&](int n) {
    const std::lock_guard lock(mutex);
    order.push_back(n);
  };
  const auto c = timers.after(base::Duration::millis(30), [&] {
    push(3);
    last.set_value();
  });
  const auto a = timers.after(base::Duration::millis(5), [&] { push(1); });
  const auto b = timers.after(base::Duration::millis(15), [&] { push(2); });
  last.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Timers, EveryRepeatsUntilCancelled) {
  Timers timers;
  std::atomic<int> count{0};
  std::promise<void> third;
  auto handle = timers.every(base::Duration::millis(1), [&] {
    if (++count == 3) third.set_value();
  });
  third.get_future().wait();
  handle.cancel();
  const int after_cancel = count;
  std::promise<void> later;
  const auto probe = timers.after(base::Duration::millis(10), [&] { later.set_value(); });
  later.get_future().wait();
  EXPECT_EQ(count, after_cancel);
}

TEST(Timers, CancelWaitsForARunningCall) {
  Timers timers;
  std::promise<void> started;
  std::promise<void> release;
  std::atomic<bool> finished{false};
  auto handle = timers.after({}, [&, gate = release.get_future().share()] {
    started.set_value();
    gate.wait();
    finished = true;
  });
  started.get_future().wait();
  std::thread releaser([&] { release.set_value(); });
  handle.cancel();
  EXPECT_TRUE(finished);
  releaser.join();
}

TEST(Timers, ACallMayCancelItselfAndCapturesAreFreed) {
  Timers timers;
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = token;
  Timers::Handle handle;
  std::promise<void> ready;
  std::promise<void> done;
  handle = timers.every(base::Duration::millis(1), [&, token, gate = ready.get_future().share()] {
    gate.wait();
    handle.cancel();
    done.set_value();
  });
  token.reset();
  ready.set_value();
  done.get_future().wait();
  std::promise<void> later;
  const auto probe = timers.after({}, [&] { later.set_value(); });
  later.get_future().wait();
  EXPECT_TRUE(watch.expired());
}

TEST(Timers, CancelUnderFireNeverLetsACallSlipThrough) {
  Timers timers;
  for (int i = 0; i < 500; ++i) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    auto handle = timers.after(base::Duration::micros(i % 50), [p = alive.get()] { ASSERT_TRUE(p->load()); });
    if (i % 3 == 0) std::this_thread::yield();
    handle.cancel();
    *alive = false;
  }
}

TEST(Timers, HandlesMayOutliveThem) {
  Timers::Handle handle;
  {
    Timers timers;
    handle = timers.after(base::Duration::seconds(3600), [] {});
  }
  handle.cancel();
}

}  // namespace
}  // namespace net
