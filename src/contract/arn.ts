/** Where this server's resources live; both are parts of every ARN. */
export interface Place {
  region: string
  account: string
}

const appInstancePart = /^arn:aws:chime:[^:]*:[^:]*:app-instance\/[^/]+/

export const appInstanceArn = ({ region, account }: Place, id: string) =>
  `arn:aws:chime:${region}:${account}:app-instance/${id}`
export const appInstanceUserArn = (appInstance: string, id: string) => `${appInstance}/user/${id}`
export const channelArn = (appInstance: string, id: string) => `${appInstance}/channel/${id}`
export const channelFlowArn = (appInstance: string, id: string) => `${appInstance}/channel-flow/${id}`

/** The AppInstance that a user, channel or flow ARN belongs to, or the ARN's own if it is one. */
export const appInstanceOf = (arn: string): string | undefined => appInstancePart.exec(arn)?.[0]

export const isAppInstanceUserArn = (arn: string) => appInstancePart.test(arn) && arn.split('/')[2] === 'user'

/** `redact` of `arn:aws:lambda:us-east-1:111122223333:function:redact:live`: account, region and version do not matter. */
export const functionNameOf = (lambdaArn: string): string => lambdaArn.split(':')[6] ?? ''
