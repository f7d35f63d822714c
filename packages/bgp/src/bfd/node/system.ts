import type { Microseconds } from '../wire/index.js'
import { CellWriter } from './cells.js'
import { DeadlineLoop } from './deadline-loop.js'
import { EchoPorts } from './echo-ports.js'
import type { Endpoint, EndpointLink } from './endpoint.js'
import type { Log } from './logger.js'
import { plainError, type Report, type Request, type WorkerOptions } from './messages.js'
import type { Closable, Platform } from './platform.js'
import { Reception, type ReceptionContext, type ReceptionKind } from './reception.js'
import type { Scheduled } from './schedule.js'
import { SessionDriver, type DriverContext } from './session-driver.js'
import { SourcePorts } from './source-ports.js'
import { TotalsWriter } from './totals.js'

const MAX_UINT32 = 0xffff_ffff

const DEFAULT_KINDS: readonly ReceptionKind[] = [
  { family: 4, multihop: false, device: undefined },
  { family: 6, multihop: false, device: undefined },
  { family: 4, multihop: true, device: undefined },
  { family: 6, multihop: true, device: undefined },
]

/**
 * What the worker does: all sessions of this system (RFC 5880 section 2), their sockets, and one schedule of absolute deadlines for
 * all of them.
 */
export class BfdSystem {
  readonly #platform: Platform
  readonly #report: (report: Report) => void
  readonly #totals: TotalsWriter
  readonly #ports: SourcePorts
  readonly #loop: DeadlineLoop
  readonly #receptions = new Map<string, Reception>()
  readonly #byId = new Map<number, SessionDriver>()
  readonly #byDiscriminator = new Map<number, SessionDriver>()
  /** Sessions that have ended and still say so, by the key of their endpoint. */
  readonly #leaving = new Map<string, SessionDriver>()
  readonly #driverContext: DriverContext
  readonly #receptionContext: ReceptionContext
  readonly #echo: EchoPorts
  #links: readonly EndpointLink[] = []
  #monitor: Closable | undefined
  #onClosed: (() => void) | undefined

