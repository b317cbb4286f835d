-- accept-messages

WITH judged AS MATERIALIZED (
  SELECT input.*, member.is_there IS NOT NULL AS is_member, (NOT input.flow_matters OR coalesce(flow.is_same, FALSE)) AS flow_is_same
  FROM (
    SELECT * FROM json_to_recordset($1::json) AS element (at INTEGER, channel_id BIGINT, message_id TEXT COLLATE "C", sender_id BIGINT, sender_name TEXT COLLATE "C", type TEXT COLLATE "C", persistence TEXT COLLATE "C", target_id BIGINT, redacted BIGINT, revision BIGINT, status TEXT COLLATE "C", status_detail TEXT COLLATE "C", content TEXT COLLATE "C", metadata TEXT COLLATE "C", content_type TEXT COLLATE "C", message_attributes_json TEXT COLLATE "C", push_notification_json TEXT COLLATE "C", edited_at BIGINT, update_status TEXT COLLATE "C", update_detail TEXT COLLATE "C", created_at BIGINT, becomes_last BOOLEAN, token_key TEXT COLLATE "C", parameters_hash TEXT COLLATE "C", answer_json TEXT COLLATE "C", expires_at BIGINT, run__channel_flow_arn TEXT COLLATE "C", run__deadline_ms BIGINT, run__created_at BIGINT, run__state TEXT COLLATE "C", run__processors_json TEXT COLLATE "C", run__requested_json TEXT COLLATE "C", run__text_json TEXT COLLATE "C", run__callback_id TEXT COLLATE "C", run__detail TEXT COLLATE "C", run__ended_at BIGINT, step__callback_id TEXT COLLATE "C", step__previous_callback_id TEXT COLLATE "C", step__position BIGINT, step__function_arn TEXT COLLATE "C", step__created_at BIGINT, step__shard BIGINT, step__rejected_callbacks BIGINT, step__state TEXT COLLATE "C", step__tries BIGINT, step__attempts BIGINT, step__owner TEXT COLLATE "C", step__due_at BIGINT, step__deadline_at BIGINT, step__handed_off_at BIGINT, step__decided_at BIGINT, step__failure TEXT COLLATE "C", step__changes_json TEXT COLLATE "C", step__verdict_key TEXT COLLATE "C", step__attempts_json TEXT COLLATE "C", step__decision_json TEXT COLLATE "C", flow_matters BOOLEAN, read_flow_arn TEXT COLLATE "C", event_type TEXT COLLATE "C", audience_json TEXT COLLATE "C", log_revision BIGINT) ORDER BY channel_id, sender_id
  ) input LEFT JOIN LATERAL (
    SELECT coalesce(required_flow_arn, channel_flow_arn) IS NOT DISTINCT FROM input.read_flow_arn AS is_same
    FROM channel JOIN app_instance ON app_instance.app_instance_arn = channel.app_instance_arn
    WHERE channel_id = input.channel_id AND input.flow_matters FOR SHARE OF channel
  ) flow ON TRUE
  LEFT JOIN LATERAL (
    SELECT TRUE AS is_there FROM channel_membership
    JOIN app_instance_user ON user_id = member_id AND deleted_at IS NULL
    WHERE channel_id = input.channel_id AND member_id = input.sender_id AND type = 'DEFAULT'
    FOR SHARE OF channel_membership
  ) member ON TRUE
), headed AS MATERIALIZED (
  SELECT judged.*, head.next_seq, head.last_created_at,
    count(*) FILTER (WHERE head.next_seq IS NOT NULL) OVER (PARTITION BY token_key ORDER BY at) AS nth_of_token
  FROM (SELECT * FROM judged ORDER BY channel_id, at) judged
  LEFT JOIN LATERAL (
    SELECT next_seq, last_created_at FROM channel_head
    WHERE channel_id = judged.channel_id AND deleted_at IS NULL AND judged.is_member AND judged.flow_is_same FOR UPDATE
  ) head ON TRUE
), tokens AS (
  INSERT INTO idempotency_token (token_key, parameters_hash, answer_json, expires_at)
  SELECT token_key, parameters_hash, answer_json, expires_at FROM headed
  WHERE token_key IS NOT NULL AND next_seq IS NOT NULL AND nth_of_token = 1
  ORDER BY token_key ON CONFLICT DO NOTHING RETURNING token_key
), candidates AS (
  SELECT headed.*, next_seq IS NOT NULL
    AND (token_key IS NULL OR nth_of_token = 1 AND token_key IN (SELECT token_key FROM tokens)) AS is_accepted
  FROM headed
), timed AS (
  SELECT candidates.*, next_seq - 1 + count(*) FILTER (WHERE is_accepted) OVER in_channel AS seq,
    greatest(last_created_at, max(created_at) FILTER (WHERE is_accepted) OVER in_channel) AS logged_at
  FROM candidates WINDOW in_channel AS (PARTITION BY channel_id ORDER BY at)
), numbered AS MATERIALIZED (
  SELECT timed.*, CASE WHEN becomes_last THEN logged_at END AS last_message_at FROM timed
), messages AS (
  INSERT INTO channel_message (channel_id, message_id, sender_id, sender_name, type, persistence, target_id, redacted, revision, status, status_detail, content, metadata, content_type, message_attributes_json, push_notification_json, edited_at, update_status, update_detail, seq, created_at, updated_at)
  SELECT channel_id, message_id, sender_id, sender_name, type, persistence, target_id, redacted, revision, status, status_detail, content, metadata, content_type, message_attributes_json, push_notification_json, edited_at, update_status, update_detail, seq, logged_at, logged_at FROM numbered WHERE is_accepted
), runs AS (
  INSERT INTO flow_run (channel_id, message_id, revision, channel_flow_arn, deadline_ms, created_at, state, processors_json, requested_json, text_json, callback_id, detail, ended_at)
  SELECT channel_id, message_id, revision, run__channel_flow_arn, run__deadline_ms, run__created_at, run__state, run__processors_json, run__requested_json, run__text_json, run__callback_id, run__detail, run__ended_at FROM numbered WHERE is_accepted AND run__callback_id IS NOT NULL
), steps AS (
  INSERT INTO flow_step (channel_id, message_id, revision, callback_id, previous_callback_id, position, function_arn, created_at, shard, rejected_callbacks, state, tries, attempts, owner, due_at, deadline_at, handed_off_at, decided_at, failure, changes_json, verdict_key, attempts_json, decision_json)
  SELECT channel_id, message_id, revision, step__callback_id, step__previous_callback_id, step__position, step__function_arn, step__created_at, step__shard, step__rejected_callbacks, step__state, step__tries, step__attempts, step__owner, step__due_at, step__deadline_at, step__handed_off_at, step__decided_at, step__failure, step__changes_json, step__verdict_key, step__attempts_json, step__decision_json FROM numbered WHERE is_accepted AND step__callback_id IS NOT NULL
), logged AS (
  INSERT INTO channel_log (channel_id, seq, event_type, audience_json, subject, revision, created_at)
  SELECT channel_id, seq, event_type, audience_json, message_id, log_revision, logged_at FROM numbered WHERE is_accepted
), advanced AS (
  UPDATE channel_head SET next_seq = moved.next_seq, last_created_at = moved.logged_at, last_message_at = greatest(channel_head.last_message_at, moved.last_message_at)
  FROM (
    SELECT channel_id, max(seq) + 1 AS next_seq, max(logged_at) AS logged_at, max(last_message_at) AS last_message_at
    FROM numbered WHERE is_accepted GROUP BY channel_id
  ) moved WHERE channel_head.channel_id = moved.channel_id
)
SELECT at, is_member, flow_is_same, next_seq IS NOT NULL AS has_head, is_accepted, seq, logged_at FROM numbered


