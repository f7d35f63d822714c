/**
 * Runs in a host of the lab and does what its standard input says, one JSON object a line; answers the same way.
 * `agent.js layer2 OPTIONS` has a {@link Layer2}, `agent.js client` asks, pokes and sends frames.
 */
import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Layer2, resolve, type NeighborRefresh, type ResolveOptions, type WantedAddress } from '@typemetal/arp-ndp'
import { exchange, flood, type Exchange, type Flood } from './interop-frames.js'

/** One line of input; any of them. */
export interface AgentCommand {
  readonly set?: readonly WantedAddress[]
  readonly announce?: string
  readonly refresh?: NeighborRefresh
  readonly count?: number
  readonly resolve?: ResolveOptions
  /** Sends a datagram to each, so that the kernel resolves the addresses. */
  readonly poke?: readonly string[]
  /** Sends frames and tells what comes back. */
  readonly exchange?: Exchange
  readonly flood?: Flood
  /** A file: this thread is kept busy as long as it is there. */
  readonly blockBy?: string
  readonly close?: true
}

const tell = (line: object): void =>
  console.log(JSON.stringify(line, (_, value: unknown) => (value instanceof Map ? [...value] : value)))
const [mode, options = '{}'] = process.argv.slice(2)
const layer2 = mode === 'layer2' ? await start() : undefined

async function start(): Promise<Layer2> {
  const layer2 = await Layer2.start(JSON.parse(options) as object).catch((error: Error & { code?: string }) => {
    tell({ failed: error.code, message: error.message })
    process.exit(1)
  })
  layer2.on('responder', responder => tell({ responder }))
  layer2.on('interfaces', interfaces => tell({ interfaces }))
  layer2.on('conflict', conflict => tell({ conflict }))
  layer2.on('conflict-over', over => tell({ over }))
  layer2.on('error', error => tell({ error: error.message }))
  return layer2
}

function poke(addresses: readonly string[]): void {
  for (const address of addresses) {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    // An unreachable host is what some tests are about.
    socket.on('error', () => {})
    socket.send('poke', 9, address, () => socket.close())
  }
}

function blockBy(file: string): void {
  while (existsSync(file));
}

async function obey(command: AgentCommand): Promise<void> {
  if (command.set) layer2?.setAddresses(command.set)
  if (command.announce) layer2?.announce(command.announce)
  if (command.refresh) layer2?.refreshNeighbor(command.refresh)
  if (command.count !== undefined) {
    const [counters, statistics, conflicts] = await Promise.all([
      layer2?.counters(),
      layer2?.statistics(),
      layer2?.conflicts(),
    ])
    tell({ count: command.count, counters, statistics, conflicts })
  }
  if (command.resolve) tell({ answers: await resolve(command.resolve) })
  if (command.poke) poke(command.poke)
  if (command.exchange) tell({ exchanged: await exchange(command.exchange) })
  if (command.flood) tell({ flooded: await flood(command.flood) })
  if (command.blockBy) {
    tell({ blocking: command.blockBy })
    blockBy(command.blockBy)
    tell({ blocked: command.blockBy })
  }
  if (command.close) {
    await layer2?.[Symbol.asyncDispose]()
    tell({ closed: true })
    input.close()
  }
}

const input = createInterface({ input: process.stdin })
input.on('line', line => {
  obey(JSON.parse(line) as AgentCommand).catch((error: unknown) => tell({ error: String(error) }))
})
tell({ ready: layer2?.interfaces() ?? [] })
