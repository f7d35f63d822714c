/** A log that tests can read. */
import type { Logger } from '@typemetal/speaker'

export interface Line {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

export function recordingLog(lines: Line[] = [], common: object = {}): Logger & { readonly lines: Line[] } {
  const at =
    (level: string) =>
    (fields: object, msg: string): void => {
      lines.push({ ...common, ...fields, level, msg })
    }
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => recordingLog(lines, { ...common, ...fields }),
  }
}
