/** Wireshark as the second reader of what the codecs write. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const installed = ['text2pcap', 'tshark'].every(name =>
  (process.env['PATH'] ?? '').split(':').some(folder => existsSync(join(folder, name))),
)
/** Why nothing can be read, or `false`. */
export const NO_TSHARK = !installed && 'needs tshark: apt-get install tshark'

/** Values of a frame's fields by their names in Wireshark, in the order of the frame. */
export type Dissection = ReadonlyMap<string, readonly string[]>

/** Shown when a frame is malformed, or something in it is strange. */
export const COMPLAINTS = ['_ws.malformed', '_ws.expert.message'] as const

/** One frame as text2pcap reads it. */
function hexDump(frame: Uint8Array): string {
  const octets = Array.from(frame, octet => octet.toString(16).padStart(2, '0'))
  const lines = Array.from({ length: Math.ceil(octets.length / 16) }, (_, i) =>
    [(16 * i).toString(16).padStart(6, '0'), ...octets.slice(16 * i, 16 * i + 16)].join(' '),
  )
  return `${lines.join('\n')}\n`
}

/** What tshark reads in each of the frames. */
export function dissect(frames: readonly Uint8Array[], fields: readonly string[]): readonly Dissection[] {
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-wire-'))
  try {
    const [dump, capture] = [join(directory, 'dump.txt'), join(directory, 'frames.pcap')]
    writeFileSync(dump, frames.map(hexDump).join('\n'))
    execFileSync('text2pcap', ['-q', dump, capture], { stdio: 'pipe' })
    const names = [...fields, ...COMPLAINTS]
    const how = ['-r', capture, '-T', 'fields', '-E', 'separator=|', '-E', 'aggregator=;', '-E', 'occurrence=a']
    // Two frames of the same address in one capture are no duplicates here, and checksums are to be looked at.
    const options = ['-n', '-o', 'arp.detect_duplicate_ips:FALSE', ...names.flatMap(name => ['-e', name])]
    const text = execFileSync('tshark', [...how, ...options], { stdio: 'pipe', encoding: 'utf8', maxBuffer: 1 << 26 })
    return text
      .replace(/\n$/, '')
      .split('\n')
      .map(line => dissectionOf(names, line))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function dissectionOf(names: readonly string[], line: string): Dissection {
  const values = line.split('|')
  return new Map(names.map((name, i) => [name, values[i] === '' ? [] : (values[i] ?? '').split(';')]))
}
