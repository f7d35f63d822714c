/** The webhooks: what is admitted and what is not, conversion, and the server that the API server talks to. */
import { once } from 'node:events'
import { Agent, request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { ConfigResources, KubernetesObject } from '@typemetal/cluster'
import t from 'tap'
import { reviewAdmission } from '../dist/webhook/admission.js'
import { issueCertificates } from '@typemetal/cluster/tls'
import { reviewConversion } from '../dist/webhook/conversion.js'
import { CONVERSION_PATH, VALIDATION_PATHS } from '../dist/webhook/paths.js'
import { serveWebhooks, type WebhookServerOptions } from '../dist/webhook/server.js'

const NAMESPACE = 'metallb-system'

const object = (kind: string, name: string, spec: object, more: object = {}): KubernetesObject =>
  ({
    apiVersion: kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1',
    kind,
    metadata: { name, namespace: NAMESPACE, ...more },
    spec,
  }) as KubernetesObject
const pool = (name: string, ...addresses: string[]): KubernetesObject => object('IPAddressPool', name, { addresses })
const peer = (name: string, spec: object): KubernetesObject =>
  object('BGPPeer', name, { myASN: 64500, peerASN: 64501, peerAddress: '10.0.0.1', ...spec })

/** What is said to a request while these objects are there. */
function review(
  operation: string,
  parts: { object?: KubernetesObject; oldObject?: KubernetesObject },
  there: object = {},
): string {
  const context = { namespace: NAMESPACE, resources: there as ConfigResources }
  const { uid, allowed, status, warnings = [] } = reviewAdmission({ uid: 'u', operation, ...parts }, context)
  if (uid !== 'u') throw new Error('the answer is to another request')
  return allowed ? ['ok', ...warnings].join('; ') : `${status?.code}: ${status?.message}`
}
const create = (object: KubernetesObject, there?: object): string => review('CREATE', { object }, there)

t.test('admission', async t => {
  t.test('what is good is admitted', async t => {
    t.equal(create(pool('web', '192.0.2.0/24')), 'ok')
    t.equal(create(object('L2Advertisement', 'all', {})), 'ok')
    t.equal(create(object('Community', 'c', { communities: [{ name: 'x', value: '1:2' }] })), 'ok')
    t.equal(create(peer('router', {})), 'ok')
  })

  t.test('a fault is told with its field', async t => {
    t.match(create(pool('web', '192.0.2.0/33')), /^403: IPAddressPool metallb-system\/web: spec.addresses\[0\]: /)
    t.match(create(peer('router', { holdTime: '1s' })), /^403: BGPPeer metallb-system\/router: spec.holdTime: /)
  })

  t.test('pools that overlap: the newcomer is refused, by the one that is there', async t => {
    const there = { IPAddressPool: [pool('old', '192.0.2.0/24')] }
    t.match(create(pool('new', '192.0.2.128/25'), there), /^403: .*overlaps/)
    t.equal(create(pool('new', '198.51.100.0/24'), there), 'ok')
    const grown = { object: pool('old', '192.0.2.0/23'), oldObject: pool('old', '192.0.2.0/24') }
    t.equal(review('UPDATE', grown, there), 'ok', 'it does not overlap with what it was')
  })

  t.test('only the namespace of metallb.io, and only when it is created', async t => {
    const elsewhere = { ...pool('web', '192.0.2.0/24'), metadata: { name: 'web', namespace: 'default' } }
    t.equal(create(elsewhere), '403: resource must be created in metallb-system namespace')
    const moved = { ...elsewhere, spec: { addresses: ['192.0.2.0/25'] } } as KubernetesObject
    const answer = review('UPDATE', { object: moved, oldObject: elsewhere })
    t.equal(
      answer,
      'ok; IPAddressPool default/web: metadata.namespace: resource must be created in metallb-system namespace',
    )
  })

  t.test('what is still to come is waited for, with a warning', async t => {
    t.match(create(peer('router', { bfdProfile: 'fast' })), /^ok; BGPPeer metallb-system\/router: spec.bfdProfile: /)
    t.match(create(peer('router', { passwordSecret: { name: 'key' } })), /^ok; .*passwordSecret/)
    const web = { IPAddressPool: [pool('web', '192.0.2.0/24')] }
    t.match(create(object('BGPAdvertisement', 'a', { communities: ['later'] }), web), /^ok; .*communities/)
  })

  t.test('what was wrong elsewhere before does not stop anybody, and can be mended', async t => {
    const broken = pool('broken', 'nonsense')
    const there = { IPAddressPool: [broken] }
    t.equal(create(pool('web', '192.0.2.0/24'), there), 'ok')
    t.equal(review('UPDATE', { object: pool('broken', '192.0.2.0/24'), oldObject: broken }, there), 'ok')
    t.match(review('UPDATE', { object: pool('broken', 'other'), oldObject: broken }, there), /^403/)
    const released = { ...broken, metadata: { ...broken.metadata, finalizers: [] } }
    t.equal(review('UPDATE', { object: released, oldObject: broken }, there), 'ok', 'its finalizer can go')
  })

  t.test(
    'labels of a pool that choose an advertisement which does not fit are refused, and others are free',
    async t => {
      const wide = { aggregationLength: 24, ipAddressPoolSelectors: [{ matchLabels: { routed: 'yes' } }] }
      const small = object('IPAddressPool', 'small', { addresses: ['192.0.2.0/28'] })
      const relabelled = (labels: Record<string, string>): string => {
        const there = { IPAddressPool: [small], BGPAdvertisement: [object('BGPAdvertisement', 'wide', wide)] }
        return review(
          'UPDATE',
          { object: { ...small, metadata: { ...small.metadata, labels } }, oldObject: small },
          there,
        )
      }
      t.match(
        relabelled({ routed: 'yes' }),
        /^403: BGPAdvertisement metallb-system\/wide: spec.aggregationLength: .*"small"/,
      )
      t.equal(relabelled({ routed: 'no' }), 'ok')
      const broken = pool('broken', 'nonsense')
      const kept = { ...broken, metadata: { ...broken.metadata, labels: { a: 'b' } } } as KubernetesObject
      const there = { IPAddressPool: [broken] }
      t.equal(
        review('UPDATE', { object: kept, oldObject: broken }, there),
        'ok',
        'what is wrong already can be labelled',
      )
    },
  )

  t.test('a BFDProfile in use cannot be deleted; other things can', async t => {
    const profile = object('BFDProfile', 'fast', {})
    const there = { BGPPeer: [peer('router', { bfdProfile: 'fast' })] }
    t.equal(
      review('DELETE', { oldObject: profile }, there),
      '403: failed to delete BFDProfile fast, used by BGPPeer router',
    )
    t.equal(review('DELETE', { oldObject: profile }), 'ok')
    t.equal(review('DELETE', { oldObject: pool('web', '192.0.2.0/24') }, there), 'ok')
  })

  t.test('disableMP is admitted with a warning, and the rest is looked at all the same', async t => {
    t.match(create(peer('router', { disableMP: true })), /^ok; .*disableMP is deprecated/)
    t.match(create(peer('router', { disableMP: true, holdTime: '1s' })), /^403/)
  })

  t.test('what is no object of ours is a bad request', async t => {
    t.equal(review('CREATE', {}), '400: the object is none of metallb.io')
    t.equal(create(object('Service', 'x', {})), '400: the object is none of metallb.io')
  })
})

t.test('conversion: all or nothing', async t => {
  const old = { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata: { name: 'router' }, spec: { peerASN: 1 } }
  const wish = { uid: 'u', desiredAPIVersion: 'metallb.io/v1beta2' }
  t.match(reviewConversion({ ...wish, objects: [old] }), {
    uid: 'u',
    convertedObjects: [{ apiVersion: 'metallb.io/v1beta2', metadata: { name: 'router' }, spec: { peerASN: 1 } }],
    result: { status: 'Success' },
  })
  t.match(reviewConversion({ ...wish, objects: [old, pool('web', '192.0.2.0/24')] }), {
    convertedObjects: [],
    result: { status: 'Failure', message: /IPAddressPool has one version/ },
  })
  t.match(reviewConversion({ ...wish, desiredAPIVersion: 'metallb.io/v9', objects: [old] }).result.message, /v9/)
})

t.test("the paths of MetalLB's ValidatingWebhookConfiguration", async t => {
  t.same([...VALIDATION_PATHS.keys()].toSorted(), [
    '/validate-metallb-io-v1beta1-bfdprofile',
    '/validate-metallb-io-v1beta1-bgpadvertisement',
    '/validate-metallb-io-v1beta1-community',
    '/validate-metallb-io-v1beta1-ipaddresspool',
    '/validate-metallb-io-v1beta1-l2advertisement',
    '/validate-metallb-io-v1beta2-bgppeer',
  ])
})

const dnsName = 'localhost'
const bundle = await issueCertificates({ dnsName, now: new Date() })

/** A server with a client that trusts it. */
async function start(t: Tap, options: Partial<WebhookServerOptions> = {}) {
  const answers: string[] = []
  const server = await serveWebhooks({
    port: 0,
    host: '127.0.0.1',
    context: () => ({ namespace: NAMESPACE, resources: {} }),
    onAnswer: (path, code) => answers.push(`${path} ${code}`),
    ...options,
  })
  server.setCertificate(bundle)
  t.teardown(() => server[Symbol.asyncDispose]())
  const agent = new Agent({ ca: bundle['ca.crt'], servername: dnsName })
  t.teardown(() => agent.destroy())
  const send = async (path: string, body: unknown, method = 'POST', ca: Agent = agent): Promise<Answer> => {
    const outgoing = httpsRequest({ host: '127.0.0.1', port: server.port, path, method, agent: ca })
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body))
    const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return { status: response.statusCode, text }
  }
  return { server, send, answers }
}

