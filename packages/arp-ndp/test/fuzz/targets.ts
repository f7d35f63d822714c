import type { FuzzTarget } from '@typemetal/lab'
import { CONFLICTS, RESPONDER } from './responder-targets.js'
import { DECODE, IDENTITY, VALIDITY } from './wire-targets.js'

/** All that is fuzzed. */
export const TARGETS: readonly FuzzTarget[] = [DECODE, IDENTITY, VALIDITY, RESPONDER, CONFLICTS]
