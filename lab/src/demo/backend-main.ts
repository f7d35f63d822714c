/**
 * `backend-main.js NODE CONFIG-DIR`: a node's kube-proxy and pods in one small process. Keeps the addresses of Services that have an
 * endpoint on this node on `lo`, and answers HTTP on their ports with the node's name.
 */
import { createServer, type Server } from 'node:http'
import { DirectoryStore, type Service, type Snapshot } from '@typemetal/cluster'
import { run } from '../command.js'
import { messageOf } from '../errors.js'

const [node = '', directory = ''] = process.argv.slice(2)

const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())

/** What is served now, by `address port`. */
const servers = new Map<string, { readonly address: string; readonly server: Server }>()

/** `address port` → Service, of everything this node should serve. */
function wanted(snapshot: Snapshot): ReadonlyMap<string, { address: string; port: number; service: string }> {
  const found = new Map<string, { address: string; port: number; service: string }>()
  for (const [service, { spec, status }] of snapshot.objects('Service')) {
    if (spec?.type !== 'LoadBalancer' || !hasEndpointHere(snapshot, service)) continue
    for (const { ip } of status?.loadBalancer?.ingress ?? []) {
      for (const { port } of portsOf(spec)) if (ip) found.set(`${ip} ${port}`, { address: ip, port, service })
    }
  }
  return found
}

const portsOf = (spec: NonNullable<Service['spec']>): readonly { port: number }[] =>
  (spec.ports ?? []).filter(port => (port.protocol ?? 'TCP') === 'TCP')

const hasEndpointHere = (snapshot: Snapshot, service: string): boolean =>
  snapshot
    .endpointSlicesOf(service)
    .flatMap(slice => slice.endpoints ?? [])
    .some(endpoint => endpoint.nodeName === node && endpoint.conditions?.ready !== false)

/** Holds the address on `lo` and serves one port of it. */
async function open(
  key: string,
  { address, port, service }: { address: string; port: number; service: string },
): Promise<void> {
  await changeAddress('replace', address)
  const server = createServer({ keepAliveTimeout: 1 }, (request, response) => {
    response.setHeader('connection', 'close')
    response.end(`${node} for ${service}, asked by ${request.socket.remoteAddress}\n`)
  })
  servers.set(key, { address, server })
  server.on('error', error => console.log(`${key}: ${error.message}`))
  server.listen({ host: address, port }, () => console.log(`serving ${service} on ${address} port ${port}`))
}

/** Stops serving; the address goes when no port of it is left. */
async function close(key: string, { address, server }: { address: string; server: Server }): Promise<void> {
  servers.delete(key)
  server.close()
  server.closeAllConnections()
  console.log(`no longer serving ${key}`)
  if (![...servers.values()].some(other => other.address === address)) await changeAddress('delete', address)
}

async function changeAddress(verb: 'replace' | 'delete', address: string): Promise<void> {
  const host = address.includes(':') ? `${address}/128` : `${address}/32`
  const nodad = verb === 'replace' && address.includes(':') ? ['nodad'] : []
  await run(['ip', 'address', verb, host, 'dev', 'lo', ...nodad])
}

async function reconcile(snapshot: Snapshot): Promise<void> {
  const want = wanted(snapshot)
  for (const [key, served] of servers) if (!want.has(key)) await close(key, served)
  for (const [key, entry] of want) if (!servers.has(key)) await open(key, entry)
}

await using store = new DirectoryStore({ directory, component: 'kube-proxy', signal: stopping.signal })
let work = Promise.resolve()
const update = (): void => {
  work = work.then(() => reconcile(store.snapshot())).catch((error: unknown) => console.log(messageOf(error)))
}
store.on('change', update)
await store.start()
update()
await work
console.log(`${node} is ready`)
await new Promise<void>(done => stopping.signal.addEventListener('abort', () => done()))
for (const { server } of servers.values()) server.close()
