import { EchoPort, type EchoContext } from './echo-port.js'
import { echoAddressOf, type EndpointLink } from './endpoint.js'
import { plainError } from './messages.js'
import type { SessionDriver } from './session-driver.js'

/** The Echo function of all sessions: one {@link EchoPort} for each interface and family that has sessions which want it. */
export class EchoPorts {
  readonly #context: EchoContext
  readonly #ports = new Map<string, EchoPort>()
  readonly #portOf = new Map<SessionDriver, EchoPort>()
  /** Reasons told of why sessions go without. */
  readonly #told = new Map<SessionDriver, string>()

  constructor(context: EchoContext) {
    this.#context = context
  }

  /**
   * Gives a session a port, takes it away, or moves it to where its interface now is.
   *
   * @returns whether the session can use the Echo function now
   */
  settle(driver: SessionDriver, links: readonly EndpointLink[]): boolean {
    if (!driver.wantsEcho) {
      this.leave(driver)
      return false
    }
    const link = links.find(({ index }) => index === driver.interfaceIndex)
    const own = echoAddressOf(driver.endpoint, links)
    if (link === undefined || own === undefined) {
      this.leave(driver)
      this.#tell(driver, 'no interface or no address of ours that the remote system could send them back to')
      return false
    }
    try {
      const port = this.#port(driver, link)
      if (this.#portOf.get(driver) !== port) this.leave(driver)
      this.#portOf.set(driver, port)
      port.join(driver, own)
      this.#told.delete(driver)
      return true
    } catch (error) {
      this.leave(driver)
      this.#tell(driver, plainError(error).message)
      return false
    }
  }

  /** The session is over, or goes without. */
  leave(driver: SessionDriver): void {
    const port = this.#portOf.get(driver)
    this.#portOf.delete(driver)
    if (port === undefined) return
    port.leave(driver)
    if (!port.isIdle) return
    port.close()
    this.#ports.delete(portKey(driver.endpoint.family, port.link))
  }

  /** Nothing more will be told of the session. */
  forget(driver: SessionDriver): void {
    this.leave(driver)
    this.#told.delete(driver)
  }

  /** @returns whether it has gone out */
  send(driver: SessionDriver, octets: Uint8Array): boolean {
    return this.#portOf.get(driver)?.send(driver, octets) ?? false
  }

  drain(): void {
    for (const port of this.#ports.values()) port.drain()
  }

  close(): void {
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
    this.#portOf.clear()
  }

  /** @throws {Error} with a `code`: `EPERM` without CAP_NET_RAW */
  #port({ endpoint }: SessionDriver, link: EndpointLink): EchoPort {
    const key = portKey(endpoint.family, link)
    const port = this.#ports.get(key) ?? new EchoPort(this.#context, endpoint.family, link)
    this.#ports.set(key, port)
    return port
  }

  #tell(driver: SessionDriver, reason: string): void {
    if (this.#told.get(driver) === reason) return
    this.#told.set(driver, reason)
    this.#context.log('warn', { address: driver.address, reason }, 'a BFD session does without echo packets')
  }
}

const portKey = (family: 4 | 6, { index }: EndpointLink): string => `${family} ${index}`
