declare module 'virtual:theme.css'

declare module 'virtual:messaging-session' {
  export {
    ConsoleLogger,
    DefaultMessagingSession,
    DefaultSigV4,
    LogLevel,
    type Message,
    MessagingSessionConfiguration,
  } from 'amazon-chime-sdk-js'
}