  /** @param report called with what the main thread should know */
  constructor(platform: Platform, { totals }: Pick<WorkerOptions, 'totals'>, report: (report: Report) => void) {
    this.#platform = platform
    this.#report = report
    this.#totals = new TotalsWriter(totals)
    this.#ports = new SourcePorts(() => platform.random())
    this.#loop = new DeadlineLoop(
      platform,
      () => this.#drain(),
      () => this.#closeWhenSaid(),
    )
    this.#driverContext = {
      platform,
      ports: this.#ports,
      log: this.#log,
      links: () => this.#links,
      onState: (driver, { to, from, diagnostic, remoteState, remoteDiagnostic, cause }) => {
        const details = { diagnostic, remoteState, remoteDiagnostic, cause }
        report({ type: 'state', id: driver.id, to, from, details })
        if (to === 'Up' || from === 'Up') this.#receptions.get(receptionKey(driver.endpoint))?.refresh()
      },
      onRemoteState: ({ id }, { to, from }) => report({ type: 'remote-state', id, to, from }),
      sendEcho: (driver, octets) => this.#echo.send(driver, octets),
    }
    const touch = { sessions: this.#byDiscriminator, onTouched: (entry: Scheduled) => this.#loop.update(entry) }
    this.#receptionContext = { platform, totals: this.#totals, log: this.#log, ...touch }
    this.#echo = new EchoPorts(this.#receptionContext)
  }

  /**
   * Opens the sockets that every session needs.
   * @throws {Error} with a `code`: `EADDRINUSE` when another BFD daemon has the ports, `ENOSYS` when the system is not Linux
   */
  start(): void {
    for (const kind of DEFAULT_KINDS) {
      try {
        this.#reception(kind)
      } catch (error) {
        if (kind.family === 4 || plainError(error).code !== 'EAFNOSUPPORT') throw error
      }
    }
    this.#loop.start()
    // Watched before they are looked at: what changes in between is told.
    this.#monitor = this.#platform.watchLinks(
      () => this.#relink(),
      error => this.#log('warn', { error: error.message }, 'watching links has failed'),
    )
    this.#links = this.#platform.links()
    this.#report({ type: 'ready' })
  }

  /** Does what the main thread asks for. */
  handle(request: Request): void {
    const now = this.#platform.now()
    switch (request.type) {
      case 'add':
        this.#add(request, now)
        break
      case 'change':
        this.#with(request.id, driver => {
          driver.change(request.options, now)
          this.#settleEcho(driver, now)
        })
        break
      case 'disable':
        this.#with(request.id, driver => driver.disable(now))
        break
      case 'enable':
        this.#with(request.id, driver => driver.enable(now))
        break
      case 'remove':
        this.#with(request.id, driver => this.#remove(driver, now))
        break
      case 'close':
        break
      default:
        request satisfies never
    }
  }

  /**
   * Ends all sessions, tells the remote systems, and closes every socket.
   * @param onClosed called when that is done
   */
  close(onClosed: () => void): void {
    const now = this.#platform.now()
    for (const driver of this.#byId.values()) this.#remove(driver, now)
    this.#onClosed = onClosed
    this.#closeWhenSaid()
  }

  // Sessions

  #add({ id, endpoint, options, disabled, cells }: Request & { type: 'add' }, now: Microseconds): void {
    // What the session before it has yet to say would speak against this one.
    const leaving = this.#leaving.get(endpoint.key)
    if (leaving !== undefined) this.#forget(leaving)
    const myDiscriminator = this.#newDiscriminator()
    const driver = new SessionDriver(this.#driverContext, {
      id,
      endpoint,
      cells: new CellWriter(cells),
      options,
      myDiscriminator,
    })
    this.#byId.set(id, driver)
    this.#byDiscriminator.set(myDiscriminator, driver)
    this.#receive(driver)
    this.#settleEcho(driver, now)
    if (disabled) driver.disable(now)
    this.#loop.update(driver)
  }

  #receive(driver: SessionDriver): void {
    const { family, multihop, device } = driver.endpoint
    try {
      this.#reception({ family, multihop, device }).add(driver)
    } catch (error) {
      const { code, message } = plainError(error)
      this.#log('warn', { address: driver.address, device, code, error: message }, 'a BFD session cannot receive')
    }
  }

  #with(id: number, work: (driver: SessionDriver) => void): void {
    const driver = this.#byId.get(id)
    if (driver === undefined) return
    work(driver)
    if (!this.#byId.has(id)) return
    this.#receptions.get(receptionKey(driver.endpoint))?.refresh()
    this.#loop.update(driver)
  }

  #settleEcho(driver: SessionDriver, now: Microseconds): void {
    driver.allowEcho(this.#echo.settle(driver, this.#links), now)
  }

  #remove(driver: SessionDriver, now: Microseconds): void {
    driver.end(now)
    this.#echo.forget(driver)
    this.#byId.delete(driver.id)
    this.#byDiscriminator.delete(driver.myDiscriminator)
    const key = receptionKey(driver.endpoint)
    const reception = this.#receptions.get(key)
    reception?.delete(driver)
    if (reception?.isIdle && reception.kind.device !== undefined) {
      reception.close()
      this.#loop.delete(reception)
      this.#receptions.delete(key)
    }
    this.#leaving.set(driver.endpoint.key, driver)
    if (driver.isOver) this.#forget(driver)
    else this.#loop.update(driver)
  }

  #forget(driver: SessionDriver): void {
    this.#leaving.delete(driver.endpoint.key)
    this.#loop.delete(driver)
    driver.close()
  }

  #newDiscriminator(): number {
    for (;;) {
      const discriminator = 1 + Math.floor(this.#platform.random() * MAX_UINT32)
      if (!this.#byDiscriminator.has(discriminator)) return discriminator
    }
  }

  // Sockets

  /** @throws {Error} with a `code` when it cannot be opened */
  #reception(kind: ReceptionKind): Reception {
    const key = receptionKey(kind)
    const known = this.#receptions.get(key)
    if (known !== undefined) return known
    const reception = new Reception(this.#receptionContext, kind)
    this.#receptions.set(key, reception)
    return reception
  }

  #relink(): void {
    const before = this.#links
    try {
      this.#links = this.#platform.links()
    } catch (error) {
      this.#log('warn', { error: plainError(error).message }, 'links cannot be listed')
      return
    }
    this.#reopenDevices(before)
    for (const driver of this.#byId.values()) {
      driver.relink(this.#links)
      this.#settleEcho(driver, this.#platform.now())
      this.#loop.update(driver)
    }
  }

  /** A device that was removed and is there again is another one to the kernel. */
  #reopenDevices(before: readonly EndpointLink[]): void {
    const indexOf = (links: readonly EndpointLink[], name: string): number | undefined =>
      links.find(link => link.name === name)?.index
    for (const driver of this.#byId.values()) {
      const { device } = driver.endpoint
      if (device === undefined || indexOf(before, device) === indexOf(this.#links, device)) continue
      if (indexOf(this.#links, device) === undefined) continue
      const known = this.#receptions.get(receptionKey(driver.endpoint))
      if (known === undefined) this.#receive(driver)
      else known.reopen()
    }
  }

  #drain(): void {
    for (const reception of this.#receptions.values()) reception.drain()
    this.#echo.drain()
  }

  #closeWhenSaid(): void {
    for (const driver of this.#leaving.values()) if (driver.isOver) this.#forget(driver)
    if (this.#onClosed === undefined || this.#leaving.size > 0) return
    const onClosed = this.#onClosed
    this.#onClosed = undefined
    this.#monitor?.close()
    this.#loop.close()
    for (const reception of this.#receptions.values()) reception.close()
    this.#receptions.clear()
    this.#echo.close()
    onClosed()
  }

  readonly #log: Log = (level, fields, message) => this.#report({ type: 'log', level, fields, message })
}

const receptionKey = ({ family, multihop, device }: Endpoint | ReceptionKind): string =>
  `${family} ${multihop ? 'multihop' : 'single-hop'} ${device ?? ''}`
