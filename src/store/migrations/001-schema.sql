-- Times are milliseconds since the epoch. A column that ends in _json holds JSON; so do name, metadata, content and
-- content_type: a caller's text is stored as its JSON, which survives NUL and lone surrogates in every engine.
--
-- Channels and users have a number, one for each incarnation: a channel that is created again under its ARN gets a new
-- one. Hot rows hold the number, and the ARN stands once. The key of a hot table leads with the channel, so that a
-- sharding engine can distribute by it.

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- users: how many it has, for the quota.
-- default_flow_arn: the flow of a new channel. required_flow_arn: of every channel, whatever its own row says.
-- trace_days: how long timelines and logs of channels are kept; null for the default.
-- control_messages, channel_text: null, or what is refused to keys of users: CONTROL messages; texts of channels.
CREATE TABLE app_instance (
  app_instance_arn TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  metadata TEXT,
  users BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  default_flow_arn TEXT,
  required_flow_arn TEXT,
  control_messages TEXT,
  channel_text TEXT,
  trace_days INTEGER
);

-- memberships: in how many channels it is, for the quota. A deleted user's row stays, since messages name their sender, and
-- loses its name and metadata when its memberships are removed.
-- expiration_days: it is deleted so many days after created_at.
-- keys_not_before: temporary keys of the user that were issued before are refused; all of its keys, while it is in the
-- future. Null if the user was never suspended.
CREATE TABLE app_instance_user (
  user_id INTEGER PRIMARY KEY AUTOINCREMENT,
  app_instance_user_arn TEXT NOT NULL,
  app_instance_arn TEXT NOT NULL,
  name TEXT NOT NULL,
  metadata TEXT,
  memberships BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  expiration_days INTEGER,
  keys_not_before BIGINT
);
CREATE UNIQUE INDEX app_instance_user_by_arn ON app_instance_user (app_instance_user_arn) WHERE deleted_at IS NULL;
CREATE INDEX app_instance_user_by_app_instance ON app_instance_user (app_instance_arn, user_id) WHERE deleted_at IS NULL;

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

-- How long messages are kept, for an AppInstance that does not keep them for ever. Older messages are hidden at once, and
-- deleted from deletes_from on.
-- retention_days: null if they are kept for ever again.
CREATE TABLE retention (
  app_instance_arn TEXT PRIMARY KEY,
  retention_days INTEGER,
  deletes_from BIGINT
);

-- The head row of a channel's log: takes the next number, and stands for the channel in every guard. It stays when the
-- channel is deleted: the numbers of a channel that is created again under the same ARN continue from there.
-- deleted_at: the channel is deleted from this commit on. Every guard and every read asks for a head without it, since the
-- other rows are purged in the background.
CREATE TABLE channel_head (
  channel_id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel_arn TEXT NOT NULL,
  next_seq BIGINT NOT NULL,
  last_created_at BIGINT NOT NULL,
  last_message_at BIGINT,
  members BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE INDEX channel_head_by_arn ON channel_head (channel_arn, channel_id);
CREATE UNIQUE INDEX channel_head_living ON channel_head (channel_arn) WHERE deleted_at IS NULL;

-- What its members read of a channel. Read it by channel_view, which does not have deleted channels.
-- expiration_days: the channel is deleted so many days after the time that expiration_criterion names.
CREATE TABLE channel (
  channel_id BIGINT PRIMARY KEY,
  channel_arn TEXT NOT NULL,
  app_instance_arn TEXT NOT NULL,
  name TEXT NOT NULL,
  mode TEXT NOT NULL,
  privacy TEXT NOT NULL,
  metadata TEXT,
  channel_flow_arn TEXT,
  created_by_arn TEXT NOT NULL,
  created_by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  expiration_days INTEGER,
  expiration_criterion TEXT
);
CREATE INDEX channel_by_flow ON channel (channel_flow_arn, channel_id);
CREATE INDEX channel_by_privacy ON channel (app_instance_arn, privacy, channel_id);
CREATE INDEX channel_by_app_instance ON channel (app_instance_arn, channel_id);

-- PostgreSQL plans a list once, for every AppInstance and flow. One that has nearly all rows makes it expect as much of the
-- others: it would go through all channels in the order of their numbers to find the few of a small AppInstance, 100 ms for
-- 100,000 channels. These counts, instead of those of the rows, have it take the index above.
--postgres ALTER TABLE app_instance_user ALTER COLUMN app_instance_arn SET (n_distinct = 1000);
--postgres ALTER TABLE channel ALTER COLUMN app_instance_arn SET (n_distinct = 1000);
--postgres ALTER TABLE channel ALTER COLUMN channel_flow_arn SET (n_distinct = 1000);

-- The channel's log: every event, numbered in commit order. It refers to text and never copies it.
CREATE TABLE channel_log (
  channel_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  event_type TEXT NOT NULL,
  audience_json TEXT NOT NULL,
  subject TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_id, seq)
);

