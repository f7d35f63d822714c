import { fuzz as fuzzWith, type FuzzLimits, type FuzzResult, type FuzzTarget } from '@typemetal/lab'
import { mutate } from './mutate.js'

/** Throws inputs at a target, most of them frames of ARP and Neighbor Discovery, until one fails or a limit is reached. */
export const fuzz = (target: FuzzTarget, seed: number, limits: FuzzLimits): Promise<FuzzResult> =>
  fuzzWith(target, seed, limits, mutate)
