import {
  messageKey,
  messageOrigin,
  messageState,
  runColumns,
  runKey,
  runState,
  stepColumns,
  stepKey,
  stepState,
  tokenColumns,
  tokenKey,
} from './columns.ts'
import type { Prepared } from './postgres-connection.ts'
import { everyShard } from './shards.ts'
import { mayBeTaken, stepIsOpen } from './steps.ts'

/*
 * The hot writes of PostgreSQL: one statement for all changes of a kind, which come as one JSON array, $1, in the order
 * of their arrival. Each statement is a transaction of its own at READ COMMITTED, so its snapshot may be older than what
 * it finds locked by others. What must be true is therefore read under a lock: the lock waits, and looks again. Rows are
 * locked in the order of their keys, and heads after all else, so that batches wait for each other and do not deadlock.
 */

const from = (alias: string, columns: string[]) => columns.map((column) => `${alias}.${column}`).join(', ')
const set = (alias: string, columns: string[]) => columns.map((column) => `${column} = ${alias}.${column}`).join(', ')
const same = (one: string, other: string, columns: string[]) =>
  columns.map((column) => `${one}.${column} = ${other}.${column}`).join(' AND ')

/** Writes the rows that the member of each element of `source` holds as JSON, where it holds one. */
const insertEach = (table: string, columns: string[], source: string, member: string) =>
  `INSERT INTO ${table} (${columns.join(', ')})
   SELECT ${from('row', columns)} FROM ${source} element, json_populate_record(NULL::${table}, element.${member}) row
   WHERE element.${member} IS NOT NULL`

/** What of `source` makes a row of the log: who gives it a number calls it `seq`. */
const insertLog = (source: string) =>
  `INSERT INTO channel_log (channel_arn, seq, event_type, audience_json, subject, revision, created_at)
   SELECT channel_arn, seq, event_type, audience_json, message_id, log_revision, log_created_at FROM ${source}`

/** The heads of the channels of `source`, locked. */
const lockHeads = (source: string) =>
  `SELECT channel_arn, next_seq, last_created_at FROM channel_head
   WHERE channel_arn IN (SELECT channel_arn FROM ${source}) ORDER BY channel_arn FOR UPDATE`

/** The elements of `source` in the order of their arrival, each with its number in its channel's log. */
const numberEach = (source: string) =>
  `SELECT element.*, heads.next_seq - 1 + row_number() OVER (PARTITION BY element.channel_arn ORDER BY element.at) AS seq
   FROM ${source} element JOIN heads ON heads.channel_arn = element.channel_arn`

/** Moves the heads on, past the numbers that were given. */
const advanceHeads = (times: string) =>
  `UPDATE channel_head SET next_seq = moved.next_seq, ${times}
   FROM (SELECT channel_arn, max(seq) + 1 AS next_seq, max(log_created_at) AS latest, max(last_message_at) AS last_message_at
         FROM numbered GROUP BY channel_arn) moved
   WHERE channel_head.channel_arn = moved.channel_arn`

const moveLastMessage = 'last_message_at = greatest(channel_head.last_message_at, moved.last_message_at)'

/** The flows of the channels of `input`, and whether that of an element is as it was read. */
const lockFlows = `SELECT channel_arn, channel_flow_arn FROM channel
  WHERE channel_arn IN (SELECT channel_arn FROM input WHERE flow_matters) ORDER BY channel_arn FOR SHARE`

const flowIsSame = `(NOT input.flow_matters OR EXISTS (SELECT 1 FROM channels WHERE channels.channel_arn = input.channel_arn
    AND channels.channel_flow_arn IS NOT DISTINCT FROM input.read_flow_arn))`

