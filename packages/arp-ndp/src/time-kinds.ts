/** Kinds of options that are times. */
import { number, type Kind } from '@typemetal/options'

/** Milliseconds from `least` to `most`. */
export const milliseconds = (least: number, most: number): Kind<number> =>
  number(`a number of milliseconds from ${least} to ${most}`, value => value >= least && value <= most)

/** Milliseconds that come to an end. */
export const duration = number('a number of milliseconds from 0 on', value => value >= 0 && value < Infinity)

/** A time on the caller's clock. */
export const instant = number('a number of milliseconds on a clock')
