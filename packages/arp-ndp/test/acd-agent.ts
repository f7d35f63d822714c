/**
 * Runs in a host of the lab: `acd-agent.js probe|resolve OPTIONS` asks once and prints the result or the error; `acd-agent.js own
 * POLICY ADDRESS…` answers for addresses, is ready when it has announced them, and prints the conflicts that it is told of. One JSON object a line.
 */
import { AttemptLimit } from '@typemetal/arp-ndp/acd'
import { Layer2, probe, resolve, type ProbeOptions, type ResolveOptions } from '@typemetal/arp-ndp'

/** What a probe can be told in JSON beside its own options. */
export interface ProbeCommand extends ProbeOptions {
  /** Milliseconds after which it is called off. */
  readonly abortAfter?: number
  /** After too many conflicts: milliseconds from an attempt just made to this one. */
  readonly rateLimitInterval?: number
}

const tell = (line: object): void => console.log(JSON.stringify(line))

async function askProbe({ abortAfter, rateLimitInterval = 0, ...options }: ProbeCommand): Promise<object> {
  const limit = new AttemptLimit({ maxConflicts: 0, rateLimitInterval })
  limit.attempt(performance.now())
  const begin = performance.now()
  const signal = abortAfter === undefined ? {} : { signal: AbortSignal.timeout(abortAfter) }
  const result = await probe({ ...options, ...signal, limit })
  return { result, took: performance.now() - begin }
}

async function ask(question: () => Promise<unknown>): Promise<void> {
  try {
    tell({ ...((await question()) as object) })
  } catch (error) {
    const { name, code, message } = error as Error & { readonly code?: string }
    tell({ error: name, code, message })
  }
}

/** Frames of the announcements of a new address. */
const burstOf = (address: string): number => (address.includes(':') ? 5 : 10)

async function own(defend: 'never' | 'once' | 'always', addresses: readonly string[]): Promise<void> {
  const layer2 = await Layer2.start({ excludeInterfaces: ['^lo$'], defend })
  layer2.on('conflict', conflict => tell({ conflict }))
  layer2.setAddresses(addresses.map(address => ({ address, interfaces: 'all' })))
  // First announcements end detection as well as an answer does.
  const isWhole = async (): Promise<boolean> => {
    const counters = await layer2.counters()
    return addresses.every(address => (counters.get(address)?.gratuitousSent ?? 0) >= burstOf(address))
  }
  while (!(await isWhole())) await new Promise(resolve => setTimeout(resolve, 100))
  tell({ ready: true })
  process.stdin.resume()
  process.stdin.on('end', () => void layer2[Symbol.asyncDispose]())
}

const [mode, first = '', ...rest] = process.argv.slice(2)
if (mode === 'own') await own(first as 'never', rest)
else if (mode === 'probe') await ask(() => askProbe(JSON.parse(first) as ProbeCommand))
else await ask(async () => ({ answers: await resolve(JSON.parse(first) as ResolveOptions) }))
