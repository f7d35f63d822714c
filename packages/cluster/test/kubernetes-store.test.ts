import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import {
  type Change,
  formatJSON,
  type Kind,
  type KubernetesObject,
  openStore,
  parseJSON,
  referenceTo,
  type Service,
  type Store,
} from '@typemetal/cluster'
import { FakeApiServer } from './fake-api-server.js'
import { writeKubeconfig } from './kubeconfig.js'
import { NAMESPACE, pool, secret, service } from './objects.js'
import { eventually } from './store-contract.js'

interface Fixture {
  readonly server: FakeApiServer
  readonly directory: string
  readonly lines: string[]
  readonly open: (kinds?: readonly Kind[]) => Promise<Store>
}

/** A test with an API server and a folder for a kubeconfig; the stores it opens are closed after it. */
function withServer(name: string, run: (t: Test, fixture: Fixture) => Promise<void>): void {
  void t.test(name, async t => {
    await using server = await FakeApiServer.start()
    const directory = await mkdtemp(join(tmpdir(), 'typemetal-kubernetes-'))
    const stores: Store[] = []
    const lines: string[] = []
    const note = (_: object, message: string): number => lines.push(message)
    const log = { debug: note, info: note, warn: note, error: note, child: () => log }
    const open = async (kinds: readonly Kind[] = ['Service']): Promise<Store> => {
      const kubeconfig = await writeKubeconfig(directory, server.port)
      const store = await openStore({ kubeconfig, namespace: NAMESPACE, component: 'test', kinds, log })
      stores.push(store)
      await store.start()
      return store
    }
    try {
      await run(t, { server, directory, lines, open })
    } finally {
      for (const store of stores) await store[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    }
  })
}

const names = (store: Store): readonly string[] =>
  [...store.snapshot().objects('Service').keys()].map(key => key.replace('default/', '')).toSorted()
const until = async (holds: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 60_000; !holds(); await delay(5)) {
    if (Date.now() > deadline) throw new assert.AssertionError({ message: `never came true: ${holds.toString()}` })
  }
}

withServer('long lists come in pages, and only what is asked for is read', async (t, { server, open }) => {
  for (const name of 'abcde') server.apply(service(name))
  server.apply({ ...pool('elsewhere', ['10.0.0.0/24']), metadata: { name: 'elsewhere', namespace: 'default' } })
  server.apply(pool('first', ['10.0.0.0/24']))
  server.pageSize = 2
  const store = await open(['Service', 'IPAddressPool'])
  t.same(names(store), ['a', 'b', 'c', 'd', 'e'])
  t.same(
    [...store.snapshot().objects('IPAddressPool').keys()],
    [`${NAMESPACE}/first`],
    'other namespaces are invisible',
  )
  t.equal(server.requests.filter(line => line === 'GET services').length, 3)
  t.notOk(server.requests.some(line => line.includes('nodes')))
  t.equal(server.authorization, 'Bearer secret')
})

withServer('a page that comes too late begins the list anew', async (t, { server, open }) => {
  for (const name of 'abcde') server.apply(service(name))
  const store = await open()
  server.pageSize = 2
  let expired = false
  server.fail = ({ query }) => {
    if (!query.has('continue') || expired) return undefined
    expired = true
    return { status: 410 }
  }
  server.apply(service('f'))
  await eventually(store, () => names(store).length === 6)
  server.cutWatches('end')
  server.apply(service('g'))
  server.compact()
  await eventually(store, () => names(store).length === 7)
  t.ok(expired)
})

withServer('a watch that breaks goes on where it was', async (t, { server, open }) => {
  server.apply(service('a'))
  const store = await open()
  const seen: Change[] = []
  store.on('change', changes => seen.push(...changes))
  for (const [how, name] of [
    ['end', 'b'],
    ['destroy', 'c'],
  ] as const) {
    await until(() => server.watches === 1)
    server.cutWatches(how)
    server.apply(service(name))
    await eventually(store, () => names(store).includes(name))
  }
  t.same(
    seen.map(({ key, type }) => `${key} ${type}`),
    ['default/b added', 'default/c added'],
    'nothing lost, nothing doubled',
  )
  t.equal(server.requests.filter(line => line === 'GET services').length, 1, 'without listing again')
})

