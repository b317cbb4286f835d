/** The text of one whole WebSocket frame. It is read byte by byte, not by the code that is tested. */
export function readFrame(frame: Buffer): string {
  const short = (frame[1] as number) & 127
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  return frame.toString('utf8', start)
}
