/** Who makes the webhooks' certificates, when, and who is told; and the Secret of the gossip. */
import { setImmediate } from 'node:timers/promises'
import { type ApiClient, ConflictError } from '@typemetal/cluster'
import { type Logger, silentLogger } from '@typemetal/cluster/process'
import { until as waitUntil } from '@typemetal/lab'
import t from 'tap'
import { createMemberlistSecret } from '../dist/node/memberlist-secret.js'
import { CertificateKeeper } from '../dist/webhook/certificate-keeper.js'
import { type CertificateBundle, renewalNeed } from '@typemetal/cluster/tls'
import { MemoryApi } from './scenario/memory-api.js'
import { VirtualClock } from './scenario/virtual-clock.js'

const SECRET = '/api/v1/namespaces/metallb-system/secrets/metallb-webhook-cert'
const CONFIGURATION =
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration'
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io'
const dnsName = 'metallb-webhook-service.metallb-system.svc'

/** What the manifests bring: an empty Secret, webhooks and a CRD that trust nobody. */
class Site {
  readonly api = new MemoryApi()
  readonly clock = new VirtualClock()
  readonly lines: string[] = []
  readonly #log: Logger = {
    ...silentLogger,
    error: (fields, message) => void this.lines.push(`${message}: ${(fields as { error: string }).error}`),
  }

  constructor() {
    this.apply()
    this.api.put(SECRET, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'metallb-webhook-cert' } })
  }

  /** The manifests are applied, as a user does at every update. */
  apply(): void {
    const clientConfig = { service: { name: 'metallb-webhook-service', path: '/x' } }
    this.api.put(CONFIGURATION, {
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'metallb-webhook-configuration' },
      webhooks: [
        { name: 'a', clientConfig },
        { name: 'b', clientConfig },
      ],
    })
    const conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
    this.api.put(CRD, {
      kind: 'CustomResourceDefinition',
      metadata: { name: 'bgppeers.metallb.io' },
      spec: { group: 'metallb.io', conversion },
    })
  }

  keeper(t: Tap, api: ApiClient = this.api) {
    const shown: CertificateBundle[] = []
    const stop = new AbortController()
    const keeper = new CertificateKeeper({
      api,
      namespace: 'metallb-system',
      secretName: 'metallb-webhook-cert',
      serviceName: 'metallb-webhook-service',
      onBundle: bundle => shown.push(bundle),
      clock: this.clock,
      log: this.#log,
    })
    const ended = keeper.run(stop.signal)
    const end = async (): Promise<void> => {
      stop.abort()
      await ended
    }
    t.teardown(end)
    return { shown, end }
  }

  async nextLook(): Promise<void> {
    this.clock.advance()
    for (let turn = 0; turn < 50; turn++) await setImmediate()
  }

  get bundle(): CertificateBundle {
    const { data } = this.api.objects.get(SECRET) as unknown as { data: Record<string, string> }
    const entries = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
    return Object.fromEntries(entries) as CertificateBundle
  }

  /** PEM of everybody whom the API server trusts. */
  get trusted(): readonly string[] {
    const text = JSON.stringify([this.api.objects.get(CONFIGURATION), this.api.objects.get(CRD)])
    return [...text.matchAll(/"caBundle":"([^"]*)"/g)].map(([, ca]) => Buffer.from(ca!, 'base64').toString())
  }
}

/** Waits: making keys takes real time, on a busy machine much of it. */
const until = (condition: () => boolean): Promise<true> =>
  waitUntil(String(condition), () => condition() || undefined, { timeout: 300_000, interval: 5 })

type Tap = Pick<typeof t, 'teardown'>

