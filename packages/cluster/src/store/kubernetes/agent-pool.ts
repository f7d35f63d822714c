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

/** Connections that stay open when nobody uses them: a burst of writes opens two dozen, each of which costs both sides memory. */
const SPARE = 4

/** Keeps connections alive from request to request, as long as the TLS credentials stay the same. */
export class AgentPool {
  readonly #secure: boolean
  #fingerprint = ''
  #agent: HttpAgent | undefined

  /** @param secure the server speaks TLS */
  constructor(secure: boolean) {
    this.#secure = secure
  }

  /** The agent for credentials as the library gives them. */
  agentFor(options: RequestOptions): HttpAgent {
    const given = options.agent as (HttpAgent & { readonly options: AgentOptions }) | undefined
    // A proxy's agent is the library's to make.
    if (given && given.constructor !== HttpAgent && given.constructor !== HttpsAgent) return given
    const { ca, cert, key, rejectUnauthorized, servername } = options
    const fingerprint = [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n')
    if (this.#agent && fingerprint === this.#fingerprint) return this.#agent
    this.#fingerprint = fingerprint
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
    )
    const kept = { keepAlive: true, maxFreeSockets: SPARE }
    this.#agent = this.#secure ? new ResettableAgent({ ...kept, ...tls }) : new HttpAgent(kept)
    return this.#agent
  }

  /** Closes the connections that nobody uses. */
  close(): void {
    this.#agent?.destroy()
  }
}
