CREATE TABLE idempotency_keys (org_id uuid NOT NULL, principal text NOT NULL, method text NOT NULL, path text NOT NULL, key varchar(255) NOT NULL, request_sha256 bytea NOT NULL, state text NOT NULL CHECK (state IN ('running','done')),
  status int, body_enc bytea, created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL, PRIMARY KEY (org_id, principal, method, path, key));
CREATE INDEX idempotency_expired ON idempotency_keys (expires_at);