-- accept-updates

WITH accepted AS MATERIALIZED (
  SELECT DISTINCT ON (input.channel_id, input.message_id) input.*
  FROM (
    SELECT * FROM json_to_recordset($1::json) AS element (at INTEGER, channel_id BIGINT, message_id TEXT COLLATE "C", revision BIGINT, status TEXT COLLATE "C", status_detail TEXT COLLATE "C", content TEXT COLLATE "C", metadata TEXT COLLATE "C", content_type TEXT COLLATE "C", message_attributes_json TEXT COLLATE "C", push_notification_json TEXT COLLATE "C", edited_at BIGINT, update_status TEXT COLLATE "C", update_detail TEXT COLLATE "C", updated_at BIGINT, run__channel_flow_arn TEXT COLLATE "C", run__deadline_ms BIGINT, run__created_at BIGINT, run__state TEXT COLLATE "C", run__processors_json TEXT COLLATE "C", run__requested_json TEXT COLLATE "C", run__text_json TEXT COLLATE "C", run__callback_id TEXT COLLATE "C", run__detail TEXT COLLATE "C", run__ended_at BIGINT, step__callback_id TEXT COLLATE "C", step__previous_callback_id TEXT COLLATE "C", step__position BIGINT, step__function_arn TEXT COLLATE "C", step__created_at BIGINT, step__shard BIGINT, step__rejected_callbacks BIGINT, step__state TEXT COLLATE "C", step__tries BIGINT, step__attempts BIGINT, step__owner TEXT COLLATE "C", step__due_at BIGINT, step__deadline_at BIGINT, step__handed_off_at BIGINT, step__decided_at BIGINT, step__failure TEXT COLLATE "C", step__changes_json TEXT COLLATE "C", step__verdict_key TEXT COLLATE "C", step__attempts_json TEXT COLLATE "C", step__decision_json TEXT COLLATE "C", flow_matters BOOLEAN, read_flow_arn TEXT COLLATE "C", event_type TEXT COLLATE "C", audience_json TEXT COLLATE "C", log_revision BIGINT, logged_at BIGINT, sender_id BIGINT, as_member BOOLEAN) ORDER BY channel_id, message_id, at
  ) input LEFT JOIN LATERAL (
    SELECT coalesce(required_flow_arn, channel_flow_arn) IS NOT DISTINCT FROM input.read_flow_arn AS is_same
    FROM channel JOIN app_instance ON app_instance.app_instance_arn = channel.app_instance_arn
    WHERE channel_id = input.channel_id AND input.flow_matters FOR SHARE OF channel
  ) flow ON TRUE
  LEFT JOIN LATERAL (
    SELECT TRUE AS is_there FROM channel_membership
    WHERE channel_id = input.channel_id AND member_id = input.sender_id AND input.as_member FOR SHARE
  ) member ON TRUE
  JOIN LATERAL (
    SELECT FROM channel_message
    WHERE channel_message.channel_id = input.channel_id AND channel_message.message_id = input.message_id AND revision = input.revision - 1
      AND status = 'SENT' AND redacted = 0 AND coalesce(update_status, '') <> 'PENDING' FOR UPDATE
  ) unchanged ON TRUE
  WHERE (NOT input.flow_matters OR coalesce(flow.is_same, FALSE)) AND (NOT input.as_member OR member.is_there)
  ORDER BY input.channel_id, input.message_id, input.at
), numbered AS MATERIALIZED (
  SELECT accepted.*, next_seq - 1 + count(*) FILTER (WHERE TRUE) OVER in_channel AS seq, NULL::bigint AS last_message_at
  FROM (SELECT * FROM accepted ORDER BY channel_id, at) accepted
  LEFT JOIN LATERAL (
    SELECT next_seq, last_created_at FROM channel_head
    WHERE channel_id = accepted.channel_id AND deleted_at IS NULL AND TRUE FOR UPDATE
  ) head ON TRUE WINDOW in_channel AS (PARTITION BY channel_id ORDER BY at)
), messages AS (
  UPDATE channel_message SET channel_id = numbered.channel_id, message_id = numbered.message_id, revision = numbered.revision, status = numbered.status, status_detail = numbered.status_detail, content = numbered.content, metadata = numbered.metadata, content_type = numbered.content_type, message_attributes_json = numbered.message_attributes_json, push_notification_json = numbered.push_notification_json, edited_at = numbered.edited_at, update_status = numbered.update_status, update_detail = numbered.update_detail, updated_at = numbered.updated_at FROM numbered
  WHERE channel_message.channel_id = numbered.channel_id AND channel_message.message_id = numbered.message_id AND numbered.seq IS NOT NULL
), runs AS (
  INSERT INTO flow_run (channel_id, message_id, revision, channel_flow_arn, deadline_ms, created_at, state, processors_json, requested_json, text_json, callback_id, detail, ended_at)
  SELECT channel_id, message_id, revision, run__channel_flow_arn, run__deadline_ms, run__created_at, run__state, run__processors_json, run__requested_json, run__text_json, run__callback_id, run__detail, run__ended_at FROM numbered WHERE seq IS NOT NULL AND run__callback_id IS NOT NULL
), steps AS (
  INSERT INTO flow_step (channel_id, message_id, revision, callback_id, previous_callback_id, position, function_arn, created_at, shard, rejected_callbacks, state, tries, attempts, owner, due_at, deadline_at, handed_off_at, decided_at, failure, changes_json, verdict_key, attempts_json, decision_json)
  SELECT channel_id, message_id, revision, step__callback_id, step__previous_callback_id, step__position, step__function_arn, step__created_at, step__shard, step__rejected_callbacks, step__state, step__tries, step__attempts, step__owner, step__due_at, step__deadline_at, step__handed_off_at, step__decided_at, step__failure, step__changes_json, step__verdict_key, step__attempts_json, step__decision_json FROM numbered WHERE seq IS NOT NULL AND step__callback_id IS NOT NULL
), logged AS (
  INSERT INTO channel_log (channel_id, seq, event_type, audience_json, subject, revision, created_at)
  SELECT channel_id, seq, event_type, audience_json, message_id, log_revision, logged_at FROM numbered WHERE seq IS NOT NULL
), advanced AS (
  UPDATE channel_head SET next_seq = moved.next_seq, last_message_at = greatest(channel_head.last_message_at, moved.last_message_at)
  FROM (
    SELECT channel_id, max(seq) + 1 AS next_seq, max(logged_at) AS logged_at, max(last_message_at) AS last_message_at
    FROM numbered WHERE seq IS NOT NULL GROUP BY channel_id
  ) moved WHERE channel_head.channel_id = moved.channel_id
)
SELECT at, seq FROM numbered


