import {
  messageColumns,
  messageKey,
  messageState,
  runColumns,
  runKey,
  runState,
  stepColumns,
  stepKey,
  stepState,
  tokenColumns,
} from './columns.ts'
import type { Prepared } from './postgres-connection.ts'
import { Members, text } from './postgres-input.ts'
import { dueAtOfTaken, isNotExtended, stepAssignments, stepIsOpen, takenSteps } from './steps.ts'

/*
 * The hot writes of PostgreSQL: one statement for all changes of a kind. $1 has them as one JSON array, in the order of
 * their arrival. Each statement is its own transaction at READ COMMITTED, so its snapshot may be older than rows that
 * others have locked. Guards therefore read rows with a lock: the lock waits, and then reads the row again. Rows are locked
 * in the order of their keys, and heads after all others, so that batches wait for each other and do not deadlock.
 *
 * LATERAL looks up and locks the row of each element: that is a search in the index with any size of the table, and the
 * plan has fewer nodes than with `IN (SELECT …)` and a sort. test/store/postgres-statements.sql has the generated
 * statements.
 */

const except = <Column extends string, Left extends Column>(columns: readonly Column[], ...left: Left[]) =>
  columns.filter((column): column is Exclude<Column, Left> => !(left as string[]).includes(column))

/** Columns that the message, its run and its step share are only members of the message. */
const ofMessage = ['channel_id', 'message_id', 'revision'] as const

/** The store generates the number and the times of a message. */
export const acceptedMessage = new Members('', except(messageColumns, 'seq', 'created_at', 'updated_at'))
export const acceptedToken = new Members('', tokenColumns)
export const acceptedRun = new Members('run__', except(runColumns, ...ofMessage))
export const acceptedStep = new Members('step__', except(stepColumns, ...ofMessage))
export const updatedMessage = new Members('', [...messageKey, ...messageState, 'updated_at'] as const)
export const decidedStep = new Members('step__', stepState)
export const decidedRun = new Members('run__', runState)
export const nextStep = new Members('next__', except(stepColumns, ...ofMessage))
export const endedMessage = new Members('message__', [...messageState, 'updated_at'] as const)

/** The elements of $1. `at` is the index of each in its group. */
const elements = (...definitions: string[]) =>
  `json_to_recordset($1::json) AS element (at INTEGER, ${definitions.join(', ')})`

const same = (one: string, other: string, columns: readonly string[]) =>
  columns.map((column) => `${one}.${column} = ${other}.${column}`).join(' AND ')

/** The row of the step or run, for each element of `numbered` that has one. */
const insertEach = (table: string, { columns, names }: Members, where: string) =>
  `INSERT INTO ${table} (${[...ofMessage, ...columns].join(', ')})
  SELECT ${ofMessage.join(', ')}, ${names} FROM numbered WHERE ${where}`

/** The row of the event, for each element of `numbered` that has one. */
const insertLog = (where: string) =>
  `INSERT INTO channel_log (channel_id, seq, event_type, audience_json, subject, revision, created_at)
  SELECT channel_id, seq, event_type, audience_json, message_id, log_revision, logged_at FROM numbered WHERE ${where}`

/** The locked head row, for each element of `source` for which `where` is true. */
const joinHead = (source: string, where: string) =>
  `(SELECT * FROM ${source} ORDER BY channel_id, at) ${source}
  LEFT JOIN LATERAL (
    SELECT next_seq, last_created_at FROM channel_head
    WHERE channel_id = ${source}.channel_id AND deleted_at IS NULL AND ${where} FOR UPDATE
  ) head ON TRUE`

/**
 * The number of an element's event in the channel log: it follows the earlier elements for which `counts` is true.
 */
const seq = (counts: string) => `next_seq - 1 + count(*) FILTER (WHERE ${counts}) OVER in_channel`
const inChannel = 'WINDOW in_channel AS (PARTITION BY channel_id ORDER BY at)'

