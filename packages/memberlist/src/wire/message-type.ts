/** First octet of every message. The values are append-only in the reference, and unknown ones are dropped. */
export const MessageType = {
  Ping: 0,
  IndirectPing: 1,
  Ack: 2,
  Suspect: 3,
  Alive: 4,
  Dead: 5,
  PushPull: 6,
  Compound: 7,
  User: 8,
  Compress: 9,
  Encrypt: 10,
  Nack: 11,
  Crc: 12,
  Error: 13,
  /** Not a message but the header that names the ring, outermost on datagrams and streams. */
  Label: 244,
} as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]
