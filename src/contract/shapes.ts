import Type, { type Static } from 'typebox'

/**
 * The simple shapes of both services, from AWS's API references. Lengths count Unicode code points. A pattern
 * is compiled with the `u` flag, so AWS's needless escapes are left out; AWS's `.*` accepts everything and is left out
 * as a whole. `sensitive` marks what AWS keeps out of logs.
 */
const sensitive = { sensitive: true }
const timestampMark = { timestamp: true }
const anyText = '^[\\s\\S]*$'
const arnText = '^arn:[a-z0-9-.]{1,63}:[a-z0-9-.]{0,63}:[a-z0-9-.]{0,63}:[a-z0-9-.]{0,63}:[^/].{0,1023}$'
const identifierText = '^[A-Za-z0-9]([A-Za-z0-9:\\-_.@]{0,62}[A-Za-z0-9])?$'
/** AWS writes the last range as \u10000-\u10FFFF, which as JavaScript would refuse every emoji. */
const nameText = '^[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u{10000}-\\u{10FFFF}]*$'
const tokenText = '^[-_a-zA-Z0-9]*$'

export const ChimeArn = Type.String({ minLength: 5, maxLength: 1600, pattern: arnText })
export const LambdaFunctionArn = Type.String({
  minLength: 15,
  maxLength: 2048,
  pattern: '^arn:aws:lambda:[a-z]{2}-[a-z]+-\\d{1}:\\d{12}:function:[a-zA-Z0-9\\-_.]+(:(\\$LATEST|[a-zA-Z0-9\\-_]+))?$',
})
export const ChannelId = Type.String({ minLength: 1, maxLength: 64, pattern: identifierText, ...sensitive })
export const UserId = Type.String({ minLength: 1, maxLength: 64, pattern: identifierText, ...sensitive })
export const MessageId = Type.String({ minLength: 1, maxLength: 128, pattern: tokenText })
export const SubChannelId = Type.String({ minLength: 1, maxLength: 128, pattern: tokenText })
export const CallbackIdType = Type.String({ minLength: 32, maxLength: 64 })
export const ClientRequestToken = Type.String({ minLength: 2, maxLength: 64, pattern: tokenText, ...sensitive })
/** The identity service declares the same token without the mark. */
export const IdentityClientRequestToken = Type.String({ minLength: 2, maxLength: 64, pattern: tokenText })
export const NextToken = Type.String({ minLength: 0, maxLength: 2048, ...sensitive })
export const MaxResults = Type.Integer({ minimum: 1, maximum: 50 })

export const ResourceName = Type.String({ minLength: 0, maxLength: 256, pattern: nameText, ...sensitive })
export const NonEmptyResourceName = Type.String({ minLength: 1, maxLength: 256, pattern: nameText, ...sensitive })
export const UserName = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S', ...sensitive })
export const Metadata = Type.String({ minLength: 0, maxLength: 1024, ...sensitive })
export const Content = Type.String({ minLength: 0, maxLength: 4096, pattern: anyText, ...sensitive })
export const NonEmptyContent = Type.String({ minLength: 1, pattern: anyText, ...sensitive })
export const ContentType = Type.String({ minLength: 0, maxLength: 45, pattern: anyText, ...sensitive })
export const MessageAttributeName = Type.String({ minLength: 1, maxLength: 64, pattern: anyText, ...sensitive })
export const MessageAttributeStringValue = Type.String({
  minLength: 1,
  maxLength: 512,
  pattern: anyText,
  ...sensitive,
})
export const PushNotificationTitle = Type.String({ minLength: 1, maxLength: 50, ...sensitive })
export const PushNotificationBody = Type.String({ minLength: 1, maxLength: 150, pattern: anyText, ...sensitive })
export const StatusDetail = Type.String({ minLength: 0, maxLength: 256, pattern: anyText })
export const SearchFieldValue = Type.String({ minLength: 1, maxLength: 512, pattern: anyText })
export const TagKey = Type.String({ minLength: 1, maxLength: 128, ...sensitive })
export const TagValue = Type.String({ minLength: 1, maxLength: 256, ...sensitive })
export const UrlType = Type.String({ minLength: 0, maxLength: 4096 })

export const ChannelMode = Type.Enum(['UNRESTRICTED', 'RESTRICTED'])
export const ChannelPrivacy = Type.Enum(['PUBLIC', 'PRIVATE'])
export const ChannelMembershipType = Type.Enum(['DEFAULT', 'HIDDEN'])
export const ChannelMessageType = Type.Enum(['STANDARD', 'CONTROL'])
export const ChannelMessagePersistenceType = Type.Enum(['PERSISTENT', 'NON_PERSISTENT'])
export const ChannelMessageStatus = Type.Enum(['SENT', 'PENDING', 'FAILED', 'DENIED'])
export const SortOrder = Type.Enum(['ASCENDING', 'DESCENDING'])
export const FallbackAction = Type.Enum(['CONTINUE', 'ABORT'])
export const InvocationType = Type.Enum(['ASYNC'])
export const PushNotificationType = Type.Enum(['DEFAULT', 'VOIP'])
export const NetworkType = Type.Enum(['IPV4_ONLY', 'DUAL_STACK'])
export const ExpirationCriterion = Type.Enum(['CREATED_TIMESTAMP', 'LAST_MESSAGE_TIMESTAMP'])
/** Users expire only by the day of their creation. */
export const UserExpirationCriterion = Type.Enum(['CREATED_TIMESTAMP'])

export const SearchFieldKey = Type.Enum(['MEMBERS'])
export const SearchFieldOperator = Type.Enum(['EQUALS', 'INCLUDES'])
/** The codes that both services declare. api-error.ts has those that this server returns. */
export const ErrorCode = Type.Enum([
  'BadRequest',
  'Conflict',
  'Forbidden',
  'NotFound',
  'PreconditionFailed',
  'ResourceLimitExceeded',
  'ServiceFailure',
  'AccessDenied',
  'ServiceUnavailable',
  'Throttled',
  'Throttling',
  'Unauthorized',
  'Unprocessable',
  'VoiceConnectorGroupAssociationsExist',
  'PhoneNumberAssociationsExist',
])

export const ChannelFlowExecutionOrder = Type.Integer({ minimum: 1, maximum: 3 })
export const ExpirationDays = Type.Integer({ minimum: 1, maximum: 5475 })
export const RetentionDays = Type.Integer({ minimum: 1, maximum: 5475 })
export const MaximumSubChannels = Type.Integer({ minimum: 2 })
export const TargetMembershipsPerSubChannel = Type.Integer({ minimum: 2 })
export const MinimumMembershipPercentage = Type.Integer({ minimum: 1, maximum: 40 })
export const NonNullableBoolean = Type.Boolean()
/** Seconds since the epoch, with milliseconds as the fraction; in a query also ISO 8601. */
export const Timestamp = Type.Number(timestampMark)

export type ChannelMode = Static<typeof ChannelMode>
export type ChannelPrivacy = Static<typeof ChannelPrivacy>
export type ChannelMembershipType = Static<typeof ChannelMembershipType>
export type ChannelMessageType = Static<typeof ChannelMessageType>
export type ChannelMessagePersistenceType = Static<typeof ChannelMessagePersistenceType>
export type ChannelMessageStatus = Static<typeof ChannelMessageStatus>