withServer('410 Gone: everything is listed again, and what went meanwhile is seen', async (t, { server, open }) => {
  for (const name of 'abc') server.apply(service(name))
  const store = await open()
  const seen: Change[] = []
  store.on('change', changes => seen.push(...changes))
  await until(() => server.watches === 1)
  server.cutWatches('end')
  server.remove(service('a'))
  server.apply(service('d'))
  server.apply(service('b', { spec: { type: 'ClusterIP' } }))
  server.compact()
  await eventually(store, () => names(store).join('') === 'bcd')
  t.same(seen.map(({ key, type }) => `${key} ${type}`).toSorted(), [
    'default/a deleted',
    'default/b modified',
    'default/d added',
  ])
})

withServer('bookmarks keep a quiet watch young', async (t, { server, open }) => {
  server.apply(service('a'))
  const store = await open(['Service'])
  await until(() => server.watches === 1)
  for (let i = 0; i < 5; i++) server.apply(pool(`p${i}`, ['10.0.0.0/24']))
  server.compact()
  server.cutWatches('end')
  server.apply(service('b'))
  await eventually(store, () => names(store).includes('b'))
  t.equal(server.requests.filter(line => line === 'GET services').length, 1)
})

withServer('the API server restarts', async (t, { server, open }) => {
  server.apply(service('a'))
  const store = await open()
  const outages: (string | undefined)[] = []
  store.on('outage', reason => outages.push(reason))
  await until(() => server.watches === 1)
  const { port } = server
  await server.stop()
  server.apply(service('b'))
  server.remove(service('a'))
  await until(() => outages.length > 0)
  t.same(names(store), ['a'], 'what was known stays')
  await t.rejects(store.updateStatus(service('a')))
  await server.listen(port)
  await eventually(store, () => names(store).join('') === 'b')
  await until(() => outages.at(-1) === undefined)
  // Why nobody is there may be told in other words: cut off at first, refused then.
  const reasons = outages.slice(0, -1)
  t.ok(reasons.length > 0)
  for (const reason of reasons) t.match(reason, `cannot reach the Kubernetes API at http://127.0.0.1:${port}: `)
})

withServer('a server that is too busy is left alone for as long as it says', async (t, { server, open }) => {
  const store = await open()
  await until(() => server.watches === 1)
  const asked: number[] = []
  server.fail = ({ query }) => {
    if (!query.has('watch')) return undefined
    asked.push(performance.now())
    return asked.length === 1 ? { status: 429, retryAfter: 1 } : undefined
  }
  server.cutWatches('end')
  server.apply(service('a'))
  await eventually(store, () => names(store).length === 1)
  t.ok((asked[1] ?? 0) - (asked[0] ?? 0) >= 990)
})

withServer('lines that are no events, and characters that look like line ends', async (t, { server, open }) => {
  const store = await open()
  server.apply(
    service('a', {
      metadata: {
        name: 'a',
        namespace: 'default',
        annotations: { text: 'one\u2028two\u2029 "quoted" 12345678901234567890' },
      },
    }),
  )
  await eventually(store, () => names(store).length === 1)
  t.equal(
    store.snapshot().objects('Service').get('default/a')?.metadata.annotations?.['text'],
    'one\u2028two\u2029 "quoted" 12345678901234567890',
  )
})

