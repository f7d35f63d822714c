/** Enough of ELF (elf(5)) to tell what a prebuilt addon is for, needs and brings. */

/** What a shared object says of itself. */
export interface SharedObject {
  /** 62 is x86-64, 183 is AArch64. */
  readonly machine: number
  /** 3 is a shared object. */
  readonly type: number
  /** Libraries it wants loaded. */
  readonly needed: readonly string[]
  /** Versions of those libraries' symbols: `GLIBC_2.14`, ... */
  readonly versions: readonly string[]
  /** Symbols it brings. */
  readonly defined: readonly string[]
  /** Symbols others have to bring; weak ones left out. */
  readonly undefined: readonly string[]
}

const Section = { dynamic: 6, dynamicSymbols: 11, neededVersions: 0x6ffffffe } as const
const DT_NEEDED = 1n
const WEAK = 2

interface SectionHeader {
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

/** @throws {Error} when it is no 64-bit little-endian ELF file */
export function readSharedObject(octets: Uint8Array): SharedObject {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  const word = (at: number): number => view.getUint32(at, true)
  const long = (at: number): number => Number(view.getBigUint64(at, true))
  if (view.getUint32(0) !== 0x7f454c46 || octets[4] !== 2 || octets[5] !== 1)
    throw new Error('not ELF, 64 bits, little-endian')
  const sections: SectionHeader[] = Array.from({ length: view.getUint16(60, true) }, (_, index) => {
    const at = long(40) + index * view.getUint16(58, true)
    return { type: word(at + 4), offset: long(at + 24), size: long(at + 32), link: word(at + 40) }
  })
  const find = (type: number): SectionHeader | undefined => sections.find(section => section.type === type)
  const text = (section: SectionHeader, at: number): string => {
    const start = sections[section.link]!.offset + at
    return new TextDecoder().decode(octets.subarray(start, octets.indexOf(0, start)))
  }
  const entries = (section: SectionHeader | undefined, length: number): number[] =>
    Array.from({ length: (section?.size ?? 0) / length }, (_, index) => section!.offset + index * length)

  const dynamic = find(Section.dynamic)!
  const symbols = find(Section.dynamicSymbols)!
  const named = entries(symbols, 24)
    .slice(1)
    .map(at => ({
      name: text(symbols, word(at)),
      isWeak: octets[at + 4]! >> 4 === WEAK,
      section: view.getUint16(at + 6, true),
    }))
  return {
    machine: view.getUint16(18, true),
    type: view.getUint16(16, true),
    needed: entries(dynamic, 16)
      .filter(at => view.getBigUint64(at, true) === DT_NEEDED)
      .map(at => text(dynamic, long(at + 8))),
    versions: readVersions(find(Section.neededVersions), view, text),
    defined: named.filter(({ name, section }) => section !== 0 && name !== '').map(({ name }) => name),
    undefined: named.filter(({ section, isWeak }) => section === 0 && !isWeak).map(({ name }) => name),
  }
}

/** A list of libraries, each with a list of versions; both are chained by distances. */
function readVersions(
  section: SectionHeader | undefined,
  view: DataView,
  text: (section: SectionHeader, at: number) => string,
): readonly string[] {
  const versions: string[] = []
  if (!section) return versions
  for (let at = section.offset, next = 1; next !== 0; at += next) {
    for (let auxiliary = at + view.getUint32(at + 8, true), step = 1; step !== 0; auxiliary += step) {
      versions.push(text(section, view.getUint32(auxiliary + 8, true)))
      step = view.getUint32(auxiliary + 12, true)
    }
    next = view.getUint32(at + 12, true)
  }
  return versions
}