-- decide-steps

WITH decided AS MATERIALIZED (
  SELECT DISTINCT ON (input.channel_id, input.callback_id) input.*
  FROM (SELECT * FROM json_to_recordset($1::json) AS element (at INTEGER, channel_id BIGINT, callback_id TEXT COLLATE "C", expected_owner TEXT COLLATE "C", message_id TEXT COLLATE "C", revision BIGINT, step__state TEXT COLLATE "C", step__tries BIGINT, step__attempts BIGINT, step__owner TEXT COLLATE "C", step__due_at BIGINT, step__deadline_at BIGINT, step__handed_off_at BIGINT, step__decided_at BIGINT, step__failure TEXT COLLATE "C", step__changes_json TEXT COLLATE "C", step__verdict_key TEXT COLLATE "C", step__attempts_json TEXT COLLATE "C", step__decision_json TEXT COLLATE "C", run__state TEXT COLLATE "C", run__processors_json TEXT COLLATE "C", run__requested_json TEXT COLLATE "C", run__text_json TEXT COLLATE "C", run__callback_id TEXT COLLATE "C", run__detail TEXT COLLATE "C", run__ended_at BIGINT, next__callback_id TEXT COLLATE "C", next__previous_callback_id TEXT COLLATE "C", next__position BIGINT, next__function_arn TEXT COLLATE "C", next__created_at BIGINT, next__shard BIGINT, next__rejected_callbacks BIGINT, next__state TEXT COLLATE "C", next__tries BIGINT, next__attempts BIGINT, next__owner TEXT COLLATE "C", next__due_at BIGINT, next__deadline_at BIGINT, next__handed_off_at BIGINT, next__decided_at BIGINT, next__failure TEXT COLLATE "C", next__changes_json TEXT COLLATE "C", next__verdict_key TEXT COLLATE "C", next__attempts_json TEXT COLLATE "C", next__decision_json TEXT COLLATE "C", ends BOOLEAN, keeps_row BOOLEAN, message__revision BIGINT, message__status TEXT COLLATE "C", message__status_detail TEXT COLLATE "C", message__content TEXT COLLATE "C", message__metadata TEXT COLLATE "C", message__content_type TEXT COLLATE "C", message__message_attributes_json TEXT COLLATE "C", message__push_notification_json TEXT COLLATE "C", message__edited_at BIGINT, message__update_status TEXT COLLATE "C", message__update_detail TEXT COLLATE "C", message__updated_at BIGINT, event_type TEXT COLLATE "C", audience_json TEXT COLLATE "C", log_revision BIGINT, logged_at BIGINT, last_message_at BIGINT)
    ORDER BY channel_id, callback_id, at) input
  JOIN LATERAL (
    SELECT FROM flow_step
    WHERE flow_step.channel_id = input.channel_id AND flow_step.callback_id = input.callback_id AND state IN ('DISPATCHING', 'AWAITING') AND owner = coalesce(input.expected_owner, owner)
      AND (input.step__state <> 'EXPIRED' OR input.step__decided_at < input.step__deadline_at
    OR flow_step.deadline_at <= input.step__decided_at)
      AND EXISTS (SELECT FROM channel_head WHERE channel_id = input.channel_id AND deleted_at IS NULL)
    FOR UPDATE
  ) open_step ON TRUE
  ORDER BY input.channel_id, input.callback_id, input.at
), ended AS MATERIALIZED (
  SELECT decided.*, message.is_there IS NOT NULL AS is_ended
  FROM (SELECT * FROM decided ORDER BY channel_id, message_id) decided
  LEFT JOIN LATERAL (
    SELECT TRUE AS is_there FROM channel_message
    WHERE channel_message.channel_id = decided.channel_id AND channel_message.message_id = decided.message_id AND decided.ends FOR UPDATE
  ) message ON TRUE
), numbered AS MATERIALIZED (
  SELECT ended.*, next_seq - 1 + count(*) FILTER (WHERE is_ended) OVER in_channel AS seq
  FROM (SELECT * FROM ended ORDER BY channel_id, at) ended
  LEFT JOIN LATERAL (
    SELECT next_seq, last_created_at FROM channel_head
    WHERE channel_id = ended.channel_id AND deleted_at IS NULL AND ended.is_ended FOR UPDATE
  ) head ON TRUE
  WHERE NOT is_ended OR next_seq IS NOT NULL WINDOW in_channel AS (PARTITION BY channel_id ORDER BY at)
), steps AS (
  UPDATE flow_step SET state = numbered.step__state, tries = numbered.step__tries, attempts = numbered.step__attempts, owner = numbered.step__owner, due_at = CASE WHEN flow_step.deadline_at > numbered.step__deadline_at AND numbered.step__state = 'AWAITING' AND numbered.step__due_at = numbered.step__deadline_at THEN flow_step.deadline_at ELSE numbered.step__due_at END, deadline_at = CASE WHEN flow_step.deadline_at > numbered.step__deadline_at THEN flow_step.deadline_at ELSE numbered.step__deadline_at END, handed_off_at = numbered.step__handed_off_at, decided_at = numbered.step__decided_at, failure = numbered.step__failure, changes_json = numbered.step__changes_json, verdict_key = numbered.step__verdict_key, attempts_json = numbered.step__attempts_json, decision_json = numbered.step__decision_json FROM numbered
  WHERE flow_step.channel_id = numbered.channel_id AND flow_step.callback_id = numbered.callback_id
), runs AS (
  UPDATE flow_run SET state = numbered.run__state, processors_json = numbered.run__processors_json, requested_json = numbered.run__requested_json, text_json = numbered.run__text_json, callback_id = numbered.run__callback_id, detail = numbered.run__detail, ended_at = numbered.run__ended_at FROM numbered WHERE flow_run.channel_id = numbered.channel_id AND flow_run.message_id = numbered.message_id AND flow_run.revision = numbered.revision
), next_steps AS (
  INSERT INTO flow_step (channel_id, message_id, revision, callback_id, previous_callback_id, position, function_arn, created_at, shard, rejected_callbacks, state, tries, attempts, owner, due_at, deadline_at, handed_off_at, decided_at, failure, changes_json, verdict_key, attempts_json, decision_json)
  SELECT channel_id, message_id, revision, next__callback_id, next__previous_callback_id, next__position, next__function_arn, next__created_at, next__shard, next__rejected_callbacks, next__state, next__tries, next__attempts, next__owner, next__due_at, next__deadline_at, next__handed_off_at, next__decided_at, next__failure, next__changes_json, next__verdict_key, next__attempts_json, next__decision_json FROM numbered WHERE next__callback_id IS NOT NULL
), messages AS (
  UPDATE channel_message SET revision = numbered.message__revision, status = numbered.message__status, status_detail = numbered.message__status_detail, content = numbered.message__content, metadata = numbered.message__metadata, content_type = numbered.message__content_type, message_attributes_json = numbered.message__message_attributes_json, push_notification_json = numbered.message__push_notification_json, edited_at = numbered.message__edited_at, update_status = numbered.message__update_status, update_detail = numbered.message__update_detail, updated_at = numbered.message__updated_at FROM numbered
  WHERE is_ended AND keeps_row AND channel_message.channel_id = numbered.channel_id AND channel_message.message_id = numbered.message_id
), removed AS (
  DELETE FROM channel_message USING numbered
  WHERE is_ended AND NOT keeps_row AND channel_message.channel_id = numbered.channel_id AND channel_message.message_id = numbered.message_id
), logged AS (
  INSERT INTO channel_log (channel_id, seq, event_type, audience_json, subject, revision, created_at)
  SELECT channel_id, seq, event_type, audience_json, message_id, log_revision, logged_at FROM numbered WHERE seq IS NOT NULL
), advanced AS (
  UPDATE channel_head SET next_seq = moved.next_seq, last_message_at = greatest(channel_head.last_message_at, moved.last_message_at)
  FROM (
    SELECT channel_id, max(seq) + 1 AS next_seq, max(logged_at) AS logged_at, max(last_message_at) AS last_message_at
    FROM numbered WHERE seq IS NOT NULL GROUP BY channel_id
  ) moved WHERE channel_head.channel_id = moved.channel_id
)
SELECT at, seq FROM numbered


