/**
 * BMP (RFC 7854, RFC 8671, RFC 9069): shows a speaker's sessions to a monitoring station, or is such a station.
 *
 * ```ts
 * import { BmpStation } from '@typemetal/bgp/bmp'
 *
 * await using station = new BmpStation({ port: 11019 })
 * station.on('route-monitoring', (router, message, context) => console.log(router.address, message.update))
 * await station.start()
 * ```
 *
 * @packageDocumentation
 */
export type {
  MonitoredChange,
  MonitoredPeer,
  MonitoredRoute,
  MonitoredSession,
  MonitoredSpeaker,
  StateListener,
  ToldRoute,
} from '../monitored-speaker.js'
export { BmpClient, type BmpClientEvents, type BmpClientOptions, type MonitoredRib } from './node/client.js'
export type { BmpRouter } from './node/router.js'
export { BmpStation, type BmpStationEvents, type BmpStationOptions } from './node/station.js'
export { bmpMessageContext } from './wire/context.js'
export { BmpError } from './wire/error.js'
export { BMP_MAX_LENGTH, BmpFramer } from './wire/framer.js'
export { BMP_HEADER_LENGTH, BmpMessageType, decodeBmpHeader, type BmpHeader } from './wire/header.js'
export {
  BmpInformationType,
  BmpTerminationReason,
  BmpTerminationType,
  createInformation,
  informationText,
  type BmpTlv,
} from './wire/information.js'
export {
  decodeBmpMessage,
  encodeBmpMessage,
  terminationReason,
  type BmpInitiation,
  type BmpMessage,
  type BmpRouteMonitoring,
  type BmpTermination,
  type BmpUnknownMessage,
} from './wire/message.js'
export type { BmpPeerDown, BmpPeerDownReason } from './wire/peer-down.js'
export { BmpPeerFlag, BmpPeerType, bmpRib, type BmpPeerHeader, type BmpRib } from './wire/peer-header.js'
export type { BmpPeerUp } from './wire/peer-up.js'
export { BmpMirroringInformation, type BmpMirrored, type BmpRouteMirroring } from './wire/route-mirroring.js'
export {
  BmpStatisticType,
  type BmpCounter,
  type BmpFamilyGauge,
  type BmpGauge,
  type BmpStatistic,
  type BmpStatisticsReport,
  type BmpUnknownStatistic,
} from './wire/statistics-report.js'
