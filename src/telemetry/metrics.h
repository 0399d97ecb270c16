// Counters, gauges and histograms, exported as Prometheus text. prometheus-cpp lives in metrics.cpp alone. No
// organisation or person labels.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace telemetry {

// Thread-safe; cheap to call (one atomic add).
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double n = 1) = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double v) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double v) = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  // References stay valid as long as this object. The same name and label give the same object.
  Counter& counter(const std::string& name, const std::string& help, const std::string& label = "",
                   const std::string& value = "");
  Gauge& gauge(const std::string& name, const std::string& help);
  Histogram& seconds(const std::string& name, const std::string& help);
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace telemetry
