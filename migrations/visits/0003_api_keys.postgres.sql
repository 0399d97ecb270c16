CREATE TABLE api_keys (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL REFERENCES organizations(id), name text NOT NULL, prefix char(8) NOT NULL UNIQUE, key_hash bytea NOT NULL UNIQUE, scopes jsonb NOT NULL,
  expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz, created_by text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX api_keys_name ON api_keys (org_id, name) WHERE revoked_at IS NULL;
