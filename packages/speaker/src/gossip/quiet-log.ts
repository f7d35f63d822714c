/** A log that strangers cannot fill: what they send to the gossip port is said once. */
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'

/** Lines of `@typemetal/memberlist` that anybody who reaches the port can cause: scanners, probes, other programs' metrics. */
const CAUSED_BY_STRANGERS: ReadonlySet<string> = new Set([
  'datagram dropped',
  'stream refused',
  'stream rejected',
  'stream ended before its message did',
  'datagram from an address that is not allowed',
])
/** After so many milliseconds it is said again. */
const FORGET = 3_600_000
/** Sources that are told apart; what further ones send is only debugging. */
const SOURCES = 64

/** Passes everything on, but of those lines one warning for each source and fault in an hour; the others at debug. */
export function quietLog(log: Logger, clock: Clock): Logger {
  const said = new Set<string>()
  let since = clock.now()
  const isNews = (fields: object): boolean => {
    if (clock.now() - since > FORGET) {
      said.clear()
      since = clock.now()
    }
    const { address, fault } = fields as { readonly address?: unknown; readonly fault?: unknown }
    const key = `${String(address)} ${String(fault)}`
    if (said.has(key) || said.size >= SOURCES) return false
    said.add(key)
    return true
  }
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => {
      if (CAUSED_BY_STRANGERS.has(message) && !isNews(fields)) log.debug(fields, message)
      else log.warn(fields, message)
    },
    error: (fields, message) => log.error(fields, message),
    child: fields => quietLog(log.child(fields), clock),
  }
}
