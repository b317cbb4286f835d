-- A message counts every text its sender gave it in `revision`, also those that did not go out. While a flow holds an
-- update the message stays as it was, and update_status says PENDING; FAILED until the next update.
ALTER TABLE channel_message ADD COLUMN update_status TEXT;
ALTER TABLE channel_message ADD COLUMN update_detail TEXT;

-- Of an update: the text as its sender sent it. Of a new message the message's own row has it.
ALTER TABLE flow_run ADD COLUMN requested_json TEXT;

-- By which call the step was decided, so that the SDK's own retry of that call gets the same answer.
ALTER TABLE flow_step ADD COLUMN verdict_key TEXT;

-- Time and number run alike in a channel, so a time is found by its number.
CREATE INDEX channel_message_by_time ON channel_message (channel_arn, created_at, seq);

CREATE TABLE access_key (
  access_key_id TEXT PRIMARY KEY,
  secret_access_key TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Of any key, the root key among them, which may have no row of its own.
CREATE TABLE suspended_key (
  access_key_id TEXT PRIMARY KEY,
  suspended_at BIGINT NOT NULL
);