withServer(
  'random changes, cuts, compactions and failures: in the end the store knows what the server knows',
  async (t, { server, open }) => {
    const store = await open()
    const known = new Map<string, Service | undefined>()
    store.on('change', changes => {
      for (const { key, type } of changes) {
        assert.equal(type === 'added', !known.has(key), `${key} ${type}`)
        if (type === 'deleted') known.delete(key)
        else known.set(key, store.snapshot().objects('Service').get(key))
      }
    })
    const random = fc.sample(fc.nat({ max: 99 }), { numRuns: 400, seed: 7 })
    for (const [i, dice] of random.entries()) {
      const name = `s${i % 17}`
      if (dice < 50)
        server.apply(service(name, { metadata: { name, namespace: 'default', labels: { round: String(i) } } }))
      else if (dice < 75 && server.objects('Service').some(({ metadata }) => metadata.name === name))
        server.remove(service(name))
      else if (dice < 80) server.cutWatches(dice % 2 ? 'end' : 'destroy')
      else if (dice < 83) server.compact()
      server.fail = () => (dice > 97 ? { status: 500 } : undefined)
      if (dice % 4 === 0) await delay(2)
    }
    server.fail = () => undefined
    const versions = (objects: Iterable<KubernetesObject>): string =>
      JSON.stringify(Array.from(objects, ({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted())
    await eventually(store, now => versions(now.objects('Service').values()) === versions(server.objects('Service')))
    const wanted = server.objects('Service').map(({ metadata }) => `default/${metadata.name}`)
    t.same([...known.keys()].toSorted(), wanted.toSorted(), 'and so does who listened to its changes')
  },
)

withServer('events: limits, and what the server has forgotten', async (t, { server, lines, open }) => {
  server.apply(service('a'))
  const store = await open()
  const about = {
    regarding: referenceTo(service('a')),
    type: 'Normal',
    reason: 'x',
    component: 'metallb-speaker',
    host: 'n1',
  } as const
  const emit = (message: string): void => store.emitEvent({ ...about, message })
  emit('first')
  await until(() => server.objects('Event').length === 1)
  t.match(server.objects('Event'), [
    {
      involvedObject: { kind: 'Service', uid: /^uid-/ },
      source: { component: 'metallb-speaker', host: 'n1' },
      count: 1,
    },
  ])
  for (const event of server.objects('Event')) server.remove(event)
  emit('first')
  await until(() => server.objects('Event').length === 1)
  t.match(server.objects('Event'), [{ count: 2 }], 'a server forgets events after an hour')
  server.fail = ({ resource }) => (resource === 'api/v1/events' ? { status: 403 } : undefined)
  emit('refused')
  await until(() => lines.includes('cannot write event'))
  server.fail = () => undefined
  for (let i = 0; i < 40; i++) emit(`loop ${i}`)
  const pod = { kind: 'Pod', namespace: 'default', name: 'p' }
  store.emitEvent({ ...about, regarding: pod, message: 'about a kind that is not watched' })
  await until(() => server.objects('Event').length === 1 + 7 + 1 + 1)
  await until(() => server.objects('Event').some(event => JSON.stringify(event).includes('loop 39')))
  const messages = server.objects('Event').map(event => (event as unknown as { readonly message: string }).message)
  t.equal(messages.filter(message => message.startsWith('loop')).length, 7, 'ten messages of one kind are told apart')
  t.match(
    server.objects('Event').filter(event => JSON.stringify(event).includes('combined')),
    [{ message: '(combined from similar events): loop 39', count: 33 }],
    'a loop must not fill the server',
  )
  t.equal(messages.length, 1 + 7 + 1 + 1)
})

t.test('why a store does not start', async t => {
  await using server = await FakeApiServer.start()
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-kubernetes-'))
  const start = async (kubeconfig: string): Promise<void> => {
    await using store = await openStore({
      kubeconfig,
      namespace: NAMESPACE,
      component: 'test',
      kinds: ['Secret', 'IPAddressPool'],
    })
    await store.start()
  }
  const good = await writeKubeconfig(directory, server.port)
  const refusal = async (status: number, resource: RegExp): Promise<unknown> => {
    server.fail = call => (resource.test(call.resource) ? { status } : undefined)
    return start(good).catch((error: unknown) => error)
  }
  t.match(await refusal(401, /./), {
    code: 'ERR_STARTUP',
    message: /^the Kubernetes API at http:\S+ does not accept our credentials$/,
  })
  t.match(await refusal(403, /secrets/), {
    code: 'ERR_STARTUP',
    message: 'not allowed to list and watch secrets: made to fail',
  })
  t.match(await refusal(404, /ipaddresspools/), {
    code: 'ERR_STARTUP',
    message: /has no ipaddresspools\.metallb\.io: install the CRDs$/,
  })
  t.match(await refusal(500, /ipaddresspools/), {
    code: 'ERR_STARTUP',
    message: /does not give us ipaddresspools\.metallb\.io: made to fail$/,
  })
  await server.stop()
  await t.rejects(start(good), {
    code: 'ERR_STARTUP',
    message: /^cannot reach the Kubernetes API at http:\S+: connect ECONNREFUSED/,
  })
  await t.rejects(start(join(directory, 'none')), {
    code: 'ERR_STARTUP',
    message: /^cannot read kubeconfig .*none: ENOENT/,
  })
  await writeFile(join(directory, 'empty'), '{apiVersion: v1, kind: Config}')
  await t.rejects(start(join(directory, 'empty')), { code: 'ERR_STARTUP', message: /kubeconfig/ })
  await rm(directory, { recursive: true })
})

t.test('over TLS, with a client certificate', { skip: !hasOpenssl() && 'openssl is not installed' }, async t => {
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-tls-'))
  const file = (name: string): string => join(directory, name)
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      file('key.pem'),
      '-out',
      file('cert.pem'),
      ...subject,
    ],
    { stdio: 'ignore' },
  )
  const [key, cert] = [await readFile(file('key.pem')), await readFile(file('cert.pem'))]
  await using server = await FakeApiServer.start({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true })
  server.apply(service('a'))
  const address = `https://127.0.0.1:${server.port}`
  const user = { 'client-certificate': file('cert.pem'), 'client-key': file('key.pem') }
  const open = async (cluster: object, who: object): Promise<readonly string[]> => {
    const kubeconfig = await writeKubeconfig(directory, server.port, {
      user: who,
      cluster: { server: address, ...cluster },
    })
    await using store = await openStore({ kubeconfig, namespace: NAMESPACE, component: 'test', kinds: ['Service'] })
    await store.start()
    return names(store)
  }
  t.same(await open({ 'certificate-authority': file('cert.pem') }, user), ['a'])
  await t.rejects(open({}, user), { code: 'ERR_STARTUP', message: /self-signed certificate/ }, 'an unknown authority')
  await t.rejects(
    open({ 'certificate-authority': file('cert.pem') }, {}),
    { code: 'ERR_STARTUP' },
    'without a certificate',
  )
  await rm(directory, { recursive: true })
})

withServer('a store that was not started, and one that has ended', async (t, { server, directory }) => {
  const kubeconfig = await writeKubeconfig(directory, server.port)
  const abort = new AbortController()
  const store = await openStore({ kubeconfig, namespace: NAMESPACE, component: 'test', signal: abort.signal })
  await t.rejects(store.updateStatus(service('a')), TypeError)
  store.emitEvent({
    regarding: referenceTo(secret('s', {})),
    type: 'Normal',
    reason: 'x',
    message: 'y',
    component: 'z',
  })
  await store.start()
  await until(() => server.watches === 15)
  abort.abort()
  await until(() => server.watches === 0)
  t.equal(store.snapshot().objects('Service').size, 0)
})

t.test('property: JSON with large integers goes in and out exactly', async t => {
  const plain = fc.oneof(
    fc.string(),
    fc.bigInt(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  )
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      plain,
      fc.array(tie('value')),
      fc.dictionary(
        fc.string().filter(key => key !== '__proto__'),
        tie('value'),
      ),
    ),
  }))
  // An integer too large for a number comes back as a bigint, whichever it was before.
  const exact = (v: unknown): unknown => {
    const large = typeof v === 'bigint' || (typeof v === 'number' && Number.isInteger(v) && Math.abs(v) < 1e21)
    return large ? `${BigInt(String(v))}n` : v
  }
  const normal = (field: unknown): unknown => JSON.stringify(field, (_, v: unknown) => exact(v))
  fc.assert(fc.property(value, original => assert.equal(normal(parseJSON(formatJSON(original))), normal(original))))
  t.same(
    parseJSON(
      '{"a":9223372036854775807,"b":"9223372036854775807","c":[-9223372036854775808,1e20,0.1234567890123456],"d":"\\"1234567890123456789"}',
    ),
    {
      a: 9223372036854775807n,
      b: '9223372036854775807',
      c: [-9223372036854775808n, 1e20, 0.1234567890123456],
      d: '"1234567890123456789',
    },
  )
  t.throws(() => parseJSON('{"a":12345678901234567890'), SyntaxError)
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

withServer('an answer that is no JSON, where its text is asked for', async (t, { open }) => {
  const store = await open()
  const text = await store.api?.send({ method: 'GET', path: '/api/v1/services', accept: 'text' })
  t.type(text, 'string')
  t.match(JSON.parse(String(text)), { kind: /List$/ })
})
