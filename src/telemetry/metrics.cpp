#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace telemetry {
namespace {

class RealCounter final : public Counter {
 public:
  explicit RealCounter(prometheus::Counter& c) : counter_(c) {}
  void add(double n) override { counter_.Increment(n); }

 private:
  prometheus::Counter& counter_;
};

class RealGauge final : public Gauge {
 public:
  explicit RealGauge(prometheus::Gauge& g) : gauge_(g) {}
  void set(double v) override { gauge_.Set(v); }

 private:
  prometheus::Gauge& gauge_;
};

class RealHistogram final : public Histogram {
 public:
  explicit RealHistogram(prometheus::Histogram& h) : histogram_(h) {}
  void observe(double v) override { histogram_.Observe(v); }

 private:
  prometheus::Histogram& histogram_;
};

// From a fast local call to the longest provider deadline.
const prometheus::Histogram::BucketBoundaries kSecondsBuckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                              0.25,  0.5,    1,     2.5,  5,     10,   20};

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  std::mutex mutex;  // guards the maps
  std::map<std::string, std::unique_ptr<RealCounter>> counters;
  std::map<std::string, std::unique_ptr<RealGauge>> gauges;
  std::map<std::string, std::unique_ptr<RealHistogram>> histograms;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, const std::string& label,
                          const std::string& value) {
  const std::lock_guard lock(impl_->mutex);
  auto& slot = impl_->counters[name + '\0' + label + '\0' + value];
  if (!slot) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
    prometheus::Labels labels;
    if (!label.empty()) labels.emplace(label, value);
    slot = std::make_unique<RealCounter>(family.Add(labels));
  }
  return *slot;
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help) {
  const std::lock_guard lock(impl_->mutex);
  auto& slot = impl_->gauges[name];
  if (!slot)
    slot = std::make_unique<RealGauge>(
        prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry).Add({}));
  return *slot;
}

Histogram& Metrics::seconds(const std::string& name, const std::string& help) {
  const std::lock_guard lock(impl_->mutex);
  auto& slot = impl_->histograms[name];
  if (!slot)
    slot = std::make_unique<RealHistogram>(prometheus::BuildHistogram()
                                               .Name(name)
                                               .Help(help)
                                               .Register(impl_->registry)
                                               .Add({}, kSecondsBuckets));
  return *slot;
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace telemetry