-- record-hand-offs

WITH recorded AS MATERIALIZED (
  SELECT input.* FROM (SELECT * FROM json_to_recordset($1::json) AS element (at INTEGER, channel_id BIGINT, callback_id TEXT COLLATE "C", expected_owner TEXT COLLATE "C", step__state TEXT COLLATE "C", step__tries BIGINT, step__attempts BIGINT, step__owner TEXT COLLATE "C", step__due_at BIGINT, step__deadline_at BIGINT, step__handed_off_at BIGINT, step__decided_at BIGINT, step__failure TEXT COLLATE "C", step__changes_json TEXT COLLATE "C", step__verdict_key TEXT COLLATE "C", step__attempts_json TEXT COLLATE "C", step__decision_json TEXT COLLATE "C")
    ORDER BY channel_id, callback_id, at) input
  JOIN LATERAL (
    SELECT FROM flow_step
    WHERE flow_step.channel_id = input.channel_id AND flow_step.callback_id = input.callback_id AND state IN ('DISPATCHING', 'AWAITING') AND owner = coalesce(input.expected_owner, owner)
      AND (input.step__state <> 'EXPIRED' OR input.step__decided_at < input.step__deadline_at
    OR flow_step.deadline_at <= input.step__decided_at)
      AND EXISTS (SELECT FROM channel_head WHERE channel_id = input.channel_id AND deleted_at IS NULL)
    FOR UPDATE
  ) open_step ON TRUE
), steps AS (
  UPDATE flow_step SET state = recorded.step__state, tries = recorded.step__tries, attempts = recorded.step__attempts, owner = recorded.step__owner, due_at = CASE WHEN flow_step.deadline_at > recorded.step__deadline_at AND recorded.step__state = 'AWAITING' AND recorded.step__due_at = recorded.step__deadline_at THEN flow_step.deadline_at ELSE recorded.step__due_at END, deadline_at = CASE WHEN flow_step.deadline_at > recorded.step__deadline_at THEN flow_step.deadline_at ELSE recorded.step__deadline_at END, handed_off_at = recorded.step__handed_off_at, decided_at = recorded.step__decided_at, failure = recorded.step__failure, changes_json = recorded.step__changes_json, verdict_key = recorded.step__verdict_key, attempts_json = recorded.step__attempts_json, decision_json = recorded.step__decision_json FROM recorded
  WHERE flow_step.channel_id = recorded.channel_id AND flow_step.callback_id = recorded.callback_id
)
SELECT at FROM recorded


