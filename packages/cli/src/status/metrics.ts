/** What speakers say about themselves: their metrics, MetalLB's and ours. */
import { isIPv6 } from 'node:net'
import type { Snapshot } from '@typemetal/cluster'

/** One number of a scrape. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A speaker's metrics, or why there are none. */
export type SpeakerReading = { readonly samples: readonly Sample[] } | { readonly failure: string }

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '\\': '\\', '"': '"' }

/** Reads the text format of Prometheus; what is no sample is passed over. */
export function parseMetrics(text: string): readonly Sample[] {
  return text.split('\n').flatMap(line => {
    const match = LINE.exec(line.trim())
    if (!match || line.startsWith('#')) return []
    const [, name = '', labels = '', value = ''] = match
    const pairs = [...labels.matchAll(LABEL)].map(([, key = '', raw = '']) => [
      key,
      raw.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter),
    ])
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })
}

/** Milliseconds that a speaker has to answer. */
const PATIENCE = 2000

/**
 * Asks the speakers of all nodes for their metrics, at their InternalIPs, all at once. Never rejects: a speaker that does not answer
 * has a failure.
 */
export async function readSpeakers(
  snapshot: Snapshot,
  port: number,
  fetchText: (url: string) => Promise<string> = fetchWithin,
): Promise<ReadonlyMap<string, SpeakerReading>> {
  const asked = [...snapshot.objects('Node').values()].map(async ({ metadata, status }) => {
    const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    return [metadata.name, await readOne(address, port, fetchText)] as const
  })
  return new Map(await Promise.all(asked))
}

async function readOne(
  address: string | undefined,
  port: number,
  fetchText: (url: string) => Promise<string>,
): Promise<SpeakerReading> {
  if (address === undefined) return { failure: 'the Node has no InternalIP' }
  const host = isIPv6(address) ? `[${address}]` : address
  try {
    return { samples: parseMetrics(await fetchText(`http://${host}:${port}/metrics`)) }
  } catch (error) {
    return { failure: `no metrics from ${host}:${port}: ${reasonOf(error)}` }
  }
}

async function fetchWithin(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) })
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
  return response.text()
}

/** fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE / 1000} s`
  return error.cause instanceof Error
    ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code)
    : error.message
}
