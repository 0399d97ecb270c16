// fhir_resources with their history and search index. Every statement names its organisation. Any worker
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "visits/store/rows.h"

namespace visits::store {

using storage::Transaction;

struct IndexEntry {
  std::string param;
  std::string value;
  OptionalTime date_lo;
  OptionalTime date_hi;
};

// Stores the next version, its history row and its index entries.
base::Result<void> put_resource(Transaction& t, const std::string& org_id, const FhirResource& r,
                                const std::string& actor, const std::vector<IndexEntry>& index);
base::Result<std::optional<FhirResource>> find_resource(Transaction& t, const std::string& org_id,
                                                        const std::string& type, const std::string& id);
// All versions, newest first.
base::Result<std::vector<FhirResource>> list_versions(Transaction& t, const std::string& org_id,
                                                      const std::string& type, const std::string& id);
// The resource of `type` that was stored first.
base::Result<std::optional<FhirResource>> first_resource(Transaction& t, const std::string& org_id,
                                                         const std::string& type);

struct AppointmentFilter {
  OptionalTime from;  // start >= from
  OptionalTime to;    // start < to
  OptionalText status;
  std::int64_t limit = 200;
};
base::Result<std::vector<FhirResource>> list_appointments(Transaction& t, const std::string& org_id,
                                                          const AppointmentFilter& filter);
base::Result<std::int64_t> count_appointments(Transaction& t, const std::string& org_id,
                                              const AppointmentFilter& filter);

}  // namespace visits::store