/** Moves the heads past the numbers of the elements of `numbered` for which `where` is true. */
const advanceHeads = (where: string, ...alsoSet: string[]) =>
  `UPDATE channel_head SET next_seq = moved.next_seq, ${alsoSet.join(', ')}
  FROM (
    SELECT channel_id, max(seq) + 1 AS next_seq, max(logged_at) AS logged_at, max(last_message_at) AS last_message_at
    FROM numbered WHERE ${where} GROUP BY channel_id
  ) moved WHERE channel_head.channel_id = moved.channel_id`

const moveLastMessage = 'last_message_at = greatest(channel_head.last_message_at, moved.last_message_at)'

/**
 * Whether the flow that holds the channel's messages is unchanged since it was read, for each element for which that
 * matters. The channel is locked; its AppInstance is not, because all sends of the AppInstance would write its row.
 */
const joinFlow = `LEFT JOIN LATERAL (
    SELECT coalesce(required_flow_arn, channel_flow_arn) IS NOT DISTINCT FROM input.read_flow_arn AS is_same
    FROM channel JOIN app_instance ON app_instance.app_instance_arn = channel.app_instance_arn
    WHERE channel_id = input.channel_id AND input.flow_matters FOR SHARE OF channel
  ) flow ON TRUE`
const flowIsSame = '(NOT input.flow_matters OR coalesce(flow.is_same, FALSE))'
const flowDefinitions = `flow_matters BOOLEAN, read_flow_arn ${text}`
const eventDefinitions = `event_type ${text}, audience_json ${text}, log_revision BIGINT`

/** Among the elements with the same token, the first allowed one counts. */
export const acceptMessages: Prepared = {
  name: 'accept-messages',
  text: `WITH judged AS MATERIALIZED (
  SELECT input.*, member.is_there IS NOT NULL AS is_member, ${flowIsSame} AS flow_is_same
  FROM (
    SELECT * FROM ${elements(
      acceptedMessage.definitions,
      'created_at BIGINT, becomes_last BOOLEAN',
      acceptedToken.definitions,
      acceptedRun.definitions,
      acceptedStep.definitions,
      flowDefinitions,
      eventDefinitions,
    )} ORDER BY channel_id, sender_id
  ) input ${joinFlow}
  LEFT JOIN LATERAL (
    SELECT TRUE AS is_there FROM channel_membership
    JOIN app_instance_user ON user_id = member_id AND deleted_at IS NULL
    WHERE channel_id = input.channel_id AND member_id = input.sender_id AND type = 'DEFAULT'
    FOR SHARE OF channel_membership
  ) member ON TRUE
), headed AS MATERIALIZED (
  SELECT judged.*, head.next_seq, head.last_created_at,
    count(*) FILTER (WHERE head.next_seq IS NOT NULL) OVER (PARTITION BY token_key ORDER BY at) AS nth_of_token
  FROM ${joinHead('judged', 'judged.is_member AND judged.flow_is_same')}
), tokens AS (
  INSERT INTO idempotency_token (${tokenColumns.join(', ')})
  SELECT ${acceptedToken.names} FROM headed
  WHERE token_key IS NOT NULL AND next_seq IS NOT NULL AND nth_of_token = 1
  ORDER BY token_key ON CONFLICT DO NOTHING RETURNING token_key
), candidates AS (
  SELECT headed.*, next_seq IS NOT NULL
    AND (token_key IS NULL OR nth_of_token = 1 AND token_key IN (SELECT token_key FROM tokens)) AS is_accepted
  FROM headed
), timed AS (
  SELECT candidates.*, ${seq('is_accepted')} AS seq,
    greatest(last_created_at, max(created_at) FILTER (WHERE is_accepted) OVER in_channel) AS logged_at
  FROM candidates ${inChannel}
), numbered AS MATERIALIZED (
  SELECT timed.*, CASE WHEN becomes_last THEN logged_at END AS last_message_at FROM timed
), messages AS (
  INSERT INTO channel_message (${acceptedMessage.columns.join(', ')}, seq, created_at, updated_at)
  SELECT ${acceptedMessage.names}, seq, logged_at, logged_at FROM numbered WHERE is_accepted
), runs AS (
  ${insertEach('flow_run', acceptedRun, 'is_accepted AND run__callback_id IS NOT NULL')}
), steps AS (
  ${insertEach('flow_step', acceptedStep, 'is_accepted AND step__callback_id IS NOT NULL')}
), logged AS (
  ${insertLog('is_accepted')}
), advanced AS (
  ${advanceHeads('is_accepted', 'last_created_at = moved.logged_at', moveLastMessage)}
)
SELECT at, is_member, flow_is_same, next_seq IS NOT NULL AS has_head, is_accepted, seq, logged_at FROM numbered`,
}

