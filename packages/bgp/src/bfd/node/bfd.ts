import { EventEmitter } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { checkOptions, flag, optional, signal as signalKind, type Kinds, type Synonyms } from '@typemetal/options'
import { checkSockets } from '../../node/sockets.js'
import { loggerKind } from '../../node/logger.js'
import type { SessionOptions } from '../fsm/index.js'
import { SESSION_KINDS } from '../fsm/options.js'
import type { BfdSession, BfdSnapshot } from './bfd-session.js'
import { checkEndpoint, ENDPOINT_KINDS, type Endpoint, type SessionEndpoint } from './endpoint.js'
import { BfdError } from './error.js'
import { HeldSession } from './held-session.js'
import { checkHolderOptions, hastyIntervals, STEADY_INTERVAL } from './holders.js'
import { SILENT, type Logger } from './logger.js'
import { plainError, type PlainError, type Report, type Request, type WorkerOptions } from './messages.js'
import { createTotals, readTotals, type BfdCounters } from './totals.js'

/** How a {@link Bfd} is started. */
export interface BfdOptions {
  /** @default silent */
  readonly log?: Logger
  /** When aborted, the same as closing. */
  readonly signal?: AbortSignal
  /**
   * Whether the worker thread asks for the real-time policy of the system, or a higher priority, so that it is in time on a busy
   * machine. It does without when CAP_SYS_NICE is missing. @default true
   */
  readonly raisePriority?: boolean
}

/** A session and how it is to be. */
export type BfdSessionOptions = SessionEndpoint & SessionOptions

/** Events of a {@link Bfd}. */
export interface BfdEvents {
  /** The worker has died: nothing is watched any more. All sessions are AdminDown, which accuses nobody. */
  error: [error: BfdError]
}

const START_KINDS: Kinds<BfdOptions> = {
  log: optional(loggerKind),
  signal: optional(signalKind),
  raisePriority: optional(flag),
}
const KINDS: Kinds<BfdSessionOptions> = { ...ENDPOINT_KINDS, ...SESSION_KINDS }
/** As other systems have it in their configuration. */
const SYNONYMS: Synonyms<BfdSessionOptions> = {
  peer: 'address',
  remoteAddress: 'address',
  sourceAddress: 'localAddress',
  minRxInterval: 'receiveInterval',
  minTxInterval: 'transmitInterval',
  multiplier: 'detectMultiplier',
}

/** Milliseconds that a worker may take to say goodbye and close its sockets before it is terminated. */
const PATIENCE = 3000
/** Megabytes: a small young generation makes each collection short. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 } as const

const ADVICE: { readonly [code: string]: string } = {
  EADDRINUSE: 'another process has a port of BFD (3784, 4784), such as bfdd or BIRD: stop it (ss -lnup shows which)',
}

/**
 * The BFD of this system (RFC 5880): all sessions live in a worker thread with its own sockets and schedule, so that a busy main
 * thread neither delays our packets nor accuses a remote system. Needs Linux and the package `@typemetal/sockets`; the Echo function
 * needs CAP_NET_RAW.
 */
export class Bfd extends EventEmitter<BfdEvents> implements AsyncDisposable {
  readonly #worker: Worker
  readonly #log: Logger
  readonly #totals: SharedArrayBuffer
  readonly #exited: Promise<unknown>
  readonly #byKey = new Map<string, HeldSession>()
  readonly #byId = new Map<number, HeldSession>()
  #nextId = 1
  #ready: { resolve(): void; reject(error: Error): void } | undefined
  #closing = false
  #ended = false

