-- Outgoing webhooks, an overlap for rotated secrets, recording configurations of templates.

ALTER TABLE workspaces ADD COLUMN webhook text;
ALTER TABLE workspaces ADD COLUMN previous_secret text;
ALTER TABLE workspaces ADD COLUMN previous_secret_until timestamptz;
ALTER TABLE templates ADD COLUMN recordings jsonb NOT NULL DEFAULT '[]';

-- The outbox and its history in one: a row is written with what it tells of, tried until it is delivered or given up, and forgotten after 30 days.
CREATE TABLE webhook_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL,
  workspace_id text NOT NULL REFERENCES workspaces(id),
  room_id text NOT NULL REFERENCES rooms(id),
  session_id text NOT NULL,
  type text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  attempts bigint NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  last_status bigint,
  last_error text,
  finished_at timestamptz,
  replay_id text NOT NULL DEFAULT ''
);
CREATE INDEX webhook_events_waiting ON webhook_events (room_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_events_history ON webhook_events (workspace_id, created_at);
CREATE INDEX webhook_events_replay ON webhook_events (replay_id) WHERE replay_id <> '';
