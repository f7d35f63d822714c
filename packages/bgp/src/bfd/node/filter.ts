import { assemble, bpf, type BpfInstruction, type BpfStatement } from '@typemetal/sockets/bpf'
import { parseAddress } from '../../address.js'

/** Which packets the kernel is to let through to a socket of control packets while it is flooded. */
export interface ControlFilter {
  readonly family: 4 | 6
  /** Least TTL or Hop Limit that a session behind the socket takes. */
  readonly minimumTtl: number
  /** My Discriminators of the sessions: a packet with one of them as Your Discriminator is for one of them. */
  readonly discriminators: readonly number[]
  /** Addresses that may send Your Discriminator 0: those of remote systems that do not know ours yet. */
  readonly sources: readonly string[]
  /**
   * Of packets with Your Discriminator 0 from those addresses only a few come through, by chance: somebody floods us in their name.
   * They get to know our discriminator by our own packets all the same.
   */
  readonly sparing: boolean
}

/** One of so many comes through a sparing filter; a power of two. */
const SPARING = 64

// Offsets from the UDP header.
const UDP_LENGTH = 4
const VERSION = 8
const STATE_AND_FLAGS = 9
const MY_DISCRIMINATOR = 12
const YOUR_DISCRIMINATOR = 16
const LEAST_UDP_LENGTH = 8 + 24
const MULTIPOINT = 0x01
/** Init and Up, which have a Your Discriminator (RFC 5880 section 6.8.6). */
const HIGHER_STATES = 0x80
// Offsets in the IP header.
const HOP_LIMIT = { 4: 8, 6: 7 } as const
const SOURCE = { 4: 12, 6: 8 } as const
/** What a program may have, less than the kernel's 4096 so that there is room for what comes before and after the tables. */
const TABLE_SPACE = 4000
const DROP = 'drop'
const ZERO = 'zero'
const DISCRIMINATORS = 'discriminators'

/**
 * A program for the kernel (SO_ATTACH_FILTER) that keeps what is for no session from the socket's queue: wrong TTL, version or
 * length, My Discriminator 0, a Your Discriminator that is nobody's, and 0 from a stranger. With more sessions than a program has
 * room for, the tables are left out and only the fixed checks stay.
 */
export function compileControlFilter(filter: ControlFilter): readonly BpfInstruction[] {
  const { family, minimumTtl, sparing } = filter
  const discriminators = discriminatorTable(filter)
  const sources = sourceTable(filter)
  const size = [...discriminators, ...sources].filter(({ op }) => op !== 'label').length
  const fits = size <= TABLE_SPACE
  return assemble([
    bpf.loadNetwork('byte', HOP_LIMIT[family]),
    bpf.jump('greaterOrEqual', minimumTtl, { ifFalse: DROP }),
    bpf.load('half', UDP_LENGTH),
    bpf.jump('greaterOrEqual', LEAST_UDP_LENGTH, { ifFalse: DROP }),
    bpf.load('byte', VERSION),
    bpf.and(0xe0),
    bpf.jump('equal', 0x20, { ifFalse: DROP }),
    bpf.load('byte', STATE_AND_FLAGS),
    bpf.jump('set', MULTIPOINT, { ifTrue: DROP }),
    bpf.load('word', MY_DISCRIMINATOR),
    bpf.jump('equal', 0, { ifTrue: DROP }),
    bpf.load('word', YOUR_DISCRIMINATOR),
    bpf.jump('equal', 0, { ifFalse: DISCRIMINATORS }),
    bpf.load('byte', STATE_AND_FLAGS),
    bpf.jump('set', HIGHER_STATES, { ifFalse: ZERO }),
    bpf.label(DROP),
    bpf.drop(),
    bpf.label(DISCRIMINATORS),
    bpf.goto('table'),
    bpf.label(ZERO),
    ...(sparing ? someByChance() : []),
    ...(fits ? sources : [bpf.accept()]),
    bpf.label('table'),
    ...(fits ? discriminators : [bpf.accept()]),
  ])
}

const someByChance = (): BpfStatement[] => [
  bpf.loadAncillary('random'),
  bpf.jump('set', SPARING - 1, { ifFalse: 'lucky' }),
  bpf.drop(),
  bpf.label('lucky'),
]

const discriminatorTable = ({ discriminators }: ControlFilter): BpfStatement[] => [
  ...discriminators.flatMap((discriminator, index) => [
    bpf.jump('equal', discriminator, { ifFalse: `discriminator ${index}` }),
    bpf.accept(),
    bpf.label(`discriminator ${index}`),
  ]),
  bpf.drop(),
]

function sourceTable({ family, sources }: ControlFilter): BpfStatement[] {
  const lines = [...new Set(sources)].flatMap((source, index) => {
    const octets = parseAddress(source)
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
    const other = `source ${index}`
    const words: BpfStatement[] = []
    // From the end, where addresses of one network differ.
    for (let at = octets.length - 4; at >= 0; at -= 4) {
      words.push(bpf.loadNetwork('word', SOURCE[family] + at))
      words.push(bpf.jump('equal', view.getUint32(at), { ifFalse: other }))
    }
    return [...words, bpf.accept(), bpf.label(other)]
  })
  return [...lines, bpf.drop()]
}
