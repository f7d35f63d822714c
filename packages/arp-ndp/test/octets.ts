import { readFileSync } from 'node:fs'

/** Octets of a hexadecimal text; blanks are for the eye. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** The byte vectors of the reference implementation, by name. */
export const METALLB = JSON.parse(
  readFileSync(new URL('../test/vectors/metallb.json', import.meta.url), 'utf8'),
) as Readonly<
  Record<
    'gratuitousRequest' | 'gratuitousReply' | 'reply' | 'solicitedAdvertisement' | 'unsolicitedAdvertisement',
    string
  >
>
