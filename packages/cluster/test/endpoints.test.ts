/** Who may read the metrics, over what, and who is asked. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '@typemetal/cluster'
import {
  checkMetricsFlags,
  type EndpointsOptions,
  type MetricsFlags,
  silentLogger,
  startEndpoints,
  tokenReview,
} from '@typemetal/cluster/process'
import { issueCertificates } from '@typemetal/cluster/tls'
import { Counter, Registry } from 'prom-client'
import t from 'tap'

const PLAIN: MetricsFlags = {
  tlsMinVersion: '',
  tlsCipherSuites: '',
  tlsCurvePreferences: '',
  metricsCertDir: '',
  metricsAuth: false,
}
const registry = new Registry()
new Counter({ name: 'hits_total', help: 'hits', registers: [registry] }).inc()

/** A free port: the endpoints take 0 for none. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function start(t: Tap, flags: Partial<MetricsFlags>, more: Partial<EndpointsOptions> = {}): Promise<number> {
  const endpoints = await startEndpoints({
    registry,
    port: await freePort(),
    healthProbePort: 0,
    ready: () => true,
    flags: { ...PLAIN, ...flags },
    api: () => undefined,
    log: silentLogger,
    ...more,
  })
  t.teardown(() => endpoints[Symbol.asyncDispose]())
  return endpoints.ports[0]!
}

type Tap = Pick<typeof t, 'teardown'>

interface Got {
  readonly status: number
  readonly text: string
  readonly protocol: string | null
}

async function get(port: number, { tls = true, token = '', ca = '' } = {}): Promise<Got> {
  const options = {
    host: 'localhost',
    port,
    path: '/metrics',
    agent: false as const,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(ca === '' ? { rejectUnauthorized: false } : { ca }),
  }
  const outgoing = (tls ? httpsRequest(options) : httpRequest(options)).end()
  const [response] = (await once(outgoing, 'response')) as [
    AsyncIterable<Buffer> & { statusCode: number; socket: TLSSocket },
  ]
  const protocol = tls ? response.socket.getProtocol() : null
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, text, protocol }
}

t.test('plain HTTP unless a flag is about TLS', async t => {
  const port = await start(t, {})
  t.match(await get(port, { tls: false }), { status: 200, text: /hits_total 1/ })
})

t.test('any TLS flag brings TLS, with a certificate that nobody has signed', async t => {
  const port = await start(t, { tlsMinVersion: 'VersionTLS12' })
  t.match(await get(port), { status: 200, text: /hits_total 1/, protocol: /^TLSv1/ })
  await t.rejects(get(port, { tls: false }))
})

t.test('certificates from files, also new ones', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-endpoints-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const bundle = await issueCertificates({ dnsName: 'localhost', now: new Date() })
  for (const name of ['tls.crt', 'tls.key'] as const) writeFileSync(join(directory, name), bundle[name])
  const port = await start(t, { metricsCertDir: directory })
  let got: Got | undefined
  for (let turn = 0; turn < 200 && !got; turn++) {
    got = await get(port, { ca: bundle['ca.crt'] }).catch(() => undefined)
    await sleep(10)
  }
  t.match(got, { status: 200, protocol: 'TLSv1.3' })
})

/** Knows three tokens. */
class Reviewer implements ApiClient {
  readonly asked: string[] = []

  async send({ path, body }: Parameters<ApiClient['send']>[0]): Promise<unknown> {
    this.asked.push(path.split('/').at(-1)!)
    const { spec } = body as { spec: { token?: string; user?: string; groups?: string[] } }
    if (spec.token === 'broken') throw new Error('the API is gone')
    if (path.endsWith('tokenreviews')) {
      const authenticated = spec.token === 'prometheus' || spec.token === 'guest'
      return { status: { authenticated, ...(authenticated && { user: { username: spec.token, groups: ['g'] } }) } }
    }
    const wanted = { user: 'prometheus', groups: ['g'], nonResourceAttributes: { path: '/metrics', verb: 'get' } }
    return { status: { allowed: JSON.stringify(spec) === JSON.stringify(wanted) } }
  }
}

t.test('tokens: TokenReview, then SubjectAccessReview for get of /metrics', async t => {
  const api = new Reviewer()
  const port = await start(t, { metricsAuth: true }, { api: () => api })
  t.match(await get(port), { status: 401, text: /a valid bearer token/ }, 'over TLS without being told')
  t.same(api.asked, [], 'nobody is asked about nothing')
  t.equal((await get(port, { token: 'wrong' })).status, 401)
  t.match(await get(port, { token: 'guest' }), { status: 403, text: /not allowed/ })
  t.match(await get(port, { token: 'prometheus' }), { status: 200, text: /hits_total 1/ })
  t.match(await get(port, { token: 'broken' }), { status: 500, text: /the API is gone/ })
})

t.test('answers are kept for a minute, and not without end', async t => {
  const api = new Reviewer()
  let now = 0
  const authorize = tokenReview(
    () => api,
    () => now,
  )
  t.equal(await authorize('prometheus'), 200)
  t.equal(await authorize('prometheus'), 200)
  t.equal(api.asked.length, 2)
  now = 60_001
  t.equal(await authorize('prometheus'), 200)
  t.equal(api.asked.length, 4)
  for (let i = 0; i < 300; i++) await authorize(`noise ${i}`)
  const before = api.asked.length
  await authorize('noise 299')
  t.equal(api.asked.length, before)
  await authorize('noise 0')
  t.equal(api.asked.length, before + 1, 'the oldest were forgotten')
  await t.rejects(tokenReview(() => undefined)('x'), { message: /no API server yet/ })
})

t.test('flags that cannot be obeyed are refused', async t => {
  t.doesNotThrow(() => checkMetricsFlags(PLAIN, false))
  t.throws(() => checkMetricsFlags({ ...PLAIN, metricsAuth: true }, false), { code: 'ERR_STARTUP' })
  t.throws(() => checkMetricsFlags({ ...PLAIN, tlsMinVersion: 'x' }, true), { code: 'ERR_STARTUP' })
})

t.test('when one port cannot be had, none is kept', async t => {
  const taken = await start(t, {})
  const free = await freePort()
  const options = {
    registry,
    port: free,
    healthProbePort: taken,
    ready: () => true,
    flags: PLAIN,
    api: () => undefined,
  }
  await t.rejects(startEndpoints({ ...options, log: silentLogger }), { code: 'EADDRINUSE' })
  await t.rejects(get(free, { tls: false }), { code: 'ECONNREFUSED' })
})