/** The flow of the channel and the membership of the sender are read under a lock: see above. */
export const acceptMessages: Prepared = {
  name: 'accept-messages',
  text: `WITH input AS MATERIALIZED (
  SELECT element.at, element.flow_matters, element.read_flow_arn, element.event_type, element.audience_json,
    element.token AS token_row, element.run, element.step, message.*
  FROM json_to_recordset($1::json) AS element (at INTEGER, message JSON, flow_matters BOOLEAN, read_flow_arn TEXT,
    event_type TEXT, audience_json TEXT, token JSON, run JSON, step JSON),
    json_populate_record(NULL::channel_message, element.message) message
), channels AS MATERIALIZED (
  ${lockFlows}
), members AS MATERIALIZED (
  SELECT channel_arn, member_arn FROM channel_membership
  WHERE (channel_arn, member_arn) IN (SELECT channel_arn, sender_arn FROM input) AND type = 'DEFAULT'
  ORDER BY channel_arn, member_arn FOR SHARE
), judged AS MATERIALIZED (
  SELECT input.*, members.member_arn IS NOT NULL AS is_member, ${flowIsSame} AS flow_is_same
  FROM input LEFT JOIN members ON members.channel_arn = input.channel_arn AND members.member_arn = input.sender_arn
), heads AS MATERIALIZED (
  ${lockHeads('judged WHERE is_member AND flow_is_same')}
), candidates AS MATERIALIZED (
  SELECT judged.*, ${from('token', tokenColumns)},
    row_number() OVER (PARTITION BY ${from('token', tokenKey)} ORDER BY judged.at) AS nth_of_token
  FROM judged JOIN heads ON heads.channel_arn = judged.channel_arn
    LEFT JOIN LATERAL json_populate_record(NULL::idempotency_token, judged.token_row) token ON judged.token_row IS NOT NULL
  WHERE judged.is_member AND judged.flow_is_same
), tokens AS (
  INSERT INTO idempotency_token (${tokenColumns.join(', ')})
  SELECT ${tokenColumns.join(', ')} FROM candidates WHERE token_row IS NOT NULL AND nth_of_token = 1
  ORDER BY ${tokenKey.join(', ')} ON CONFLICT DO NOTHING RETURNING ${tokenKey.join(', ')}
), accepted AS MATERIALIZED (
  SELECT candidates.*, max(created_at) OVER (PARTITION BY channel_arn ORDER BY at) AS latest FROM candidates
  WHERE token_row IS NULL
    OR nth_of_token = 1 AND (${tokenKey.join(', ')}) IN (SELECT ${tokenKey.join(', ')} FROM tokens)
), timed AS MATERIALIZED (
  SELECT at, event_type, audience_json, run, step, ${from('accepted', [...messageKey, ...messageState, ...messageOrigin])},
    revision AS log_revision, greatest(heads.last_created_at, latest) AS log_created_at, CASE
      WHEN status = 'SENT' AND persistence = 'PERSISTENT' AND target_arn IS NULL
      THEN greatest(heads.last_created_at, latest) END AS last_message_at
  FROM accepted JOIN heads ON heads.channel_arn = accepted.channel_arn
), numbered AS MATERIALIZED (
  ${numberEach('timed')}
), messages AS (
  INSERT INTO channel_message (${[...messageKey, ...messageState, ...messageOrigin].join(', ')}, seq, created_at, updated_at)
  SELECT ${[...messageKey, ...messageState, ...messageOrigin].join(', ')}, seq, log_created_at, log_created_at FROM numbered
), runs AS (
  ${insertEach('flow_run', runColumns, 'numbered', 'run')}
), steps AS (
  ${insertEach('flow_step', stepColumns, 'numbered', 'step')}
), logged AS (
  ${insertLog('numbered')}
), advanced AS (
  ${advanceHeads(`last_created_at = moved.latest, ${moveLastMessage}`)}
)
SELECT judged.at, judged.is_member, judged.flow_is_same, candidates.at IS NOT NULL AS has_head,
  numbered.seq, numbered.log_created_at AS created_at
FROM judged LEFT JOIN candidates ON candidates.at = judged.at LEFT JOIN numbered ON numbered.at = judged.at`,
}

export const acceptUpdates: Prepared = {
  name: 'accept-updates',
  text: `WITH input AS MATERIALIZED (
  SELECT element.at, element.event_type, element.audience_json, element.log_revision, element.now AS log_created_at,
    element.run, element.step, element.flow_matters, element.read_flow_arn, message.*
  FROM json_to_recordset($1::json) AS element (at INTEGER, message JSON, flow_matters BOOLEAN, read_flow_arn TEXT,
    event_type TEXT, audience_json TEXT, log_revision INTEGER, now BIGINT, run JSON, step JSON),
    json_populate_record(NULL::channel_message, element.message) message
), channels AS MATERIALIZED (
  ${lockFlows}
), unchanged AS MATERIALIZED (
  SELECT channel_arn, message_id, revision FROM channel_message
  WHERE (channel_arn, message_id) IN (SELECT channel_arn, message_id FROM input)
    AND status = 'SENT' AND redacted = 0 AND coalesce(update_status, '') <> 'PENDING'
  ORDER BY channel_arn, message_id FOR UPDATE
), accepted AS MATERIALIZED (
  SELECT DISTINCT ON (input.channel_arn, input.message_id) input.at, input.event_type, input.audience_json,
    input.log_revision, input.log_created_at, input.run, input.step, NULL::bigint AS last_message_at,
    ${from('input', [...messageKey, ...messageState])}, input.updated_at
  FROM input JOIN unchanged ON ${same('unchanged', 'input', messageKey)} AND unchanged.revision = input.revision - 1
  WHERE ${flowIsSame}
  ORDER BY input.channel_arn, input.message_id, input.at
), heads AS MATERIALIZED (
  ${lockHeads('accepted')}
), numbered AS MATERIALIZED (
  ${numberEach('accepted')}
), messages AS (
  UPDATE channel_message SET ${set('numbered', [...messageState, 'updated_at'])} FROM numbered
  WHERE ${same('channel_message', 'numbered', messageKey)}
), runs AS (
  ${insertEach('flow_run', runColumns, 'numbered', 'run')}
), steps AS (
  ${insertEach('flow_step', stepColumns, 'numbered', 'step')}
), logged AS (
  ${insertLog('numbered')}
), advanced AS (
  ${advanceHeads(moveLastMessage)}
)
SELECT input.at, accepted.at IS NOT NULL AS accepted, numbered.seq
FROM input LEFT JOIN accepted ON accepted.at = input.at LEFT JOIN numbered ON numbered.at = input.at`,
}

