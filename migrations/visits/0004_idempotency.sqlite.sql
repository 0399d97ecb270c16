CREATE TABLE idempotency_keys (org_id TEXT NOT NULL, principal TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL CHECK (length(key) <= 255), request_sha256 BLOB NOT NULL, state TEXT NOT NULL CHECK (state IN ('running','done')),
 status INTEGER, body_enc BLOB, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), expires_at TEXT NOT NULL, PRIMARY KEY (org_id, principal, method, path, key));
CREATE INDEX idempotency_expired ON idempotency_keys (expires_at);
