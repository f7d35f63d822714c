/** How many connections a store on the Kubernetes API takes, and who waits for one. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@typemetal/lab'
import t from 'tap'
import { openStore, type ServiceL2Status, type Store } from '@typemetal/cluster'
import { writeKubeconfig } from './kubeconfig.js'
import { NAMESPACE } from './objects.js'

/** Connections that writes share. */
const BOUND = 16
const STATUSES = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/servicel2statuses`

const status: ServiceL2Status = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'ServiceL2Status',
  metadata: { name: '', namespace: NAMESPACE },
  status: { node: 'n1', serviceName: 'web', serviceNamespace: 'default' },
}

/** As the server has it. */
const STORED = JSON.stringify({ ...status, metadata: { ...status.metadata, name: 'l2-x', resourceVersion: '7' } })

interface Fixture {
  readonly store: Store
  /** Writes that the server has seen, as `METHOD path`. */
  readonly writes: readonly string[]
  /** Connections to the server so far. */
  readonly connections: () => number
}

/** A store of one kind on a server of which a test says how it answers writes. */
async function withStore(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  run: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const writes: string[] = []
  let connections = 0
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const { method = '', url = '' } = request
    request.resume()
    if (method !== 'GET') {
      writes.push(`${method} ${url.split('?')[0]}`)
      answer(request, response)
    } else if (url.includes('watch=true')) response.writeHead(200).flushHeaders()
    else response.end(JSON.stringify({ items: [], metadata: { resourceVersion: '1' } }))
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-connections-'))
  const kubeconfig = await writeKubeconfig(directory, (server.address() as AddressInfo).port)
  const limits = { writeTimeout: 60_000 }
  const options = { kubeconfig, namespace: NAMESPACE, component: 'test', limits }
  const store = await openStore({ ...options, kinds: ['ServiceL2Status'] })
  try {
    await store.start()
    await run({ store, writes, connections: () => connections })
  } finally {
    await store[Symbol.asyncDispose]()
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  }
}

t.test('a storm of objects with statuses shares a few connections', async t => {
  await withStore(
    (_, response) => response.end(STORED),
    async ({ store, writes, connections }) => {
      await Promise.all(Array.from({ length: 200 }, () => store.create(status)))
      t.equal(writes.filter(write => write === `POST ${STATUSES}`).length, 200)
      t.equal(writes.filter(write => write === `PUT ${STATUSES}/l2-x/status`).length, 200)
      t.ok(connections() <= BOUND + 2, `${connections()} connections, of which two to list and to watch`)
    },
  )
})

t.test('a lease waits for no other write', async t => {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'leader', namespace: NAMESPACE },
    spec: {},
  } as const
  const held: ServerResponse[] = []
  let holding = true
  await withStore(
    ({ url = '' }, response) => {
      if (url.includes('/leases')) response.end(JSON.stringify(lease))
      else if (holding) held.push(response)
      else response.end(STORED)
    },
    async ({ store, writes }) => {
      let done = 0
      const storm = Array.from({ length: BOUND * 2 }, () => store.create(status).then(() => done++))
      await until('all connections to hang', () => held.length === BOUND)
      t.match(await store.leases?.write(lease, new AbortController().signal), { metadata: { name: 'leader' } })
      t.same([held.length, done], [BOUND, 0], 'the others wait')
      holding = false
      for (const response of held) response.end(STORED)
      await Promise.all(storm)
      t.equal(writes.length, BOUND * 4 + 1)
    },
  )
})
