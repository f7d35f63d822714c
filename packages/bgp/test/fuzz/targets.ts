import { PEERING, SESSION } from './fsm-targets.js'
import { BMP, MRT } from './observer-targets.js'
import { RIB } from './rib-target.js'
import { SPEAKER } from './speaker-target.js'
import { STATION } from './station-target.js'
import type { FuzzTarget } from '@typemetal/lab'
import { DECODE, FRAMER, IDENTITY, SCAN } from './wire-targets.js'

/** All that is fuzzed. */
export const TARGETS: readonly FuzzTarget[] = [
  DECODE,
  IDENTITY,
  SCAN,
  FRAMER,
  SESSION,
  PEERING,
  RIB,
  BMP,
  MRT,
  STATION,
  SPEAKER,
]