/** Among the elements of the same message, the first one counts whose message is unchanged since it was read. */
export const acceptUpdates: Prepared = {
  name: 'accept-updates',
  text: `WITH accepted AS MATERIALIZED (
  SELECT DISTINCT ON (input.channel_id, input.message_id) input.*
  FROM (
    SELECT * FROM ${elements(
      updatedMessage.definitions,
      acceptedRun.definitions,
      acceptedStep.definitions,
      flowDefinitions,
      eventDefinitions,
      'logged_at BIGINT, sender_id BIGINT, as_member BOOLEAN',
    )} ORDER BY channel_id, message_id, at
  ) input ${joinFlow}
  LEFT JOIN LATERAL (
    SELECT TRUE AS is_there FROM channel_membership
    WHERE channel_id = input.channel_id AND member_id = input.sender_id AND input.as_member FOR SHARE
  ) member ON TRUE
  JOIN LATERAL (
    SELECT FROM channel_message
    WHERE ${same('channel_message', 'input', messageKey)} AND revision = input.revision - 1
      AND status = 'SENT' AND redacted = 0 AND coalesce(update_status, '') <> 'PENDING' FOR UPDATE
  ) unchanged ON TRUE
  WHERE ${flowIsSame} AND (NOT input.as_member OR member.is_there)
  ORDER BY input.channel_id, input.message_id, input.at
), numbered AS MATERIALIZED (
  SELECT accepted.*, ${seq('TRUE')} AS seq, NULL::bigint AS last_message_at
  FROM ${joinHead('accepted', 'TRUE')} ${inChannel}
), messages AS (
  UPDATE channel_message SET ${updatedMessage.assignments('numbered')} FROM numbered
  WHERE ${same('channel_message', 'numbered', messageKey)} AND numbered.seq IS NOT NULL
), runs AS (
  ${insertEach('flow_run', acceptedRun, 'seq IS NOT NULL AND run__callback_id IS NOT NULL')}
), steps AS (
  ${insertEach('flow_step', acceptedStep, 'seq IS NOT NULL AND step__callback_id IS NOT NULL')}
), logged AS (
  ${insertLog('seq IS NOT NULL')}
), advanced AS (
  ${advanceHeads('seq IS NOT NULL', moveLastMessage)}
)
SELECT at, seq FROM numbered`,
}

/** The value of a step's column in an element of `source`. */
const writtenIn = (source: string) => (column: string) => `${source}.step__${column}`

/**
 * The elements whose step is open and has the expected owner, and whose channel is not deleted. The steps are locked, the
 * heads are not: an element with an event reads its head again, with a lock.
 */
const withOpenStep = (...definitions: string[]) =>
  `(SELECT * FROM ${elements(`channel_id BIGINT, callback_id ${text}, expected_owner ${text}`, ...definitions)}
    ORDER BY channel_id, callback_id, at) input
  JOIN LATERAL (
    SELECT FROM flow_step
    WHERE ${same('flow_step', 'input', stepKey)} AND ${stepIsOpen} AND owner = coalesce(input.expected_owner, owner)
      AND ${isNotExtended(writtenIn('input'))}
      AND EXISTS (SELECT FROM channel_head WHERE channel_id = input.channel_id AND deleted_at IS NULL)
    FOR UPDATE
  ) open_step ON TRUE`

