import Type, { type Static } from 'typebox'
import { optional } from '../binding.ts'
import { ChimeArn, ResourceName } from '../shapes.ts'

export const Identity = Type.Object({ Arn: optional(ChimeArn), Name: optional(ResourceName) })

export type Identity = Static<typeof Identity>
