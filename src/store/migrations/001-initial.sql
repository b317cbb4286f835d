-- Times are milliseconds since the epoch. A column that ends in _json holds JSON; so do name, metadata, content and
-- content_type: a caller's text is kept as its JSON, which survives NUL and lone surrogates in every engine.
-- The key of a hot table leads with the channel, so that a sharding engine can cut by it.

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE app_instance (
  app_instance_arn TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  metadata TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE app_instance_user (
  app_instance_user_arn TEXT PRIMARY KEY,
  app_instance_arn TEXT NOT NULL,
  name TEXT NOT NULL,
  metadata TEXT,
  expiration_settings_json TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX app_instance_user_by_app_instance ON app_instance_user (app_instance_arn, app_instance_user_arn);

CREATE TABLE app_instance_admin (
  app_instance_arn TEXT NOT NULL,
  admin_arn TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (app_instance_arn, admin_arn)
);

CREATE TABLE tag (
  resource_arn TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (resource_arn, key)
);

CREATE TABLE channel_flow (
  channel_flow_arn TEXT PRIMARY KEY,
  app_instance_arn TEXT NOT NULL,
  name TEXT NOT NULL,
  processors_json TEXT NOT NULL,
  deadline_ms BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX channel_flow_by_app_instance ON channel_flow (app_instance_arn, channel_flow_arn);

CREATE TABLE channel (
  channel_arn TEXT PRIMARY KEY,
  app_instance_arn TEXT NOT NULL,
  name TEXT NOT NULL,
  mode TEXT NOT NULL,
  privacy TEXT NOT NULL,
  metadata TEXT,
  channel_flow_arn TEXT,
  expiration_settings_json TEXT,
  created_by_arn TEXT NOT NULL,
  created_by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX channel_by_flow ON channel (channel_flow_arn);

-- The head row of a channel's log: takes the next number, and stands for the channel in every guard.
CREATE TABLE channel_head (
  channel_arn TEXT PRIMARY KEY,
  next_seq BIGINT NOT NULL,
  last_created_at BIGINT NOT NULL,
  last_message_at BIGINT
);

-- The channel's log: every event, numbered in commit order. It refers to text and never copies it.
CREATE TABLE channel_log (
  channel_arn TEXT NOT NULL,
  seq BIGINT NOT NULL,
  event_type TEXT NOT NULL,
  audience_json TEXT NOT NULL,
  subject TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_arn, seq)
);

CREATE TABLE channel_membership (
  channel_arn TEXT NOT NULL,
  member_arn TEXT NOT NULL,
  type TEXT NOT NULL,
  invited_by_arn TEXT NOT NULL,
  invited_by_name TEXT NOT NULL,
  read_marker_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (channel_arn, member_arn)
);
CREATE INDEX channel_membership_by_member ON channel_membership (member_arn, channel_arn);

CREATE TABLE channel_moderator (
  channel_arn TEXT NOT NULL,
  moderator_arn TEXT NOT NULL,
  created_by_arn TEXT NOT NULL,
  created_by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_arn, moderator_arn)
);

-- A message as its readers may see it; while it is PENDING or FAILED, as its sender sent it.
CREATE TABLE channel_message (
  channel_arn TEXT NOT NULL,
  message_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  revision INTEGER NOT NULL,
  status TEXT NOT NULL,
  status_detail TEXT,
  sender_arn TEXT NOT NULL,
  sender_name TEXT NOT NULL,
  type TEXT NOT NULL,
  persistence TEXT NOT NULL,
  content TEXT NOT NULL,
  metadata TEXT,
  content_type TEXT,
  message_attributes_json TEXT,
  push_notification_json TEXT,
  target_arn TEXT,
  redacted INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  edited_at BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (channel_arn, message_id)
);
CREATE UNIQUE INDEX channel_message_in_order ON channel_message (channel_arn, seq);

-- One message revision on its way through a flow, with the flow as it was when the message was accepted.
-- text_json: the members that processors have changed so far.
CREATE TABLE flow_run (
  channel_arn TEXT NOT NULL,
  message_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  state TEXT NOT NULL,
  channel_flow_arn TEXT NOT NULL,
  processors_json TEXT NOT NULL,
  deadline_ms BIGINT NOT NULL,
  text_json TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (channel_arn, message_id, revision)
);

-- One processor's turn in a run. Steps stay when the run is over: they are the message's timeline, without its text.
CREATE TABLE flow_step (
  channel_arn TEXT NOT NULL,
  callback_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  position INTEGER NOT NULL,
  function_arn TEXT NOT NULL,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  owner TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  deadline_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  handed_off_at BIGINT,
  decided_at BIGINT,
  failure TEXT,
  changes_json TEXT,
  PRIMARY KEY (channel_arn, callback_id)
);
CREATE INDEX flow_step_due ON flow_step (due_at) WHERE state IN ('DISPATCHING', 'AWAITING');
CREATE INDEX flow_step_by_message ON flow_step (channel_arn, message_id, revision, position);

-- scope is the channel or AppInstance the call was about. For a message the answer holds its id and revision.
CREATE TABLE idempotency_token (
  scope TEXT NOT NULL,
  operation TEXT NOT NULL,
  caller TEXT NOT NULL,
  token TEXT NOT NULL,
  parameters_hash TEXT NOT NULL,
  answer_json TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (scope, operation, caller, token)
);
CREATE INDEX idempotency_token_by_expiry ON idempotency_token (expires_at);
