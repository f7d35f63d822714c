import type { Note } from '../swim/index.js'
import type { WireFault } from '../wire/index.js'

/** What a node has done and seen since its start. */
export interface Counters {
  packetsSent: number
  packetsReceived: number
  /** Octets of UDP payload, label and encryption included. */
  octetsSent: number
  octetsReceived: number
  /** Datagrams that the system refused to send. */
  sendErrors: number
  streamsDialed: number
  streamsRefused: number
  streamsFailed: number
  streamsAccepted: number
  /** Streams closed unread because too many were open, in all or from their address, or from where none is allowed. */
  streamsRejected: number
  /** Streams that broke the format. */
  streamFaults: number
  /** Streams from peers that ended, or ran into their deadline, in the middle of a message. */
  streamsUnfinished: number
  /** Octets of streams that are over. */
  streamOctetsSent: number
  streamOctetsReceived: number
  /** Datagrams from addresses that are not allowed. */
  packetsNotAllowed: number
  /** Datagrams and messages in them that could not be read, by what was wrong. */
  packetFaults: Partial<Record<WireFault, number>>
  /** What the protocol noted. */
  notes: Partial<Record<Note, number>>
}

/** All zero. */
export const createCounters = (): Counters => ({
  packetsSent: 0,
  packetsReceived: 0,
  octetsSent: 0,
  octetsReceived: 0,
  sendErrors: 0,
  streamsDialed: 0,
  streamsRefused: 0,
  streamsFailed: 0,
  streamsAccepted: 0,
  streamsRejected: 0,
  streamFaults: 0,
  streamsUnfinished: 0,
  streamOctetsSent: 0,
  streamOctetsReceived: 0,
  packetsNotAllowed: 0,
  packetFaults: {},
  notes: {},
})
