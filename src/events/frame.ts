/**
 * One WebSocket text frame. `Payload` is a string that holds JSON, not an object: clients parse it a second time.
 * (AWS's developer guide, "Using websockets to receive messages"; amazon-chime-sdk-js, DefaultMessagingSession.)
 */
export function frame(eventType: string, messageType: string, payload?: object): string {
  const Headers = { 'x-amz-chime-event-type': eventType, 'x-amz-chime-message-type': messageType }
  return JSON.stringify(payload ? { Headers, Payload: JSON.stringify(payload) } : { Headers })
}