-- take-due-steps

WITH taken AS MATERIALIZED (
  SELECT channel_id, callback_id FROM flow_step
     WHERE state IN ('DISPATCHING', 'AWAITING') AND owner IN ('', $1::text) AND shard IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63) AND due_at <= $2::bigint
     ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
), owned AS (
  UPDATE flow_step SET owner = $1::text, due_at = CASE WHEN deadline_at > $2::bigint THEN deadline_at ELSE $3::bigint END
  FROM taken WHERE flow_step.channel_id = taken.channel_id AND flow_step.callback_id = taken.callback_id RETURNING flow_step.channel_id, flow_step.callback_id, flow_step.previous_callback_id, flow_step.message_id, flow_step.revision, flow_step.position, flow_step.function_arn, flow_step.created_at, flow_step.shard, flow_step.rejected_callbacks, flow_step.state, flow_step.tries, flow_step.attempts, flow_step.owner, flow_step.due_at, flow_step.deadline_at, flow_step.handed_off_at, flow_step.decided_at, flow_step.failure, flow_step.changes_json, flow_step.verdict_key, flow_step.attempts_json, flow_step.decision_json
)
SELECT to_json(owned) AS step, to_json(run_view) AS run, to_json(message_view) AS message FROM owned
  JOIN run_view ON run_view.channel_id = owned.channel_id AND run_view.message_id = owned.message_id AND run_view.revision = owned.revision
  JOIN message_view ON message_view.channel_id = owned.channel_id AND message_view.message_id = owned.message_id


