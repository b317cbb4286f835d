import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ExpirationSettings } from '../../contract/structures/channels.ts'
import { type ChannelCall, mayModerateChannel } from '../access.ts'
import { operation } from '../context.ts'
import { requireChannel, requireChannelByArn } from './channel.ts'
import { expirationColumns, scheduleExpiration } from './channel-expiration.ts'

/** For moderators and admins; without a bearer, for every caller with credentials. Without settings the channel never expires. */
export const PutChannelExpirationSettings = operation({
  name: 'PutChannelExpirationSettings',
  http: 'PUT /channels/{ChannelArn}/expiration-settings 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: optional(bearer()),
    ExpirationSettings: optional(ExpirationSettings),
  },
  output: { ChannelArn: optional(ChimeArn), ExpirationSettings: optional(ExpirationSettings) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  async allow(input, context) {
    if (hasBearer(input)) return (await mayModerateChannel(input, context)).channel
    return requireChannelByArn(context.read, input.ChannelArn)
  },
  async handle({ ChannelArn, ExpirationSettings }, { store }, { channel_id }) {
    const columns = expirationColumns(ExpirationSettings)
    return store.transaction(async (transaction) => {
      const channel = { ...(await requireChannel(transaction, channel_id)), ...columns }
      await transaction.run(
        'UPDATE channel SET expiration_days = $2, expiration_criterion = $3 WHERE channel_id = $1',
        channel_id,
        columns.expiration_days,
        columns.expiration_criterion,
      )
      await scheduleExpiration(transaction, channel)
      return { ChannelArn, ExpirationSettings }
    })
  },
})

const hasBearer = (input: Omit<ChannelCall, 'ChimeBearer'> & { ChimeBearer?: string }): input is ChannelCall =>
  input.ChimeBearer !== undefined