const updateSteps = (source: string) =>
  `UPDATE flow_step SET ${decidedStep.assignments(source, stepAssignments(writtenIn(source)))} FROM ${source}
  WHERE ${same('flow_step', source, stepKey)}`

/**
 * Among the elements of the same step, the first one counts that finds the step open. The run of a deleted message ends
 * without an event.
 */
export const decideSteps: Prepared = {
  name: 'decide-steps',
  text: `WITH decided AS MATERIALIZED (
  SELECT DISTINCT ON (input.channel_id, input.callback_id) input.*
  FROM ${withOpenStep(
    `message_id ${text}, revision BIGINT`,
    decidedStep.definitions,
    decidedRun.definitions,
    nextStep.definitions,
    'ends BOOLEAN, keeps_row BOOLEAN',
    endedMessage.definitions,
    eventDefinitions,
    'logged_at BIGINT, last_message_at BIGINT',
  )}
  ORDER BY input.channel_id, input.callback_id, input.at
), ended AS MATERIALIZED (
  SELECT decided.*, message.is_there IS NOT NULL AS is_ended
  FROM (SELECT * FROM decided ORDER BY channel_id, message_id) decided
  LEFT JOIN LATERAL (
    SELECT TRUE AS is_there FROM channel_message
    WHERE ${same('channel_message', 'decided', messageKey)} AND decided.ends FOR UPDATE
  ) message ON TRUE
), numbered AS MATERIALIZED (
  SELECT ended.*, ${seq('is_ended')} AS seq
  FROM ${joinHead('ended', 'ended.is_ended')}
  WHERE NOT is_ended OR next_seq IS NOT NULL ${inChannel}
), steps AS (
  ${updateSteps('numbered')}
), runs AS (
  UPDATE flow_run SET ${decidedRun.assignments('numbered')} FROM numbered WHERE ${same('flow_run', 'numbered', runKey)}
), next_steps AS (
  ${insertEach('flow_step', nextStep, 'next__callback_id IS NOT NULL')}
), messages AS (
  UPDATE channel_message SET ${endedMessage.assignments('numbered')} FROM numbered
  WHERE is_ended AND keeps_row AND ${same('channel_message', 'numbered', messageKey)}
), removed AS (
  DELETE FROM channel_message USING numbered
  WHERE is_ended AND NOT keeps_row AND ${same('channel_message', 'numbered', messageKey)}
), logged AS (
  ${insertLog('seq IS NOT NULL')}
), advanced AS (
  ${advanceHeads('seq IS NOT NULL', moveLastMessage)}
)
SELECT at, seq FROM numbered`,
}

export const recordHandOffs: Prepared = {
  name: 'record-hand-offs',
  text: `WITH recorded AS MATERIALIZED (
  SELECT input.* FROM ${withOpenStep(decidedStep.definitions)}
), steps AS (
  ${updateSteps('recorded')}
)
SELECT at FROM recorded`,
}

/**
 * Steps that another node has locked are skipped: that node takes them. Each row is returned as JSON; the step has no
 * channel ARN, because the run and the message have it.
 */
const takeText = (taken: string) => `WITH taken AS MATERIALIZED (
  ${taken} FOR UPDATE SKIP LOCKED
), owned AS (
  UPDATE flow_step SET owner = $1::text, due_at = ${dueAtOfTaken('$2::bigint', '$3::bigint')}
  FROM taken WHERE ${same('flow_step', 'taken', stepKey)} RETURNING ${stepColumns.map((column) => `flow_step.${column}`).join(', ')}
)
SELECT to_json(owned) AS step, to_json(run_view) AS run, to_json(message_view) AS message FROM owned
  JOIN run_view ON ${same('run_view', 'owned', runKey)}
  JOIN message_view ON ${same('message_view', 'owned', messageKey)}`

export const takeDueSteps: Prepared = {
  name: 'take-due-steps',
  text: takeText(takenSteps.due('$1::text', '$2::bigint', '$4')),
}

export const takeOrphans: Prepared = {
  name: 'take-orphans',
  text: takeText(takenSteps.orphans('$5::text', '$4')),
}
