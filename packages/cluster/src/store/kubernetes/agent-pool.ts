import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions, type RequestOptions } from 'node:https'
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'

/** TLS connection → the TCP connection under it, which alone can be reset. */
const UNDERLYING = new WeakMap<object, Socket>()

/** An agent whose connections {@link resetConnection} can reset. */
class ResettableAgent extends HttpsAgent {
  override createConnection(options: ConnectionOptions & TcpNetConnectOpts): TLSSocket {
    const { host = 'localhost', port } = options
    const raw = connectTcp({ host, port })
    const secure = connectTls({ ...options, socket: raw })
    UNDERLYING.set(secure, raw)
    // Its own error says no more than that of the connection above.
    raw.on('error', () => {})
    return secure
  }
}

/**
 * Breaks a request's connection so that what of it has not left this machine yet never will: an orderly close would still deliver it when
 * the network is back.
 */
export function resetConnection({ socket }: ClientRequest): void {
  const raw = socket && (UNDERLYING.get(socket) ?? socket)
  // Before it is connected nothing was sent.
  if (raw && !raw.connecting && !raw.destroyed && !isSecure(raw)) raw.resetAndDestroy()
}

const isSecure = (socket: Socket): boolean => 'encrypted' in socket

/** Who gives requests their connections. */
export interface Agents {
  /** Each request has a connection at once: lists, watches, and what must not wait. */
  readonly unbounded: HttpAgent
  /** A few connections for all other writes, which wait for one another. */
  readonly bounded: HttpAgent
}

/** As many stay open when nobody uses them as there are kinds: a list is followed by a watch. */
const UNBOUNDED = { keepAlive: true, maxFreeSockets: 16 }
/**
 * A connection is free again a moment after its answer is read. Without a bound, each write that follows on an answer, as a status does on
 * its object, would open a new one, and throw it away: that costs both sides many times what the write does.
 */
const BOUNDED = { keepAlive: true, maxSockets: 16, maxFreeSockets: 8 }

/** Keeps connections alive from request to request, as long as the TLS credentials stay the same. */
export class AgentPool {
  readonly #secure: boolean
  #fingerprint = ''
  #agents: Agents | undefined

  /** @param secure the server speaks TLS */
  constructor(secure: boolean) {
    this.#secure = secure
  }

  /** The agents for credentials as the library gives them. */
  agentsFor(options: RequestOptions): Agents {
    const given = options.agent as (HttpAgent & { readonly options: AgentOptions }) | undefined
    // A proxy's agent is the library's to make.
    if (given && given.constructor !== HttpAgent && given.constructor !== HttpsAgent) {
      return { unbounded: given, bounded: given }
    }
    const { ca, cert, key, rejectUnauthorized, servername } = options
    const fingerprint = [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n')
    if (this.#agents && fingerprint === this.#fingerprint) return this.#agents
    this.#fingerprint = fingerprint
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
    )
    const agentOf = (kept: AgentOptions): HttpAgent =>
      this.#secure ? new ResettableAgent({ ...kept, ...tls }) : new HttpAgent(kept)
    this.#agents = { unbounded: agentOf(UNBOUNDED), bounded: agentOf(BOUNDED) }
    return this.#agents
  }

  /** Closes the connections that nobody uses. */
  close(): void {
    this.#agents?.unbounded.destroy()
    this.#agents?.bounded.destroy()
  }
}
