/** A link to a message, which names its channel too: an id alone does not find one that another server made. */
export const MessageLink = ({ id, channelArn }: { id: string; channelArn: string }) => (
  <a className="mono" href={`/messages/${encodeURIComponent(id)}?channel=${encodeURIComponent(channelArn)}`} title={id}>
    {shortId(id)}
  </a>
)

/** A link to the messages of a channel. */
export const ChannelLink = ({ arn, name }: { arn: string; name?: string | undefined }) => (
  <a href={`/messages?view=channel&channel=${encodeURIComponent(arn)}`} title={arn}>
    {name || <span className="mono">{shortId(idOf(arn))}</span>}
  </a>
)

export const UserId = ({ arn }: { arn: string | undefined }) =>
  arn === undefined ? <span className="quiet">not kept</span> : <span title={arn}>{idOf(arn)}</span>

/** The part of an ARN that differs. */
const idOf = (arn: string): string => arn.split('/').at(-1) ?? arn

const shortId = (id: string) => (id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)
