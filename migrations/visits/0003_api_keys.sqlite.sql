CREATE TABLE api_keys (id TEXT PRIMARY KEY, org_id TEXT NOT NULL REFERENCES organizations(id), name TEXT NOT NULL, prefix TEXT NOT NULL UNIQUE CHECK (length(prefix) = 8), key_hash BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL CHECK (json_valid(scopes)),
 expires_at TEXT, revoked_at TEXT, last_used_at TEXT, created_by TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
CREATE UNIQUE INDEX api_keys_name ON api_keys (org_id, name) WHERE revoked_at IS NULL;
