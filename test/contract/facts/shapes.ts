/*
 * The simple shapes, lists and maps: what the SDK's packages do not say. Where the two services use one name for two
 * shapes, identity's has the name that we gave it.
 */

/** Limits are of the length of a text in code points, of the value of a number or of the size of a list. */
export interface ShapeFact {
  kind: 'string' | 'enum' | 'integer' | 'boolean' | 'timestamp' | 'list' | 'map'
  min?: number
  max?: number
  /** As AWS writes it. */
  pattern?: string
  values?: string[]
  /** Names of shapes or structures. */
  of?: string
  key?: string
}

const arn = String.raw`^arn:[a-z0-9-\.]{1,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[^/].{0,1023}$`
const identifier = String.raw`^[A-Za-z0-9]([A-Za-z0-9\:\-\_\.\@]{0,62}[A-Za-z0-9])?$`
const name = String.raw`^[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]*$`
const token = '^[-_a-zA-Z0-9]*$'
const lines = String.raw`^[\s\S]*$`
const lambda = String.raw`^arn:aws:lambda:[a-z]{2}-[a-z]+-\d{1}:\d{12}:function:[a-zA-Z0-9\-_\.]+(:(\$LATEST|[a-zA-Z0-9\-_]+))?$`
const lexBotAlias = String.raw`^arn:aws:lex:[a-z]{2}-[a-z]+-\d{1}:\d{12}:bot-alias/[A-Z0-9]{10}/[A-Z0-9]{10}$`

