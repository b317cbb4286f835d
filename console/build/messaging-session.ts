import type { Plugin } from 'vite'

const id = 'virtual:messaging-session'
const parts = {
  ConsoleLogger: 'logger/ConsoleLogger',
  DefaultMessagingSession: 'messagingsession/DefaultMessagingSession',
  DefaultSigV4: 'sigv4/DefaultSigV4',
  LogLevel: 'logger/LogLevel',
  MessagingSessionConfiguration: 'messagingsession/MessagingSessionConfiguration',
}

/**
 * The parts of amazon-chime-sdk-js that a messaging session needs. Its index would bring the meetings along, 230 kB; and in
 * a file of an ES package, the import of one of its CommonJS files would be the file's exports, not its default export.
 */
export const messagingSession = (): Plugin => ({
  name: 'messaging-session',
  resolveId: (source) => (source === id ? `\0${id}` : undefined),
  load: (source) => (source === `\0${id}` ? Object.entries(parts).map(exportOf).join('\n') : undefined),
})

const exportOf = ([name, path]: [string, string]) =>
  `export { default as ${name} } from 'amazon-chime-sdk-js/build/${path}'`
