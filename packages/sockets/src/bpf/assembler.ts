/** One instruction of classic BPF (`struct sock_filter`, the kernel's `networking/filter` document). */
export interface BpfInstruction {
  readonly code: number
  /** Instructions to skip when the test holds, 0 to 255. */
  readonly jt: number
  /** Instructions to skip when it does not. */
  readonly jf: number
  readonly k: number
}

/** What the kernel knows about a frame beside its octets (`SKF_AD_*`); `'random'` is 32 bits that are new each time. */
export type AncillaryField = 'protocol' | 'packetType' | 'interfaceIndex' | 'vlanTag' | 'vlanTagPresent' | 'random'
/** How many octets a load takes, network order. */
export type LoadSize = 'word' | 'half' | 'byte'
/** How a jump compares the accumulator with its value; `'set'` is: any of these bits. */
export type JumpTest = 'equal' | 'greater' | 'greaterOrEqual' | 'set'

/** A line of a program: what the factories of {@link bpf} make and {@link assemble} reads. */
export type BpfStatement =
  | { readonly op: 'load'; readonly size: LoadSize; readonly offset: number }
  | { readonly op: 'loadAncillary'; readonly field: AncillaryField }
  | { readonly op: 'and'; readonly value: number }
  | ({ readonly op: 'jump'; readonly test: JumpTest; readonly value: number } & JumpTargets)
  | { readonly op: 'goto'; readonly label: string }
  | { readonly op: 'return'; readonly octets: number }
  | { readonly op: 'label'; readonly name: string }

/** Where a jump goes: labels further down; the next line by default. */
export interface JumpTargets {
  readonly ifTrue?: string
  readonly ifFalse?: string
}

const NETWORK_BASE = 0xfff00000 // SKF_NET_OFF, -0x100000

/** The lines a program is written in. Loads set the accumulator, jumps test it, `accept` and `drop` end the program. */
export const bpf = {
  /** Loads octets of the frame, at an offset from its first octet. A frame too short for it is dropped. */
  load: (size: LoadSize, offset: number): BpfStatement => ({ op: 'load', size, offset }),
  /**
   * Loads octets of the network header, at an offset from its first octet, wherever the program's view of the packet begins: the
   * filter of a UDP socket sees the UDP header first.
   */
  loadNetwork: (size: LoadSize, offset: number): BpfStatement => ({ op: 'load', size, offset: NETWORK_BASE + offset }),
  /** Loads what the kernel knows about the frame. */
  loadAncillary: (field: AncillaryField): BpfStatement => ({ op: 'loadAncillary', field }),
  /** Masks the accumulator. */
  and: (value: number): BpfStatement => ({ op: 'and', value }),
  /** Compares the accumulator with a value and goes on at a label. */
  jump: (test: JumpTest, value: number, targets: JumpTargets): BpfStatement => ({
    op: 'jump',
    test,
    value,
    ...targets,
  }),
  /** Goes on at a label, however far down. */
  goto: (label: string): BpfStatement => ({ op: 'goto', label }),
  /** Takes the frame, cut to so many octets. @default all of it */
  accept: (octets = 0x40000): BpfStatement => ({ op: 'return', octets }),
  /** Drops the frame in the kernel: the program never hears of it. */
  drop: (): BpfStatement => ({ op: 'return', octets: 0 }),
  /** Names the next line. */
  label: (name: string): BpfStatement => ({ op: 'label', name }),
} as const

const SIZE = { word: 0x00, half: 0x08, byte: 0x10 } as const
const TEST = { equal: 0x10, greater: 0x20, greaterOrEqual: 0x30, set: 0x40 } as const
const ANCILLARY_BASE = 0xfffff000 // SKF_AD_OFF, -4096
const ANCILLARY = {
  protocol: 0,
  packetType: 4,
  interfaceIndex: 8,
  vlanTag: 44,
  vlanTagPresent: 48,
  random: 56,
} as const
const LOAD_ABSOLUTE = 0x20
const JUMP = 0x05
const AND = 0x54
const RETURN = 0x06
const MAX_INSTRUCTIONS = 4096
const MAX_SKIP = 255

/**
 * Turns lines into instructions.
 *
 * @throws {RangeError} on an unknown label, one that lies behind, a jump of more than 255 instructions, a program that is
 * empty, does not end with `accept` or `drop`, or has more than 4096 instructions
 *
 * @example
 * ```ts
 * import { assemble, bpf } from '@typemetal/sockets/bpf'
 *
 * // Frames with EtherType IPv6, and nothing else.
 * const filter = assemble([
 *   bpf.load('half', 12),
 *   bpf.jump('equal', 0x86dd, { ifFalse: 'drop' }),
 *   bpf.accept(),
 *   bpf.label('drop'),
 *   bpf.drop(),
 * ])
 * console.log(filter.length) // 4
 * ```
 */
export function assemble(statements: readonly BpfStatement[]): readonly BpfInstruction[] {
  const labels = placeLabels(statements)
  const instructions: BpfInstruction[] = []
  for (const statement of statements)
    if (statement.op !== 'label') instructions.push(encode(statement, instructions.length, labels))
  if (instructions.at(-1)?.code !== RETURN) throw new RangeError('a BPF program ends with accept or drop')
  if (instructions.length > MAX_INSTRUCTIONS)
    throw new RangeError(`${instructions.length} BPF instructions are too many`)
  return instructions
}

function placeLabels(statements: readonly BpfStatement[]): ReadonlyMap<string, number> {
  const labels = new Map<string, number>()
  let at = 0
  for (const statement of statements) {
    if (statement.op === 'label') labels.set(statement.name, at)
    else at++
  }
  return labels
}

type Labels = ReadonlyMap<string, number>

function encode(statement: Exclude<BpfStatement, { op: 'label' }>, at: number, labels: Labels): BpfInstruction {
  const plain = (code: number, k: number): BpfInstruction => ({ code, jt: 0, jf: 0, k: k >>> 0 })
  switch (statement.op) {
    case 'load':
      return plain(LOAD_ABSOLUTE | SIZE[statement.size], statement.offset)
    case 'loadAncillary':
      return plain(LOAD_ABSOLUTE | SIZE.word, ANCILLARY_BASE + ANCILLARY[statement.field])
    case 'and':
      return plain(AND, statement.value)
    case 'return':
      return plain(RETURN, statement.octets)
    case 'goto':
      return plain(JUMP, distance(statement.label, at, labels))
    case 'jump': {
      const jt = shortDistance(statement.ifTrue, at, labels)
      const jf = shortDistance(statement.ifFalse, at, labels)
      return { code: JUMP | TEST[statement.test], jt, jf, k: statement.value >>> 0 }
    }
    default:
      return statement satisfies never
  }
}

function distance(label: string, from: number, labels: Labels): number {
  const to = labels.get(label)
  if (to === undefined) throw new RangeError(`no BPF label ${JSON.stringify(label)}`)
  if (to <= from) throw new RangeError(`BPF label ${JSON.stringify(label)} lies behind`)
  return to - from - 1
}

function shortDistance(label: string | undefined, from: number, labels: Labels): number {
  if (label === undefined) return 0
  const skip = distance(label, from, labels)
  if (skip > MAX_SKIP) throw new RangeError(`BPF label ${JSON.stringify(label)} is out of reach`)
  return skip
}