interface Answer {
  readonly status: number
  readonly text: string
}

type Tap = Pick<typeof t, 'teardown'>

const PATH = '/validate-metallb-io-v1beta1-ipaddresspool'
const admissionReview = (request: unknown): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request,
})

t.test('server', async t => {
  t.test('an AdmissionReview is answered by one', async t => {
    const { send, answers } = await start(t)
    const ask = async (object: KubernetesObject): Promise<unknown> => {
      const { status, text } = await send(PATH, admissionReview({ uid: 'u1', operation: 'CREATE', object }))
      t.equal(status, 200)
      return JSON.parse(text)
    }
    t.same(await ask(pool('web', '192.0.2.0/24')), {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u1', allowed: true },
    })
    t.match(await ask(pool('web', 'x')), { response: { uid: 'u1', allowed: false, status: { code: 403 } } })
    t.same(answers, [`${PATH} 200`, `${PATH} 403`])
  })

  t.test('a ConversionReview is answered by one', async t => {
    const { send } = await start(t)
    const peer = { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata: { name: 'r' }, spec: { peerASN: 7 } }
    const { text } = await send(CONVERSION_PATH, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request: { uid: 'c', desiredAPIVersion: 'metallb.io/v1beta2', objects: [peer] },
    })
    t.match(JSON.parse(text), {
      kind: 'ConversionReview',
      response: { uid: 'c', result: { status: 'Success' }, convertedObjects: [{ spec: { peerASN: 7 } }] },
    })
  })

  t.test('bad requests get a status and a sentence, and the server lives', async t => {
    const { send } = await start(t)
    const rows: readonly (readonly [path: string, body: unknown, status: number, method?: string])[] = [
      ['/nowhere', {}, 404],
      [PATH, '', 405, 'GET'],
      [PATH, 'no JSON', 400],
      [PATH, '[]', 400],
      [PATH, { apiVersion: 'x', kind: 'y' }, 400],
      [PATH, admissionReview({ uid: 'u' }), 400],
      [CONVERSION_PATH, admissionReview({ uid: 'u', desiredAPIVersion: 'x', objects: [1] }), 400],
      [CONVERSION_PATH, admissionReview({ uid: 'u', desiredAPIVersion: 'x' }), 400],
      [PATH, 'x'.repeat(9 * 1024 * 1024), 413],
    ]
    for (const [path, body, status, method] of rows) {
      // A server that does not want the rest of a body may close before all of it is sent.
      const answer = await send(path, body, method).catch(() => ({ status: 413, text: 'closed' }))
      t.equal(answer.status, status, answer.text.trim())
    }
    t.equal((await send(PATH, admissionReview({ uid: 'u', operation: 'CREATE', object: {} }))).status, 200)
  })

  t.test('who cannot be asked is an error of ours, told as one', async t => {
    const { send } = await start(t, { context: () => Promise.reject(new Error('the API is gone')) })
    const answer = await send(
      PATH,
      admissionReview({ uid: 'u', operation: 'CREATE', object: pool('a', '192.0.2.1/32') }),
    )
    t.same(answer, { status: 500, text: 'the API is gone\n' })
  })

  t.test('another certificate from the next connection on; none before the first', async t => {
    const { server, send } = await start(t)
    const other = await issueCertificates({ dnsName, now: new Date() })
    const agents = [bundle, other].map(each => new Agent({ ca: each['ca.crt'], servername: dnsName }))
    t.teardown(() => agents.forEach(agent => agent.destroy()))
    server.setCertificate(other)
    await t.rejects(send('/x', {}, 'POST', agents[0]), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    t.equal((await send('/x', {}, 'POST', agents[1])).status, 404)
    const bare = await serveWebhooks({ port: 0, host: '127.0.0.1', context: () => Promise.reject(new Error('no')) })
    t.teardown(() => bare[Symbol.asyncDispose]())
    const outgoing = httpsRequest({ host: '127.0.0.1', port: bare.port, rejectUnauthorized: false }).end()
    await t.rejects(once(outgoing, 'response'), 'no certificate, no connection')
  })

  t.test('noise instead of TLS, and connections that say nothing', async t => {
    const { server, send } = await start(t)
    const noisy = connect(server.port, '127.0.0.1')
    noisy.on('error', () => {})
    noisy.end('GET / HTTP/1.1\r\n\r\n')
    const silent = connect(server.port, '127.0.0.1')
    await once(silent, 'connect')
    t.equal((await send('/x', {})).status, 404)
    silent.destroy()
  })
})