t.test('an empty Secret is filled, the webhooks and the CRD trust the CA, and the rest of them stays', async t => {
  const site = new Site()
  const { shown } = site.keeper(t)
  await until(() => site.trusted.length === 3)
  const { bundle } = site
  t.equal(renewalNeed(bundle, { dnsName, now: site.clock.now() }), undefined)
  t.same(shown, [bundle])
  t.same(site.trusted, [bundle['ca.crt'], bundle['ca.crt'], bundle['ca.crt']])
  t.match(site.api.objects.get(CRD), {
    spec: { group: 'metallb.io', conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'] } } },
  })
  const before = site.api.writes.length
  await site.nextLook()
  t.same([site.api.writes.length, shown.length], [before, 1], 'a second look changes nothing')
})

t.test('manifests that are applied again, or a Secret that was deleted, are mended at the next look', async t => {
  const site = new Site()
  const { shown } = site.keeper(t)
  await until(() => site.trusted.length === 3)
  const [first] = shown
  site.apply()
  t.same(site.trusted, [])
  await site.nextLook()
  t.same(site.trusted, [first?.['ca.crt'], first?.['ca.crt'], first?.['ca.crt']])
  site.api.objects.delete(SECRET)
  await site.nextLook()
  await until(() => site.trusted.every(ca => ca === shown[1]?.['ca.crt']))
  t.same([shown.length, site.bundle], [2, shown[1]])
  t.same(site.trusted, [site.bundle['ca.crt'], site.bundle['ca.crt'], site.bundle['ca.crt']])
})

t.test('two replicas that begin at once agree on the certificates of one of them', async t => {
  const site = new Site()
  const [a, b] = [site.keeper(t), site.keeper(t)]
  await until(() => a.shown.length > 0)
  await until(() => b.shown.length > 0 && site.trusted.length === 3)
  t.same(a.shown.at(-1), site.bundle)
  t.same(b.shown.at(-1), site.bundle)
  t.equal(site.trusted.filter(ca => ca === site.bundle['ca.crt']).length, 3)
  t.equal(site.api.writes.filter(write => write.endsWith('metallb-webhook-cert')).length, 1)
})

t.test('what is missing or refused is said once, and the rest is done', async t => {
  const site = new Site()
  site.api.objects.delete(CONFIGURATION)
  const crd = site.api.objects.get(CRD) as unknown as { spec: object }
  site.api.put(CRD, { ...crd, spec: { ...crd.spec, conversion: { strategy: 'None' } } })
  const { shown } = site.keeper(t)
  await until(() => site.lines.length === 2)
  await site.nextLook()
  await site.nextLook()
  t.same(
    site.lines.map(line => line.replace(/no \/apis.*/, 'gone')),
    [
      'the webhooks may not be reachable: ValidatingWebhookConfiguration metallb-webhook-configuration: gone',
      'the webhooks may not be reachable: CustomResourceDefinition bgppeers.metallb.io: spec.conversion.webhook: it has none, so v1beta1 is not converted',
    ],
  )
  t.equal(shown.length, 1, 'certificates are shown all the same')
  site.apply()
  await site.nextLook()
  t.same(site.trusted, Array(3).fill(site.bundle['ca.crt']))
})

t.test('an API that does not answer is asked again', async t => {
  const site = new Site()
  site.api.onRequest = () => {
    throw new Error('the API is gone')
  }
  const { shown } = site.keeper(t)
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  t.same(site.lines, ['the webhooks may not be reachable: Secret metallb-webhook-cert: the API is gone'])
  site.api.onRequest = () => {}
  await site.nextLook()
  await until(() => site.trusted.length === 3)
  t.equal(shown.length, 1)
})

t.test('the Secret of the gossip', async t => {
  const path = '/api/v1/namespaces/metallb-system/secrets/memberlist'
  const options = { namespace: 'metallb-system', name: 'memberlist', deployment: 'controller', log: silentLogger }
  const cluster = (): MemoryApi => {
    const api = new MemoryApi()
    api.put('/apis/apps/v1/namespaces/metallb-system/deployments/controller', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'controller', uid: 'd1' },
    })
    return api
  }

  t.test('is made as MetalLB makes it', async t => {
    const api = cluster()
    await createMemberlistSecret({ ...options, api })
    const secret = api.objects.get(path) as unknown as { stringData: { secretkey: string } }
    t.match(secret, {
      metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'controller', uid: 'd1' }] },
    })
    t.match(secret.stringData.secretkey, /^[A-Za-z0-9+/]{22}$/)
    t.equal(Buffer.from(secret.stringData.secretkey, 'base64').length, 16)
    const other = cluster()
    await createMemberlistSecret({ ...options, api: other, deployment: '' })
    t.notMatch(other.objects.get(path), secret, 'another key')
    t.equal(other.objects.get(path)?.metadata.ownerReferences, undefined, 'nobody owns it')
  })

  t.test('one that is there is left alone, and a race that was lost is no failure', async t => {
    const api = cluster()
    api.put(path, { metadata: { name: 'memberlist' }, data: { mine: 'x' } })
    await createMemberlistSecret({ ...options, api })
    t.same(api.writes, [])
    const raced = cluster()
    raced.onRequest = ({ method }) => {
      if (method === 'POST') throw new ConflictError('there is one')
    }
    await createMemberlistSecret({ ...options, api: raced })
  })

  t.test('an API that refuses ends the start, in words', async t => {
    await t.rejects(createMemberlistSecret({ ...options, api: cluster(), deployment: 'other' }), {
      code: 'ERR_STARTUP',
    })
    const api = cluster()
    api.onRequest = () => {
      throw new Error('forbidden')
    }
    await t.rejects(createMemberlistSecret({ ...options, api }), {
      message: 'cannot make Secret metallb-system/memberlist: forbidden',
    })
  })
})