/** The first of `input` for each open step that is in the hand that it names. */
const takeOpenSteps = `open_steps AS MATERIALIZED (
  SELECT channel_arn, callback_id, owner FROM flow_step
  WHERE (channel_arn, callback_id) IN (SELECT channel_arn, callback_id FROM input) AND ${stepIsOpen}
  ORDER BY channel_arn, callback_id FOR UPDATE
)`

const openAndHeld = `open_steps ON ${same('open_steps', 'input', stepKey)} AND open_steps.owner = coalesce(input.held_by, open_steps.owner)`

const updateSteps = (source: string) => `UPDATE flow_step SET ${set('row', stepState)}
  FROM ${source} element, json_populate_record(NULL::flow_step, element.step) row WHERE ${same('flow_step', 'row', stepKey)}`

/** A message that is gone has no ending: its run is over, and nobody is told. */
export const decideSteps: Prepared = {
  name: 'decide-steps',
  text: `WITH input AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS element (at INTEGER, channel_arn TEXT, callback_id TEXT, message_id TEXT,
    held_by TEXT, step JSON, run JSON, next JSON, ends BOOLEAN, message JSON, event_type TEXT, audience_json TEXT,
    log_revision INTEGER, log_created_at BIGINT, last_message_at BIGINT)
), ${takeOpenSteps}, decided AS MATERIALIZED (
  SELECT DISTINCT ON (input.channel_arn, input.callback_id) input.* FROM input JOIN ${openAndHeld}
  ORDER BY input.channel_arn, input.callback_id, input.at
), there AS MATERIALIZED (
  SELECT channel_arn, message_id FROM channel_message
  WHERE (channel_arn, message_id) IN (SELECT channel_arn, message_id FROM decided WHERE ends)
  ORDER BY channel_arn, message_id FOR UPDATE
), endings AS MATERIALIZED (
  SELECT decided.* FROM decided JOIN there ON ${same('there', 'decided', messageKey)} WHERE decided.ends
), heads AS MATERIALIZED (
  ${lockHeads('endings')}
), numbered AS MATERIALIZED (
  ${numberEach('endings')}
), steps AS (
  ${updateSteps('decided')}
), runs AS (
  UPDATE flow_run SET ${set('row', runState)}
  FROM decided element, json_populate_record(NULL::flow_run, element.run) row WHERE ${same('flow_run', 'row', runKey)}
), next_steps AS (
  ${insertEach('flow_step', stepColumns, 'decided', 'next')}
), messages AS (
  UPDATE channel_message SET ${set('row', [...messageState, 'updated_at'])}
  FROM endings element, json_populate_record(NULL::channel_message, element.message) row
  WHERE element.message IS NOT NULL AND ${same('channel_message', 'row', messageKey)}
), removed AS (
  DELETE FROM channel_message USING endings
  WHERE endings.message IS NULL AND ${same('channel_message', 'endings', messageKey)}
), logged AS (
  ${insertLog('numbered')}
), advanced AS (
  ${advanceHeads(moveLastMessage)}
)
SELECT input.at, decided.at IS NOT NULL AS decided, numbered.seq
FROM input LEFT JOIN decided ON decided.at = input.at LEFT JOIN numbered ON numbered.at = input.at`,
}

export const recordHandOffs: Prepared = {
  name: 'record-hand-offs',
  text: `WITH input AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS element (at INTEGER, channel_arn TEXT, callback_id TEXT, held_by TEXT, step JSON)
), ${takeOpenSteps}, recorded AS MATERIALIZED (
  SELECT input.* FROM input JOIN ${openAndHeld}
), steps AS (
  ${updateSteps('recorded')}
)
SELECT input.at, recorded.at IS NOT NULL AS recorded FROM input LEFT JOIN recorded ON recorded.at = input.at`,
}

/** What another node has just locked is that node's. The rows come as JSON, each whole. */
export const leaseSteps: Prepared = {
  name: 'lease-steps',
  text: `WITH due AS MATERIALIZED (
  SELECT channel_arn, callback_id FROM flow_step
  WHERE ${stepIsOpen} AND shard IN (${everyShard}) AND due_at <= $3::bigint AND ${mayBeTaken('$1::text', '$3::bigint')}
  ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
), leased AS (
  UPDATE flow_step SET owner = $1::text,
    due_at = CASE WHEN deadline_at > $3::bigint THEN least($2::bigint, deadline_at) ELSE $2::bigint END
  FROM due WHERE ${same('flow_step', 'due', stepKey)} RETURNING flow_step.*
)
SELECT to_json(leased) AS step, to_json(flow_run) AS run, to_json(channel_message) AS message FROM leased
  JOIN flow_run ON ${same('flow_run', 'leased', runKey)}
  JOIN channel_message ON ${same('channel_message', 'leased', messageKey)}`,
}
