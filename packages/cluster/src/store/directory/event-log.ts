import { appendFile, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ClusterEvent } from '../../resources/core.js'
import type { Logger } from '../../process/log.js'
import { isMissing } from './versioned-file.js'

/** An event as one line of JSON. The same event again is a new line with a higher count. */
export interface RecordedEvent {
  readonly lastTimestamp: string
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  /** `Service default/web`. */
  readonly object: string
  readonly message: string
  readonly count: number
  readonly firstTimestamp: string
  readonly component: string
  readonly host?: string
}

/** Octets after which a file is set aside as `FILE.1`, of which there is one. */
const LARGEST_FILE = 1 << 20
/** Different events whose counts are remembered. */
const REMEMBERED = 4096

/** Appends events to `events/COMPONENT[-HOST].jsonl`, a file for each source, so that nobody else writes to ours. */
export class EventLog {
  readonly #directory: string
  readonly #log: Logger
  readonly #seen = new Map<string, { readonly count: number; readonly firstTimestamp: string }>()
  /** Lines to write, by file. */
  readonly #pending = new Map<string, string[]>()
  #writing: Promise<void> | undefined

  constructor(statusDirectory: string, log: Logger) {
    this.#directory = join(statusDirectory, 'events')
    this.#log = log
  }

  /** Records an event; it is in the file soon. */
  record(event: ClusterEvent): void {
    const line = JSON.stringify(this.#count(event))
    const file = join(
      this.#directory,
      `${[event.component, event.host].filter(Boolean).join('-').replaceAll('/', '_')}.jsonl`,
    )
    const lines = this.#pending.get(file) ?? []
    this.#pending.set(file, [...lines, line])
    this.#writing ??= this.#write()
  }

  /** Resolves when everything recorded so far has been written, or could not be. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  #count({
    regarding: { kind, namespace, name },
    type,
    reason,
    message,
    component,
    host,
  }: ClusterEvent): RecordedEvent {
    const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
    const id = [component, host, object, type, reason, message].join('\0')
    const lastTimestamp = new Date().toISOString()
    const before = this.#seen.get(id)
    const count = (before?.count ?? 0) + 1
    const firstTimestamp = before?.firstTimestamp ?? lastTimestamp
    this.#seen.delete(id) // to the end of the order, so that the oldest is forgotten first
    this.#seen.set(id, { count, firstTimestamp })
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.keys().next().value ?? '')
    return {
      lastTimestamp,
      type,
      reason,
      object,
      message,
      count,
      firstTimestamp,
      component,
      ...(host !== undefined && { host }),
    }
  }

  async #write(): Promise<void> {
    await Promise.resolve() // gather what the caller records in one go
    while (this.#pending.size > 0) {
      const batch = [...this.#pending]
      this.#pending.clear()
      for (const [file, lines] of batch) await this.#append(file, lines)
    }
    this.#writing = undefined
  }

  async #append(file: string, lines: readonly string[]): Promise<void> {
    try {
      await mkdir(dirname(file), { recursive: true })
      if ((await sizeOf(file)) > LARGEST_FILE) await rename(file, `${file}.1`)
      await appendFile(file, lines.map(line => `${line}\n`).join(''))
    } catch (error) {
      this.#log.error({ op: 'recordEvent', error, file }, 'cannot write events')
    }
  }
}

/** Events in a status directory, each as it was last written, oldest first. */
export async function readEvents(statusDirectory: string): Promise<readonly RecordedEvent[]> {
  const directory = join(statusDirectory, 'events')
  const names = await readdir(directory).catch(emptyIfMissing)
  const newest = new Map<string, RecordedEvent>()
  for (const name of names.filter(file => /\.jsonl(\.1)?$/.test(file)).toSorted((a, b) => b.length - a.length)) {
    const text = await readFile(join(directory, name), 'utf8')
    for (const line of text.split('\n')) {
      const event = parseLine(line)
      if (!event) continue
      newest.set([event.component, event.host, event.object, event.type, event.reason, event.message].join('\0'), event)
    }
  }
  return [...newest.values()].toSorted((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1))
}

/** A line that is still being written is no event yet. */
function parseLine(line: string): RecordedEvent | undefined {
  try {
    return JSON.parse(line) as RecordedEvent
  } catch {
    return undefined
  }
}

function emptyIfMissing(error: unknown): readonly string[] {
  if (isMissing(error)) return []
  throw error
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}
