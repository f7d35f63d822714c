import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** What a listener answers on a stream that it could not read. */
export interface ErrorResponse {
  readonly error: string
}

const struct = new StructReader<ErrorResponse>(() => ({ error: '' }), {
  Error: (r, m) => void (m.error = r.string()),
})

/** Reads the body of an error response. @throws {WireError} */
export const readErrorResponse = (reader: Reader): ErrorResponse => struct.read(reader)

/** @param message type octet and body @throws {WireError} */
export const decodeErrorResponse = (message: Uint8Array): ErrorResponse => readErrorResponse(new Reader(message, 1))

/** Type octet and body. */
export const encodeErrorResponse = (m: ErrorResponse): Uint8Array =>
  new Writer().octet(MessageType.Error).map(1).string('Error', m.error).finish()