-- take-orphans

WITH taken AS MATERIALIZED (
  SELECT channel_id, callback_id FROM flow_step
     WHERE state IN ('DISPATCHING', 'AWAITING') AND owner = $5::text AND $5::text NOT IN (SELECT node_id FROM node)
     ORDER BY shard, due_at LIMIT $4 FOR UPDATE SKIP LOCKED
), owned AS (
  UPDATE flow_step SET owner = $1::text, due_at = CASE WHEN deadline_at > $2::bigint THEN deadline_at ELSE $3::bigint END
  FROM taken WHERE flow_step.channel_id = taken.channel_id AND flow_step.callback_id = taken.callback_id RETURNING flow_step.channel_id, flow_step.callback_id, flow_step.previous_callback_id, flow_step.message_id, flow_step.revision, flow_step.position, flow_step.function_arn, flow_step.created_at, flow_step.shard, flow_step.rejected_callbacks, flow_step.state, flow_step.tries, flow_step.attempts, flow_step.owner, flow_step.due_at, flow_step.deadline_at, flow_step.handed_off_at, flow_step.decided_at, flow_step.failure, flow_step.changes_json, flow_step.verdict_key, flow_step.attempts_json, flow_step.decision_json
)
SELECT to_json(owned) AS step, to_json(run_view) AS run, to_json(message_view) AS message FROM owned
  JOIN run_view ON run_view.channel_id = owned.channel_id AND run_view.message_id = owned.message_id AND run_view.revision = owned.revision
  JOIN message_view ON message_view.channel_id = owned.channel_id AND message_view.message_id = owned.message_id


-- a read that several callers share

SELECT asked.at, own.* FROM json_to_recordset($1::json) AS asked (at INTEGER, value_1 TEXT COLLATE "C", value_2 BIGINT)
CROSS JOIN LATERAL (
SELECT name FROM app_instance_user WHERE app_instance_user_arn = asked.value_1 AND user_id > asked.value_2
OFFSET 0
) AS own


-- 001-schema.sql

-- Times are milliseconds since the epoch. A column that ends in _json holds JSON; so do name, metadata, content and
-- content_type: a caller's text is stored as its JSON, which survives NUL and lone surrogates in every engine.
--
-- Channels and users have a number, one for each incarnation: a channel that is created again under its ARN gets a new
-- one. Hot rows hold the number, and the ARN stands once. The key of a hot table leads with the channel, so that a
-- sharding engine can distribute by it.

CREATE TABLE setting (
  name TEXT COLLATE "C" PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);

-- users: how many it has, for the quota.
-- default_flow_arn: the flow of a new channel. required_flow_arn: of every channel, whatever its own row says.
-- trace_days: how long timelines and logs of channels are kept; null for the default.
-- control_messages, channel_text: null, or what is refused to keys of users: CONTROL messages; texts of channels.
CREATE TABLE app_instance (
  app_instance_arn TEXT COLLATE "C" PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL,
  metadata TEXT COLLATE "C",
  users BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  default_flow_arn TEXT COLLATE "C",
  required_flow_arn TEXT COLLATE "C",
  control_messages TEXT COLLATE "C",
  channel_text TEXT COLLATE "C",
  trace_days INTEGER
);

