import { type Kinds, optional, signal as signalKind } from '@typemetal/options'
import type { Descriptor } from './descriptor.js'
import { systemError } from './system-error.js'
import { milliseconds } from './socket-kinds.js'

/** How long to wait for a connection. */
export interface ConnectWait {
  /** Milliseconds. A peer with another MD5 key never answers, so there must be an end. @default 10000 */
  readonly timeout?: number
  /** Gives up when aborted, and rejects with its reason. */
  readonly signal?: AbortSignal
}

/** What each field of a {@link ConnectWait} has to be. */
export const WAIT_KINDS: Kinds<ConnectWait> = { timeout: optional(milliseconds), signal: optional(signalKind) }

const DEFAULT_TIMEOUT = 10_000
const ETIMEDOUT = 110
const SILENCE = 'no answer; a firewall, another MD5 key or a minimum TTL on either side looks the same'

/**
 * Waits until a non-blocking connect has succeeded.
 *
 * @throws {SocketError} what the kernel says, or `ETIMEDOUT`; the signal's reason
 */
export async function waitForConnect(descriptor: Descriptor, subject: string, wait: ConnectWait): Promise<void> {
  const { timeout = DEFAULT_TIMEOUT, signal } = wait
  const end = new AbortController()
  const onAbort = (): void => end.abort(signal?.reason)
  const timer = setTimeout(() => end.abort(systemError(ETIMEDOUT, 'connect', subject, SILENCE)), timeout)
  signal?.addEventListener('abort', onAbort)
  try {
    await descriptor.writable(end.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
  const errno = descriptor.takeError()
  if (errno !== 0) throw systemError(errno, 'connect', subject, errno === ETIMEDOUT ? SILENCE : undefined)
}