  private constructor(log: Logger, raisesPriority: boolean) {
    super()
    this.#log = log
    this.#totals = createTotals()
    const workerData: WorkerOptions = { totals: this.#totals, raisesPriority }
    const worker = new Worker(new URL('./bfd-worker.js', import.meta.url), {
      name: 'typemetal-bfd',
      workerData,
      resourceLimits: RESOURCE_LIMITS,
    })
    this.#worker = worker
    this.#exited = new Promise(resolve => worker.once('exit', resolve))
    worker.on('message', (report: Report) => this.#receive(report))
    worker.on('error', cause => {
      const what = this.#ready === undefined ? 'the BFD worker has died' : 'BFD cannot start'
      this.#fail(new BfdError(`${what}: ${plainError(cause).message}`, { cause }))
    })
    worker.on('exit', code => this.#fail(new BfdError(`the BFD worker has ended with code ${code}`)))
  }

  /**
   * Starts the worker and waits until it has its sockets.
   *
   * @throws {BfdError} `@typemetal/sockets` is missing or does not work here, or another BFD daemon has the ports
   * @throws {TypeError} an unknown option, or a value that is not what its option wants
   */
  static async start(options: BfdOptions = {}): Promise<Bfd> {
    checkOptions(options, START_KINDS, { logger: 'log' })
    const { log = SILENT, signal, raisePriority = true } = options
    signal?.throwIfAborted()
    try {
      checkSockets('BFD')
    } catch (cause) {
      throw new BfdError(cause instanceof Error ? cause.message : String(cause), { cause })
    }
    const restoreFlags = leaveOutMemoryReducer()
    const bfd = new Bfd(log, raisePriority)
    try {
      await new Promise<void>((resolve, reject) => {
        bfd.#ready = { resolve, reject }
      })
    } finally {
      restoreFlags()
    }
    await bfd.#obey(signal)
    return bfd
  }

  /**
   * A session with a remote system. Those who ask for the same address, local address, interface, device and kind share one on the
   * wire: the smallest intervals and multiplier win, it is passive only if all want that, it uses echo if one wants that.
   *
   * @throws {RangeError | TypeError} an option has no meaning or is unknown, an interval is below 10 ms, or the authentication is not that of the
   * other holders
   * @throws {BfdError} closed
   */
  session(options: BfdSessionOptions): BfdSession {
    if (this.#closing) throw new BfdError('BFD is closed')
    checkOptions(options, KINDS, SYNONYMS)
    const endpoint = checkEndpoint(options)
    const wanted = checkHolderOptions(sessionOptionsOf(options))
    const known = this.#byKey.get(endpoint.key)
    const session = known ?? this.#create(endpoint)
    const holder = session.join(wanted)
    const { address } = endpoint
    if (known === undefined && [...this.#byKey.values()].some(other => mayBeOne(other.endpoint, endpoint))) {
      this.#log.warn(
        { address },
        'two BFD sessions may be with one remote system: say local address and interface of both',
      )
    }
    for (const option of hastyIntervals(wanted)) {
      const fields = { address, option, interval: wanted[option as keyof typeof wanted], steady: STEADY_INTERVAL }
      this.#log.warn(fields, 'a BFD interval is shorter than a busy machine is sure to keep')
    }
    this.#byKey.set(endpoint.key, session)
    this.#byId.set(session.id, session)
    return holder
  }

  /** Every session at this moment. */
  sessions(): readonly BfdSnapshot[] {
    return Array.from(this.#byKey.values(), session => session.snapshot())
  }

  /** Counts of packets that belong to no session, at this moment. */
  counters(): BfdCounters {
    return readTotals(this.#totals)
  }

  /** Ends all sessions, which tells the remote systems AdminDown, and waits until every socket is closed. Safe to call twice. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#post({ type: 'close' })
    }
    const timer = setTimeout(() => void this.#worker.terminate(), PATIENCE)
    await this.#exited
    clearTimeout(timer)
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #create(endpoint: Endpoint): HeldSession {
    const send = (request: Request): void => {
      if (!this.#closing) this.#post(request)
    }
    return new HeldSession(this.#nextId++, endpoint, send, ({ id }) => {
      this.#byKey.delete(endpoint.key)
      this.#byId.delete(id)
    })
  }

  /** @throws the signal's reason, when it was aborted while the worker started */
  async #obey(signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return
    const onAbort = (): void => void this.close()
    signal.addEventListener('abort', onAbort)
    this.#worker.once('exit', () => signal.removeEventListener('abort', onAbort))
    if (!signal.aborted) return
    await this.close()
    signal.throwIfAborted()
  }

  #post(request: Request): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(request)
  }

  #receive(report: Report): void {
    switch (report.type) {
      case 'ready':
        this.#ready?.resolve()
        this.#ready = undefined
        break
      case 'failed':
        this.#fail(startError(report.error))
        break
      case 'state':
        this.#byId.get(report.id)?.report(report.to, report.from, report.details)
        break
      case 'remote-state':
        this.#byId.get(report.id)?.reportRemote(report.to, report.from)
        break
      case 'log':
        this.#log[report.level](report.fields, report.message)
        break
      default:
        report satisfies never
    }
  }

  /** The worker has ended, or will at once. Told once, and not when we have asked for it. */
  #fail(error: BfdError): void {
    if (this.#ended) return
    this.#ended = true
    const asked = this.#closing
    this.#closing = true
    const starting = this.#ready
    this.#ready = undefined
    for (const session of this.#byId.values()) {
      try {
        session.abandon(error.message)
      } catch (failure) {
        // A listener's fault is not the other sessions' business.
        queueMicrotask(() => {
          throw failure
        })
      }
    }
    if (asked) return
    if (starting !== undefined) starting.reject(error)
    else this.emit('error', error)
  }
}

/** How many workers are being started. */
let starting = 0

/**
 * V8 makes an idle heap smaller by collections that wait for its helper threads, which get no time on a busy machine: pauses of up to
 * 200 ms. The flag is read when a heap is set up, so that it reaches those that are made before the returned function is called.
 */
function leaveOutMemoryReducer(): () => void {
  if (process.execArgv.some(argument => /^--no[-_]?memory[-_]reducer$/.test(argument))) return () => {}
  if (starting++ === 0) setFlagsFromString('--no-memory-reducer')
  return () => {
    if (--starting === 0) setFlagsFromString('--memory-reducer')
  }
}

function startError({ code, message }: PlainError): BfdError {
  const advice = code === undefined ? undefined : ADVICE[code]
  return new BfdError(advice === undefined ? `BFD cannot start: ${message}` : `BFD cannot start: ${advice}`, {
    cause: Object.assign(new Error(message), code !== undefined && { code }),
  })
}

/** Whether two sessions differ only in what one of them leaves open: the remote system may take their packets for one's. */
function mayBeOne(a: Endpoint, b: Endpoint): boolean {
  const meets = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined || one === other
  const isSamePath = a.address === b.address && a.multihop === b.multihop && a.device === b.device
  return isSamePath && meets(a.localAddress, b.localAddress) && meets(a.interface, b.interface)
}

/** The options without those that say which session it is. */
function sessionOptionsOf(options: BfdSessionOptions): SessionOptions {
  const { address: _a, localAddress: _l, interface: _i, device: _d, multihop: _m, ...rest } = options
  return rest
}