export const shapeFacts: Record<string, ShapeFact> = {
  CallbackIdType: { kind: 'string', min: 32, max: 64 },
  ChannelId: { kind: 'string', min: 1, max: 64, pattern: identifier },
  ChimeArn: { kind: 'string', min: 5, max: 1600, pattern: arn },
  ClientRequestToken: { kind: 'string', min: 2, max: 64, pattern: token },
  Content: { kind: 'string', min: 0, max: 4096, pattern: lines },
  ContentType: { kind: 'string', min: 0, max: 45, pattern: lines },
  FilterRule: { kind: 'string', min: 1, pattern: lines },
  LambdaFunctionArn: { kind: 'string', min: 15, max: 2048, pattern: lambda },
  LexBotAliasArn: { kind: 'string', min: 15, max: 2048, pattern: lexBotAlias },
  LexIntentName: { kind: 'string', min: 1, max: 100, pattern: '^([A-Za-z]_?)+$' },
  MessageAttributeName: { kind: 'string', min: 1, max: 64, pattern: lines },
  MessageAttributeStringValue: { kind: 'string', min: 1, max: 512, pattern: lines },
  MessageId: { kind: 'string', min: 1, max: 128, pattern: token },
  Metadata: { kind: 'string', min: 0, max: 1024, pattern: '.*' },
  NextToken: { kind: 'string', min: 0, max: 2048, pattern: '.*' },
  NonEmptyContent: { kind: 'string', min: 1, pattern: lines },
  NonEmptyResourceName: { kind: 'string', min: 1, max: 256, pattern: name },
  NonEmptySensitiveString1600: { kind: 'string', min: 1, max: 1600, pattern: '.*' },
  PushNotificationBody: { kind: 'string', min: 1, max: 150, pattern: lines },
  PushNotificationTitle: { kind: 'string', min: 1, max: 50, pattern: '.*' },
  ResourceName: { kind: 'string', min: 0, max: 256, pattern: name },
  SearchFieldValue: { kind: 'string', min: 1, max: 512, pattern: lines },
  SensitiveChimeArn: { kind: 'string', min: 5, max: 1600, pattern: arn },
  SensitiveString1600: { kind: 'string', min: 0, max: 1600, pattern: '.*' },
  StatusDetail: { kind: 'string', min: 0, max: 256, pattern: lines },
  String: { kind: 'string' },
  String1600: { kind: 'string', min: 0, max: 1600, pattern: '.*' },
  String64: { kind: 'string', min: 0, max: 64, pattern: '.*' },
  SubChannelId: { kind: 'string', min: 1, max: 128, pattern: token },
  TagKey: { kind: 'string', min: 1, max: 128 },
  TagValue: { kind: 'string', min: 1, max: 256 },
  UrlType: { kind: 'string', min: 0, max: 4096 },
  UserId: { kind: 'string', min: 1, max: 64, pattern: identifier },
  UserName: { kind: 'string', min: 1, max: 100, pattern: String.raw`\S` },
  AllowMessages: { kind: 'enum', values: ['ALL', 'NONE'] },
  AllowNotifications: { kind: 'enum', values: ['ALL', 'NONE', 'FILTERED'] },
  AppInstanceUserEndpointType: { kind: 'enum', values: ['APNS', 'APNS_SANDBOX', 'GCM'] },
  ChannelMembershipType: { kind: 'enum', values: ['DEFAULT', 'HIDDEN'] },
  ChannelMessagePersistenceType: { kind: 'enum', values: ['PERSISTENT', 'NON_PERSISTENT'] },
  ChannelMessageStatus: { kind: 'enum', values: ['SENT', 'PENDING', 'FAILED', 'DENIED'] },
  ChannelMessageType: { kind: 'enum', values: ['STANDARD', 'CONTROL'] },
  ChannelMode: { kind: 'enum', values: ['UNRESTRICTED', 'RESTRICTED'] },
  ChannelPrivacy: { kind: 'enum', values: ['PUBLIC', 'PRIVATE'] },
  EndpointStatus: { kind: 'enum', values: ['ACTIVE', 'INACTIVE'] },
  EndpointStatusReason: { kind: 'enum', values: ['INVALID_DEVICE_TOKEN', 'INVALID_PINPOINT_ARN'] },
  ErrorCode: {
    kind: 'enum',
    values: [
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
    ],
  },
  ExpirationCriterion: { kind: 'enum', values: ['CREATED_TIMESTAMP', 'LAST_MESSAGE_TIMESTAMP'] },
  FallbackAction: { kind: 'enum', values: ['CONTINUE', 'ABORT'] },
  InvocationType: { kind: 'enum', values: ['ASYNC'] },
  MessagingDataType: { kind: 'enum', values: ['Channel', 'ChannelMessage'] },
  NetworkType: { kind: 'enum', values: ['IPV4_ONLY', 'DUAL_STACK'] },
  PushNotificationType: { kind: 'enum', values: ['DEFAULT', 'VOIP'] },
  RespondsTo: { kind: 'enum', values: ['STANDARD_MESSAGES'] },
  SearchFieldKey: { kind: 'enum', values: ['MEMBERS'] },
  SearchFieldOperator: { kind: 'enum', values: ['EQUALS', 'INCLUDES'] },
  SortOrder: { kind: 'enum', values: ['ASCENDING', 'DESCENDING'] },
  StandardMessages: { kind: 'enum', values: ['AUTO', 'ALL', 'MENTIONS', 'NONE'] },
  TargetedMessages: { kind: 'enum', values: ['ALL', 'NONE'] },
  UserExpirationCriterion: { kind: 'enum', values: ['CREATED_TIMESTAMP'] },
  ChannelFlowExecutionOrder: { kind: 'integer', min: 1, max: 3 },
  ExpirationDays: { kind: 'integer', min: 1, max: 5475 },
  MaxResults: { kind: 'integer', min: 1, max: 50 },
  MaximumSubChannels: { kind: 'integer', min: 2 },
  MembershipCount: { kind: 'integer' },
  MinimumMembershipPercentage: { kind: 'integer', min: 1, max: 40 },
  RetentionDays: { kind: 'integer', min: 1, max: 5475 },
  TargetMembershipsPerSubChannel: { kind: 'integer', min: 2 },
  NonNullableBoolean: { kind: 'boolean' },
  Timestamp: { kind: 'timestamp' },
  AppInstanceAdminList: { kind: 'list', of: 'AppInstanceAdminSummary' },
  AppInstanceBotList: { kind: 'list', of: 'AppInstanceBotSummary' },
  AppInstanceList: { kind: 'list', of: 'AppInstanceSummary' },
  AppInstanceUserEndpointSummaryList: { kind: 'list', of: 'AppInstanceUserEndpointSummary' },
  AppInstanceUserList: { kind: 'list', of: 'AppInstanceUserSummary' },
  BatchCreateChannelMembershipErrors: { kind: 'list', of: 'BatchCreateChannelMembershipError' },
  ChannelAssociatedWithFlowSummaryList: { kind: 'list', of: 'ChannelAssociatedWithFlowSummary' },
  ChannelBanSummaryList: { kind: 'list', of: 'ChannelBanSummary' },
  ChannelFlowSummaryList: { kind: 'list', of: 'ChannelFlowSummary' },
  ChannelMemberArns: { kind: 'list', min: 1, max: 10, of: 'ChimeArn' },
  ChannelMembershipForAppInstanceUserSummaryList: { kind: 'list', of: 'ChannelMembershipForAppInstanceUserSummary' },
  ChannelMembershipSummaryList: { kind: 'list', of: 'ChannelMembershipSummary' },
  ChannelMessageSummaryList: { kind: 'list', of: 'ChannelMessageSummary' },
  ChannelModeratedByAppInstanceUserSummaryList: { kind: 'list', of: 'ChannelModeratedByAppInstanceUserSummary' },
  ChannelModeratorArns: { kind: 'list', min: 1, max: 10, of: 'ChimeArn' },
  ChannelModeratorSummaryList: { kind: 'list', of: 'ChannelModeratorSummary' },
  ChannelSummaryList: { kind: 'list', of: 'ChannelSummary' },
  MemberArns: { kind: 'list', min: 1, max: 100, of: 'ChimeArn' },
  Members: { kind: 'list', of: 'Identity' },
  MessageAttributeStringValues: { kind: 'list', of: 'MessageAttributeStringValue' },
  ProcessorList: { kind: 'list', min: 1, max: 3, of: 'Processor' },
  SearchFieldValues: { kind: 'list', min: 1, max: 20, of: 'SearchFieldValue' },
  SearchFields: { kind: 'list', min: 1, max: 20, of: 'SearchField' },
  StreamingConfigurationList: { kind: 'list', min: 1, max: 2, of: 'StreamingConfiguration' },
  SubChannelSummaryList: { kind: 'list', of: 'SubChannelSummary' },
  TagKeyList: { kind: 'list', min: 1, max: 50, of: 'TagKey' },
  // AWS's TagList where it is returned: of a resource without tags it is empty.
  ListedTagList: { kind: 'list', max: 50, of: 'Tag' },
  TagList: { kind: 'list', min: 1, max: 50, of: 'Tag' },
  TargetList: { kind: 'list', min: 1, max: 1, of: 'Target' },
  MessageAttributeMap: { kind: 'map', key: 'MessageAttributeName', of: 'MessageAttributeValue' },
}
