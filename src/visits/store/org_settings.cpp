#include "visits/store/org_settings.h"

#include "visits/store/helpers.h"

namespace visits::store {

base::Result<std::optional<OrgSettings>> find_org_settings(storage::Transaction& t,
                                                           const std::string& org_id) {
  return first<OrgSettings>(
      t.query("SELECT name, demo, settings, row_version FROM organizations WHERE id = $1", {org_id}),
      [](const storage::Row& r) {
        OrgSettings o{r.text("name"), r.boolean("demo"), {}, r.integer("row_version")};
        if (auto parsed = json::parse_tolerant(r.text("settings")); parsed && parsed->is_object())
          o.settings = std::move(parsed->as_object());
        return o;
      });
}

base::Result<bool> update_org_settings(storage::Transaction& t, const std::string& org_id,
                                       const OrgSettings& o, base::WallTime now) {
  return one_row(
      t.query("UPDATE organizations SET settings = $1, updated_at = $2, row_version = row_version + 1 WHERE "
              "id = $3 AND row_version = $4",
              {json::serialize(o.settings), now, org_id, o.row_version}));
}

}  // namespace visits::store