-- memberships: in how many channels it is, for the quota. A deleted user's row stays, since messages name their sender, and
-- loses its name and metadata when its memberships are removed.
-- expiration_days: it is deleted so many days after created_at.
-- keys_not_before: temporary keys of the user that were issued before are refused; all of its keys, while it is in the
-- future. Null if the user was never suspended.
CREATE TABLE app_instance_user (
  user_id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  app_instance_user_arn TEXT COLLATE "C" NOT NULL,
  app_instance_arn TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  metadata TEXT COLLATE "C",
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
  app_instance_arn TEXT COLLATE "C" NOT NULL,
  admin_arn TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (app_instance_arn, admin_arn)
);

CREATE TABLE tag (
  resource_arn TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (resource_arn, key)
);

CREATE TABLE channel_flow (
  channel_flow_arn TEXT COLLATE "C" PRIMARY KEY,
  app_instance_arn TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  processors_json TEXT COLLATE "C" NOT NULL,
  deadline_ms BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX channel_flow_by_app_instance ON channel_flow (app_instance_arn, channel_flow_arn);

-- How long messages are kept, for an AppInstance that does not keep them for ever. Older messages are hidden at once, and
-- deleted from deletes_from on.
-- retention_days: null if they are kept for ever again.
CREATE TABLE retention (
  app_instance_arn TEXT COLLATE "C" PRIMARY KEY,
  retention_days INTEGER,
  deletes_from BIGINT
);

-- The head row of a channel's log: takes the next number, and stands for the channel in every guard. It stays when the
-- channel is deleted: the numbers of a channel that is created again under the same ARN continue from there.
-- deleted_at: the channel is deleted from this commit on. Every guard and every read asks for a head without it, since the
-- other rows are purged in the background.
CREATE TABLE channel_head (
  channel_id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  channel_arn TEXT COLLATE "C" NOT NULL,
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
  channel_arn TEXT COLLATE "C" NOT NULL,
  app_instance_arn TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  mode TEXT COLLATE "C" NOT NULL,
  privacy TEXT COLLATE "C" NOT NULL,
  metadata TEXT COLLATE "C",
  channel_flow_arn TEXT COLLATE "C",
  created_by_arn TEXT COLLATE "C" NOT NULL,
  created_by_name TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  expiration_days INTEGER,
  expiration_criterion TEXT COLLATE "C"
);
CREATE INDEX channel_by_flow ON channel (channel_flow_arn, channel_id);
CREATE INDEX channel_by_privacy ON channel (app_instance_arn, privacy, channel_id);
CREATE INDEX channel_by_app_instance ON channel (app_instance_arn, channel_id);

-- PostgreSQL plans a list once, for every AppInstance and flow. One that has nearly all rows makes it expect as much of the
-- others: it would go through all channels in the order of their numbers to find the few of a small AppInstance, 100 ms for
-- 100,000 channels. These counts, instead of those of the rows, have it take the index above.
ALTER TABLE app_instance_user ALTER COLUMN app_instance_arn SET (n_distinct = 1000);
ALTER TABLE channel ALTER COLUMN app_instance_arn SET (n_distinct = 1000);
ALTER TABLE channel ALTER COLUMN channel_flow_arn SET (n_distinct = 1000);

-- The channel's log: every event, numbered in commit order. It refers to text and never copies it.
CREATE TABLE channel_log (
  channel_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  event_type TEXT COLLATE "C" NOT NULL,
  audience_json TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  revision INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_id, seq)
);

-- joined_seq: the number of the event that told the channel of the new member.
CREATE TABLE channel_membership (
  channel_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  invited_by_arn TEXT COLLATE "C" NOT NULL,
  invited_by_name TEXT COLLATE "C" NOT NULL,
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
  created_by_arn TEXT COLLATE "C" NOT NULL,
  created_by_name TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (channel_id, moderator_id)
);
CREATE INDEX channel_moderator_by_moderator ON channel_moderator (moderator_id, channel_id);

-- Who may not be a member until the ban is deleted.
CREATE TABLE channel_ban (
  channel_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  created_by_arn TEXT COLLATE "C" NOT NULL,
  created_by_name TEXT COLLATE "C" NOT NULL,
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
  message_id TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  revision INTEGER NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  status_detail TEXT COLLATE "C",
  sender_id BIGINT NOT NULL,
  sender_name TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  persistence TEXT COLLATE "C" NOT NULL,
  content TEXT COLLATE "C" NOT NULL,
  metadata TEXT COLLATE "C",
  content_type TEXT COLLATE "C",
  message_attributes_json TEXT COLLATE "C",
  push_notification_json TEXT COLLATE "C",
  target_id BIGINT,
  redacted INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  edited_at BIGINT,
  updated_at BIGINT NOT NULL,
  update_status TEXT COLLATE "C",
  update_detail TEXT COLLATE "C",
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
  message_id TEXT COLLATE "C" NOT NULL,
  revision INTEGER NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  channel_flow_arn TEXT COLLATE "C" NOT NULL,
  processors_json TEXT COLLATE "C" NOT NULL,
  deadline_ms BIGINT NOT NULL,
  requested_json TEXT COLLATE "C",
  text_json TEXT COLLATE "C",
  callback_id TEXT COLLATE "C" NOT NULL,
  detail TEXT COLLATE "C",
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
  callback_id TEXT COLLATE "C" NOT NULL,
  previous_callback_id TEXT COLLATE "C",
  message_id TEXT COLLATE "C" NOT NULL,
  revision INTEGER NOT NULL,
  position INTEGER NOT NULL,
  function_arn TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  tries INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  owner TEXT COLLATE "C" NOT NULL,
  shard INTEGER NOT NULL,
  due_at BIGINT NOT NULL,
  deadline_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  handed_off_at BIGINT,
  decided_at BIGINT,
  failure TEXT COLLATE "C",
  changes_json TEXT COLLATE "C",
  verdict_key TEXT COLLATE "C",
  attempts_json TEXT COLLATE "C",
  decision_json TEXT COLLATE "C",
  rejected_callbacks INTEGER NOT NULL,
  extensions_json TEXT COLLATE "C",
  PRIMARY KEY (channel_id, callback_id)
);
CREATE INDEX flow_step_due ON flow_step (owner, shard, due_at) WHERE state IN ('DISPATCHING', 'AWAITING');

