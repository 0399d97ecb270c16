-- The engine's own tables: no patient, appointment or clinic lives here. Every row belongs to one workspace.

CREATE TABLE workspaces (
  id text PRIMARY KEY,
  name text NOT NULL UNIQUE,
  customer_id text NOT NULL,
  app_id text NOT NULL,
  access_key text NOT NULL UNIQUE,
  secret text NOT NULL,
  default_template_id text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE templates (
  id text PRIMARY KEY,
  workspace_id text NOT NULL REFERENCES workspaces(id),
  name text NOT NULL,
  is_default boolean NOT NULL DEFAULT false,
  roles jsonb NOT NULL,
  settings jsonb NOT NULL,
  destinations jsonb NOT NULL,
  plugins jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (workspace_id, name)
);

CREATE TABLE rooms (
  id text PRIMARY KEY,
  workspace_id text NOT NULL REFERENCES workspaces(id),
  name text NOT NULL,
  name_key text NOT NULL,
  description text NOT NULL DEFAULT '',
  enabled boolean NOT NULL DEFAULT true,
  template_id text NOT NULL REFERENCES templates(id),
  region text NOT NULL DEFAULT 'auto',
  large_room boolean NOT NULL DEFAULT false,
  size bigint,
  max_duration_seconds bigint,
  recording_info text,
  polls text,
  webhook text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (workspace_id, name_key)
);
CREATE INDEX rooms_created ON rooms (workspace_id, created_at);

CREATE TABLE room_codes (
  code text PRIMARY KEY,
  workspace_id text NOT NULL REFERENCES workspaces(id),
  room_id text NOT NULL REFERENCES rooms(id),
  role text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX room_codes_room ON room_codes (room_id, role);

CREATE TABLE sessions (
  id text PRIMARY KEY,
  workspace_id text NOT NULL REFERENCES workspaces(id),
  room_id text NOT NULL REFERENCES rooms(id),
  created_at timestamptz NOT NULL,
  closed_at timestamptz,
  updated_at timestamptz NOT NULL
);
CREATE INDEX sessions_workspace ON sessions (workspace_id, id);
-- A room has at most one open session.
CREATE UNIQUE INDEX sessions_open ON sessions (room_id) WHERE closed_at IS NULL;

CREATE TABLE session_peers (
  session_id text NOT NULL REFERENCES sessions(id),
  peer_id text NOT NULL,
  workspace_id text NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  user_id text NOT NULL,
  joined_at timestamptz NOT NULL,
  left_at timestamptz,
  PRIMARY KEY (session_id, peer_id)
);

-- Who is inside right now: what a restarted process needs to recognise a returning socket.
CREATE TABLE live_peers (
  room_id text NOT NULL REFERENCES rooms(id),
  peer_id text NOT NULL,
  workspace_id text NOT NULL,
  session_id text NOT NULL REFERENCES sessions(id),
  name text NOT NULL,
  data text NOT NULL,
  user_id text NOT NULL,
  token_role text NOT NULL,
  role text NOT NULL,
  groups text NOT NULL,
  joined_at timestamptz NOT NULL,
  PRIMARY KEY (room_id, peer_id)
);

-- The session store (set-metadata), gone with the last peer. A deleted key stays as a row without data so that its version keeps counting.
CREATE TABLE session_store (
  room_id text NOT NULL REFERENCES rooms(id),
  name text NOT NULL,
  workspace_id text NOT NULL,
  data text,
  updated_by text NOT NULL,
  updated_at timestamptz NOT NULL,
  change_version bigint NOT NULL,
  PRIMARY KEY (room_id, name)
);
