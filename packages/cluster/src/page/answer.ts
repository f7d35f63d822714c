import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** An answer that is not a stream. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Of every answer: kept nowhere, and nothing for other sites. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

/** Octets from which on a body is worth compressing. */
const WORTH_COMPRESSING = 1024

const compress = promisify(gzip)

/** A short text. */
export const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
  headers,
})

/** Sends an answer, compressed when the client takes that; to HEAD without its body. */
export async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, contentType, body, headers } = answer
  const plain = Buffer.from(body)
  const isSmaller = plain.length >= WORTH_COMPRESSING && takesGzip(request)
  const octets = isSmaller ? await compress(plain) : plain
  if (response.destroyed) return
  response.writeHead(status, {
    ...COMMON_HEADERS,
    'content-type': contentType,
    'content-length': octets.length,
    vary: 'accept-encoding',
    ...(isSmaller && { 'content-encoding': 'gzip' }),
    ...headers,
  })
  response.end(request.method === 'HEAD' ? undefined : octets)
}

/** RFC 9110 section 12.5.3. */
function takesGzip({ headers }: IncomingMessage): boolean {
  const codings = (headers['accept-encoding'] ?? '').split(',')
  return codings.some(coding => {
    const [name = '', ...parameters] = coding.split(';').map(part => part.trim().toLowerCase())
    return name === 'gzip' && !parameters.some(parameter => /^q=0(?:\.0*)?$/.test(parameter))
  })
}