-- joined_seq: the number of the event that told the channel of the new member.
CREATE TABLE channel_membership (
  channel_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  type TEXT NOT NULL,
  invited_by_arn TEXT NOT NULL,
  invited_by_name TEXT NOT NULL,
  read_marker_at BIGINT,
  joined_seq BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (channel_id, member_id)
);
CREATE INDEX channel_membership_by_member ON channel_membership (member_id, channel_id);
-- Few of a channel's members are HIDDEN: a list of them must not look at all others.
CREATE INDEX channel_membership_hidden ON channel_membership (channel_id, member_id) WHERE type = 'HIDDEN';

CREATE TABLE channel_moderator (
  channel_id BIGINT NOT NULL,
  moderator_id BIGINT NOT NULL,
  created_by_arn TEXT NOT NULL,
  created_by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_id, moderator_id)
);
CREATE INDEX channel_moderator_by_moderator ON channel_moderator (moderator_id, channel_id);

-- Who may not be a member until the ban is deleted.
CREATE TABLE channel_ban (
  channel_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  created_by_arn TEXT NOT NULL,
  created_by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_id, member_id)
);
CREATE INDEX channel_ban_by_member ON channel_ban (member_id, channel_id);

-- A message as its readers may see it; while it is PENDING or FAILED, as its sender sent it. It counts every text that its
-- sender gave it in `revision`, also those that did not go out. While a flow holds an update the message stays as it was,
-- and update_status is PENDING; FAILED until the next update. Times and numbers of a channel grow together, so a time is
-- found by bisection of the numbers and needs no index.
CREATE TABLE channel_message (
  channel_id BIGINT NOT NULL,
  message_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  revision INTEGER NOT NULL,
  status TEXT NOT NULL,
  status_detail TEXT,
  sender_id BIGINT NOT NULL,
  sender_name TEXT NOT NULL,
  type TEXT NOT NULL,
  persistence TEXT NOT NULL,
  content TEXT NOT NULL,
  metadata TEXT,
  content_type TEXT,
  message_attributes_json TEXT,
  push_notification_json TEXT,
  target_id BIGINT,
  redacted INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  edited_at BIGINT,
  updated_at BIGINT NOT NULL,
  update_status TEXT,
  update_detail TEXT,
  PRIMARY KEY (channel_id, message_id)
);
CREATE UNIQUE INDEX channel_message_in_order ON channel_message (channel_id, seq);

-- One message revision on its way through a flow, with the flow as it was when the message was accepted.
-- requested_json: the text of an update as its sender sent it; a new message's own row has it.
-- text_json: the members that processors have changed so far.
-- callback_id: the CallbackId of its latest step.
-- detail: the reason of the denial or the failure, as in Status.Detail.
CREATE TABLE flow_run (
  channel_id BIGINT NOT NULL,
  message_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  state TEXT NOT NULL,
  channel_flow_arn TEXT NOT NULL,
  processors_json TEXT NOT NULL,
  deadline_ms BIGINT NOT NULL,
  requested_json TEXT,
  text_json TEXT,
  callback_id TEXT NOT NULL,
  detail TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (channel_id, message_id, revision)
);

-- For the list of failed messages. Nothing is written to it for a run that ends well.
CREATE INDEX flow_run_failed ON flow_run (ended_at, channel_id, message_id, revision) WHERE state = 'FAILED';

-- One processor's turn in a run. Steps stay when the run is over: they are the message's timeline, without its text. The
-- run names its latest step, and each step the one before it.
-- owner: the node that has the step in memory or at its processor, or '' when none has.
-- due_at: when the step needs attention next: a retry is due, or the deadline passes.
-- attempts_json: the failed attempts, without any text of the message or the processor.
-- decision_json: who decided it and why, unless its state says that.
-- rejected_callbacks: how many callbacks for it were rejected.
-- extensions_json: by whom its deadline was extended, and until when. No hot write names it.
-- verdict_key: which call decided it, so that the SDK's own retry of that call gets the same response.
CREATE TABLE flow_step (
  channel_id BIGINT NOT NULL,
  callback_id TEXT NOT NULL,
  previous_callback_id TEXT,
  message_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  position INTEGER NOT NULL,
  function_arn TEXT NOT NULL,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  owner TEXT NOT NULL,
  shard INTEGER NOT NULL,
  due_at BIGINT NOT NULL,
  deadline_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  handed_off_at BIGINT,
  decided_at BIGINT,
  failure TEXT,
  changes_json TEXT,
  verdict_key TEXT,
  attempts_json TEXT,
  decision_json TEXT,
  rejected_callbacks INTEGER NOT NULL,
  extensions_json TEXT,
  PRIMARY KEY (channel_id, callback_id)
);
CREATE INDEX flow_step_due ON flow_step (owner, shard, due_at) WHERE state IN ('DISPATCHING', 'AWAITING');

