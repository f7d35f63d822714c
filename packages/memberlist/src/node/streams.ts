import { connect, type Socket } from 'node:net'
import type { DialPurpose, Endpoint, Milliseconds } from '../swim/index.js'
import { encodeErrorResponse, type StreamMessage, type StreamReader, WireError } from '../wire/index.js'
import type { Security } from './security.js'

/** How a dial ended when it brought nothing. */
export interface DialFailure {
  /** The host answered the connection with a reset: nobody listens there. */
  readonly refused: boolean
  readonly reason: string
}

/** What to dial. */
export interface DialRequest {
  readonly purpose: DialPurpose
  readonly to: Endpoint
  readonly octets: Uint8Array
  readonly timeout: Milliseconds
}

/**
 * Opens a stream, writes a message, reads the answer and closes; for a user message there is none.
 *
 * @param onEnd called once, with the answer or with what went wrong
 * @returns the socket, to destroy it early
 */
export function dial(
  { purpose, to, octets, timeout }: DialRequest,
  security: Security,
  onEnd: (result: { readonly message: StreamMessage | undefined } | DialFailure) => void,
): Socket {
  const socket = connect({ host: to.address, port: to.port })
  let open = true
  const end = (result: { readonly message: StreamMessage | undefined } | DialFailure): void => {
    if (!open) return
    open = false
    clearTimeout(timer)
    socket.destroy()
    onEnd(result)
  }
  const timer = setTimeout(() => end({ refused: false, reason: 'timeout' }), timeout)
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const refused = error.code === 'ECONNREFUSED' && error.syscall === 'connect'
    end({ refused, reason: error.message })
  })
  socket.on('close', () => end({ refused: false, reason: 'closed by the peer' }))
  const sealed = security.sealStream(octets, true)
  if (purpose === 'user') {
    // All is said once the peer's system has taken it; the peer closes after reading.
    socket.once('finish', () => end({ message: undefined }))
    socket.end(sealed)
    return socket
  }
  socket.write(sealed)
  readMessage(
    socket,
    security.streamReader(true),
    message => end({ message }),
    error => end({ refused: false, reason: error.message }),
  )
  return socket
}

/**
 * Reads the one message of a stream.
 *
 * @param onFault called instead when the octets break the format; an end before the first octet is no fault
 */
export function readMessage(
  socket: Socket,
  reader: StreamReader,
  onMessage: (message: StreamMessage) => void,
  onFault: (error: WireError) => void,
): void {
  const onData = (chunk: Buffer): void => {
    try {
      const message = reader.push(chunk)
      if (message === undefined) return
      socket.off('data', onData)
      onMessage(message)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      socket.off('data', onData)
      onFault(error)
    }
  }
  socket.on('data', onData)
}

/**
 * The error that tells a peer why its frame was not opened: the wrong key, none, or too large. What is wrong inside is
 * not answered, nor a foreign label, whose sender learns nothing.
 */
export function errorReply(error: WireError, security: Security): Uint8Array | undefined {
  if (error.fault !== 'decrypt' && error.fault !== 'limit') return undefined
  const text = error.message.replace(/ \(octet \d+\)$/, '')
  return security.sealStream(encodeErrorResponse({ error: text }), false)
}
