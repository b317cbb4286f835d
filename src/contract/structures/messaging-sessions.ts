import Type from 'typebox'
import { optional } from '../binding.ts'
import { UrlType } from '../shapes.ts'

export const MessagingSessionEndpoint = Type.Object({ Url: optional(UrlType) })