-- token_key: a hash of the operation, what the call was about, its caller and its token.
-- For a message the answer holds its id and revision.
CREATE TABLE idempotency_token (
  token_key TEXT PRIMARY KEY,
  parameters_hash TEXT NOT NULL,
  answer_json TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX idempotency_token_by_expiry ON idempotency_token (expires_at);

-- kind: operator, user or callback. Keys of functions and temporary keys have no row.
-- role: of an operator's key.
-- subject_arn: the AppInstance, user, bot or flow that the key is for; null for an operator of the whole server.
-- user_id: the number of that user.
-- directory: 1 if a user's key may read the users and flows of its AppInstance.
CREATE TABLE access_key (
  access_key_id TEXT PRIMARY KEY,
  secret_access_key TEXT NOT NULL,
  kind TEXT NOT NULL,
  role TEXT,
  subject_arn TEXT,
  user_id BIGINT,
  directory INTEGER NOT NULL,
  name TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT
);
CREATE INDEX access_key_by_subject ON access_key (subject_arn);

-- Any key can be suspended, also the root key and those that have no row of their own.
CREATE TABLE suspended_key (
  access_key_id TEXT PRIMARY KEY,
  suspended_at BIGINT NOT NULL
);

-- Keys and users whose calls were permitted before and are not any more: every node closes their sessions.
-- subject: an access key id, or the ARN of a user whose keys are suspended.
CREATE TABLE revocation (
  number BIGINT PRIMARY KEY,
  subject TEXT NOT NULL,
  revoked_at BIGINT NOT NULL
);

-- Links for signing in to the console, each good for one sign-in as the root key.
-- token_hash: the SHA-256 of the token in the link.
CREATE TABLE console_link (
  token_hash TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

-- The sessions of people in the console. The cookie's value is kept as its SHA-256.
-- access_key_id: the key with which the session acts: what becomes of the key becomes of the session.
CREATE TABLE console_session (
  session_hash TEXT PRIMARY KEY,
  access_key_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX console_session_by_key ON console_session (access_key_id, created_at);

-- The functions that an operator has paused: no node invokes them.
CREATE TABLE paused_function (
  function_name TEXT PRIMARY KEY,
  paused_at BIGINT NOT NULL
);

-- What operators did. A row is written in the commit of its act, and deleted when it is old.
-- access_key_id: the key that signed the call; 'command line' for an act of the program itself, whose user is key_name.
-- scope_arn: the AppInstance in which the act was; null for an act on the whole server.
-- facts_json: members of the call by their names, such as ARNs and ids. Never a message, a secret or a token.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at BIGINT NOT NULL,
  access_key_id TEXT NOT NULL,
  key_name TEXT,
  action TEXT NOT NULL,
  scope_arn TEXT,
  facts_json TEXT NOT NULL,
  address TEXT,
  request_id TEXT
);
CREATE INDEX audit_by_time ON audit (at, number);
CREATE INDEX audit_by_scope ON audit (scope_arn, at, number);

-- The nodes that share this store, each with the time until which it counts as alive. Steps of an owner that is no living
-- node are free for any node.
CREATE TABLE node (
  node_id TEXT PRIMARY KEY,
  alive_until BIGINT NOT NULL
);

-- Background work. Any node does the next piece of it when it is due: each piece is a transaction, which also moves the
-- cursor, so that another node can continue it.
-- subject: the number or ARN of what the work is about; '' for work about the whole store.
-- owner: the node that does it, or '' when none does.
-- failure: why the last piece failed, until one succeeds.
CREATE TABLE work (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  owner TEXT NOT NULL,
  cursor_json TEXT,
  failure TEXT,
  PRIMARY KEY (kind, subject)
);
CREATE INDEX work_due ON work (kind, due_at);

-- The hot rows with the ARNs for which their numbers stand. They do not have the rows of deleted channels.

CREATE VIEW channel_view AS
  SELECT channel.*, channel_head.last_message_at
  FROM channel
  JOIN channel_head ON channel_head.channel_id = channel.channel_id AND channel_head.deleted_at IS NULL;

CREATE VIEW membership_view AS
  SELECT channel_membership.*, channel_head.channel_arn, member.app_instance_user_arn AS member_arn,
    member.name AS member_name
  FROM channel_membership
  JOIN channel_head ON channel_head.channel_id = channel_membership.channel_id AND channel_head.deleted_at IS NULL
  JOIN app_instance_user AS member ON member.user_id = channel_membership.member_id;

CREATE VIEW message_view AS
  SELECT channel_message.*, channel_head.channel_arn, sender.app_instance_user_arn AS sender_arn,
    target.app_instance_user_arn AS target_arn
  FROM channel_message
  JOIN channel_head ON channel_head.channel_id = channel_message.channel_id AND channel_head.deleted_at IS NULL
  JOIN app_instance_user AS sender ON sender.user_id = channel_message.sender_id
  LEFT JOIN app_instance_user AS target ON target.user_id = channel_message.target_id;

CREATE VIEW run_view AS
  SELECT flow_run.*, channel_head.channel_arn
  FROM flow_run
  JOIN channel_head ON channel_head.channel_id = flow_run.channel_id AND channel_head.deleted_at IS NULL;

CREATE VIEW step_view AS
  SELECT flow_step.*, channel_head.channel_arn
  FROM flow_step
  JOIN channel_head ON channel_head.channel_id = flow_step.channel_id AND channel_head.deleted_at IS NULL;