-- token_key: a hash of the operation, what the call was about, its caller and its token.
-- For a message the answer holds its id and revision.
CREATE TABLE idempotency_token (
  token_key TEXT COLLATE "C" PRIMARY KEY,
  parameters_hash TEXT COLLATE "C" NOT NULL,
  answer_json TEXT COLLATE "C" NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX idempotency_token_by_expiry ON idempotency_token (expires_at);

-- kind: operator, user or callback. Keys of functions and temporary keys have no row.
-- role: of an operator's key.
-- subject_arn: the AppInstance, user, bot or flow that the key is for; null for an operator of the whole server.
-- user_id: the number of that user.
-- directory: 1 if a user's key may read the users and flows of its AppInstance.
CREATE TABLE access_key (
  access_key_id TEXT COLLATE "C" PRIMARY KEY,
  secret_access_key TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C",
  subject_arn TEXT COLLATE "C",
  user_id BIGINT,
  directory INTEGER NOT NULL,
  name TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  expires_at BIGINT
);
CREATE INDEX access_key_by_subject ON access_key (subject_arn);

-- Any key can be suspended, also the root key and those that have no row of their own.
CREATE TABLE suspended_key (
  access_key_id TEXT COLLATE "C" PRIMARY KEY,
  suspended_at BIGINT NOT NULL
);

-- Keys and users whose calls were permitted before and are not any more: every node closes their sessions.
-- subject: an access key id, or the ARN of a user whose keys are suspended.
CREATE TABLE revocation (
  number BIGINT PRIMARY KEY,
  subject TEXT COLLATE "C" NOT NULL,
  revoked_at BIGINT NOT NULL
);

-- Links for signing in to the console, each good for one sign-in as the root key.
-- token_hash: the SHA-256 of the token in the link.
CREATE TABLE console_link (
  token_hash TEXT COLLATE "C" PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

-- The sessions of people in the console. The cookie's value is kept as its SHA-256.
-- access_key_id: the key with which the session acts: what becomes of the key becomes of the session.
CREATE TABLE console_session (
  session_hash TEXT COLLATE "C" PRIMARY KEY,
  access_key_id TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX console_session_by_key ON console_session (access_key_id, created_at);

-- The functions that an operator has paused: no node invokes them.
CREATE TABLE paused_function (
  function_name TEXT COLLATE "C" PRIMARY KEY,
  paused_at BIGINT NOT NULL
);

-- What operators did. A row is written in the commit of its act, and deleted when it is old.
-- access_key_id: the key that signed the call; 'command line' for an act of the program itself, whose user is key_name.
-- scope_arn: the AppInstance in which the act was; null for an act on the whole server.
-- facts_json: members of the call by their names, such as ARNs and ids. Never a message, a secret or a token.
CREATE TABLE audit (
  number BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  at BIGINT NOT NULL,
  access_key_id TEXT COLLATE "C" NOT NULL,
  key_name TEXT COLLATE "C",
  action TEXT COLLATE "C" NOT NULL,
  scope_arn TEXT COLLATE "C",
  facts_json TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C",
  request_id TEXT COLLATE "C"
);
CREATE INDEX audit_by_time ON audit (at, number);
CREATE INDEX audit_by_scope ON audit (scope_arn, at, number);

-- The nodes that share this store, each with the time until which it counts as alive. Steps of an owner that is no living
-- node are free for any node.
CREATE TABLE node (
  node_id TEXT COLLATE "C" PRIMARY KEY,
  alive_until BIGINT NOT NULL
);

-- Background work. Any node does the next piece of it when it is due: each piece is a transaction, which also moves the
-- cursor, so that another node can continue it.
-- subject: the number or ARN of what the work is about; '' for work about the whole store.
-- owner: the node that does it, or '' when none does.
-- failure: why the last piece failed, until one succeeds.
CREATE TABLE work (
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  due_at BIGINT NOT NULL,
  owner TEXT COLLATE "C" NOT NULL,
  cursor_json TEXT COLLATE "C",
  failure TEXT COLLATE "C",
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
