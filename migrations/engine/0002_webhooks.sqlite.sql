-- Outgoing webhooks, an overlap for rotated secrets, recording configurations of templates.

ALTER TABLE workspaces ADD COLUMN webhook text;
ALTER TABLE workspaces ADD COLUMN previous_secret text;
ALTER TABLE workspaces ADD COLUMN previous_secret_until text;
ALTER TABLE templates ADD COLUMN recordings text NOT NULL DEFAULT '[]';

-- The outbox and its history in one: a row is written with what it tells of, tried until it is delivered or given up, and forgotten after 30 days.
CREATE TABLE webhook_events (
  seq integer PRIMARY KEY AUTOINCREMENT,
  id text NOT NULL,
  workspace_id text NOT NULL REFERENCES workspaces(id),
  room_id text NOT NULL REFERENCES rooms(id),
  session_id text NOT NULL,
  type text NOT NULL,
  body text NOT NULL,
  created_at text NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  attempts bigint NOT NULL DEFAULT 0,
  next_attempt_at text NOT NULL,
  last_status bigint,
  last_error text,
  finished_at text,
  replay_id text NOT NULL DEFAULT ''
);
CREATE INDEX webhook_events_waiting ON webhook_events (room_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_events_history ON webhook_events (workspace_id, created_at);
CREATE INDEX webhook_events_replay ON webhook_events (replay_id) WHERE replay_id <> '';
