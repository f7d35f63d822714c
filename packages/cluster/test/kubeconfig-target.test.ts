/** Which API server is meant, and how it is told who we are: kubeconfig files, a pod's account, programs that give tokens. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { openStore } from '@typemetal/cluster'
import t from 'tap'
import { credentialSource } from '../dist/store/kubernetes/credentials.js'
import { findTarget } from '../dist/store/kubernetes/kubeconfig.js'
import { FakeApiServer } from './fake-api-server.js'
import { writeKubeconfig } from './kubeconfig.js'

const folder = await mkdtemp(join(tmpdir(), 'typemetal-kubeconfig-'))
t.teardown(() => rm(folder, { recursive: true }))

interface Parts {
  readonly current?: string
  readonly clusters?: Readonly<Record<string, object>>
  readonly users?: Readonly<Record<string, object>>
  readonly contexts?: Readonly<Record<string, readonly [cluster: string, user: string]>>
}

async function write(name: string, { current, clusters = {}, users = {}, contexts = {} }: Parts): Promise<string> {
  const file = join(folder, name)
  const named = (field: string, objects: Readonly<Record<string, object>>): object[] =>
    Object.entries(objects).map(([key, value]) => ({ name: key, [field]: value }))
  const pairs = Object.entries(contexts).map(([key, [cluster, user]]) => [key, { cluster, user }] as const)
  const config = {
    ...(current !== undefined && { 'current-context': current }),
    clusters: named('cluster', clusters),
    users: named('user', users),
    contexts: named('context', Object.fromEntries(pairs)),
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

const one = (server: string, user: object): Parts => ({
  current: 'c',
  clusters: { k: { server } },
  users: { u: user },
  contexts: { c: ['k', 'u'] },
})

t.test('paths in a kubeconfig are relative to it', async t => {
  const file = await write('paths', {
    ...one('', { 'client-certificate': 'me.crt', 'client-key': 'keys/me.key', tokenFile: 'token' }),
    clusters: { k: { server: 'https://a:6443/', 'certificate-authority': 'ca.crt' } },
  })
  t.match(await findTarget({ file }), {
    cluster: { server: 'https://a:6443', caFile: join(folder, 'ca.crt') },
    user: { certFile: join(folder, 'me.crt'), keyFile: join(folder, 'keys/me.key') },
    tokenFile: join(folder, 'token'),
  })
  const inline = await write('inline', one('https://a', { token: 'x', tokenFile: 'token' }))
  t.match(await findTarget({ file: inline }), { user: { token: 'x' }, tokenFile: undefined })
})

t.test('as kubectl does: the first of several files that names something counts, missing ones do not', async t => {
  const first = await write('first', { clusters: { k: { server: 'https://first' } }, contexts: { x: ['k', 'u'] } })
  const second = await write('second', { ...one('https://second', { token: 'second' }), current: 'x' })
  const KUBECONFIG = [join(folder, 'missing'), first, second].join(delimiter)
  t.match(await findTarget({ env: { KUBECONFIG } }), {
    cluster: { server: 'https://first' },
    user: { token: 'second' },
  })
  await t.rejects(findTarget({ env: { KUBECONFIG: join(folder, 'missing') } }), { code: 'ENOENT' })
})

t.test('as kubectl does: ~/.kube/config, then the account of the pod, then nothing', async t => {
  const HOME = join(folder, 'home')
  const serviceAccount = join(folder, 'account')
  await mkdir(join(HOME, '.kube'), { recursive: true })
  await mkdir(serviceAccount)
  const pod = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  t.equal(await findTarget({ env: { HOME, ...pod }, serviceAccount }), undefined)
  await writeFile(join(serviceAccount, 'token'), 'secret\n')
  t.match(await findTarget({ env: { HOME, ...pod }, serviceAccount }), {
    cluster: { server: 'https://[fd00::1]:443', caFile: join(serviceAccount, 'ca.crt') },
    tokenFile: join(serviceAccount, 'token'),
  })
  const plain = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '8080' }
  t.match(await findTarget({ env: plain, serviceAccount }), { cluster: { server: 'http://10.0.0.1:8080' } })
  await writeFile(join(HOME, '.kube', 'config'), await readFile(await write('usual', one('https://home', {}))))
  t.match(await findTarget({ env: { HOME, ...pod }, serviceAccount }), { cluster: { server: 'https://home' } })
})

t.test('a context may be chosen; one that is not there is told with those that are', async t => {
  const file = await write('contexts', {
    current: 'b',
    clusters: { k: { server: 'https://k' }, l: { server: 'https://l' } },
    contexts: { b: ['k', ''], a: ['l', ''], broken: ['gone', ''] },
  })
  t.match(await findTarget({ file }), { cluster: { server: 'https://k' }, user: undefined })
  t.match(await findTarget({ file, context: 'a' }), { cluster: { server: 'https://l' } })
  await t.rejects(findTarget({ file, context: 'c' }), { message: 'it has no context "c", only a, b, broken' })
  await t.rejects(findTarget({ file, context: 'broken' }), { message: /names no cluster/ })
  await t.rejects(findTarget({ env: {}, serviceAccount: folder, context: 'a' }), { message: /no context "a"/ })
  const kubeconfig = { kubeconfig: file, context: 'c', namespace: 'n', component: 'test' }
  await using store = await openStore(kubeconfig)
  await t.rejects(store.start(), { code: 'ERR_STARTUP', message: /contexts: it has no context "c"/ })
})

t.test('files that are no kubeconfig', async t => {
  const file = join(folder, 'nonsense')
  for (const text of ['', '[]', 'nonsense']) {
    await writeFile(file, text)
    await t.rejects(findTarget({ file }), { message: 'it is no kubeconfig' }, JSON.stringify(text))
  }
  await writeFile(file, 'clusters: [{ name: k }]')
  await t.rejects(findTarget({ file }), { message: 'clusters[0].cluster is missing' })
})

t.test(
  'credentials are those of now: rotated files, and a program that is asked again when its token has ended',
  async t => {
    const count = join(folder, 'count')
    const token = join(folder, 'rotated')
    const headersOf = async (user: object): Promise<() => Promise<unknown>> => {
      const target = await findTarget({ file: await write('now', one('https://a', user)) })
      const source = await credentialSource(target!)
      return async () => (await source()).headers
    }
    await writeFile(token, 'one\n')
    const fromFile = await headersOf({ tokenFile: 'rotated', as: 'somebody' })
    t.same(await fromFile(), { Authorization: 'Bearer one', 'Impersonate-User': 'somebody' })
    await writeFile(token, 'two\n')
    t.match(await fromFile(), { Authorization: 'Bearer two' })

    const code = `const fs = require('fs'); const n = fs.existsSync(process.argv[1]) ? fs.readFileSync(process.argv[1]).length + 1 : 1
    fs.writeFileSync(process.argv[1], 'x'.repeat(n))
    const expirationTimestamp = n === 1 ? '2020-01-01T00:00:00Z' : '2999-01-01T00:00:00Z'
    console.log(JSON.stringify({ status: { token: process.env.PREFIX + n, expirationTimestamp } }))`
    const exec = { command: process.execPath, args: ['-e', code, count], env: [{ name: 'PREFIX', value: 't' }] }
    const fromProgram = await headersOf({ exec })
    t.match(await fromProgram(), { Authorization: 'Bearer t1' })
    t.match(await fromProgram(), { Authorization: 'Bearer t2' }, 'the first one had ended')
    t.match(await fromProgram(), { Authorization: 'Bearer t2' }, 'the second one is good for long')
    await t.rejects(
      (
        await headersOf({ exec: { command: process.execPath, args: ['-e', 'console.error("no"); process.exit(1)'] } })
      )(),
      {
        message: /no/,
      },
    )
  },
)

t.test('certificates and passwords', async t => {
  await writeFile(join(folder, 'ca.crt'), 'authority')
  const data = (text: string): string => Buffer.from(text).toString('base64')
  const user = { 'client-certificate-data': data('me'), 'client-key-data': data('key'), username: 'u', password: 'p' }
  const cluster = { server: 'https://a', 'certificate-authority': 'ca.crt', 'tls-server-name': 'b' }
  const file = await write('tls', {
    ...one('', user),
    clusters: { k: { ...cluster, 'insecure-skip-tls-verify': true } },
  })
  const options = await (await credentialSource((await findTarget({ file }))!))()
  const text = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]))
  t.match(text, { ca: 'authority', cert: 'me', key: 'key', auth: 'u:p', servername: 'b', rejectUnauthorized: 'false' })
})

t.test('a proxy is for the library as a whole to speak to', async t => {
  const seen: string[] = []
  const proxy = createServer().listen(0, '127.0.0.1')
  proxy.on('connect', (request, socket) => {
    seen.push(request.url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  const cluster = {
    server: 'http://10.255.0.1:1',
    'insecure-skip-tls-verify': true,
    'proxy-url': `http://127.0.0.1:${port}`,
  }
  const kubeconfig = await write('proxy', { ...one('', {}), clusters: { k: cluster } })
  await using store = await openStore({ kubeconfig, namespace: 'n', component: 'test', kinds: ['Service'] })
  await t.rejects(store.start(), { code: 'ERR_STARTUP' })
  t.equal(seen[0], '10.255.0.1:1')
  proxy.close()
})

t.test('plain HTTP must be wanted', async t => {
  const kubeconfig = await write('http', one('http://127.0.0.1:1', {}))
  await using store = await openStore({ kubeconfig, namespace: 'n', component: 'test' })
  await t.rejects(store.start(), { code: 'ERR_STARTUP', message: /insecure-skip-tls-verify/ })
})

t.test('an ordinary kubeconfig does not load the client library as a whole', async t => {
  await using server = await FakeApiServer.start()
  const kubeconfig = await writeKubeconfig(folder, server.port)
  const hooks = `export const resolve = (name, context, next) => {
    if (name === '@kubernetes/client-node') throw new Error('the whole library'); return next(name, context) }`
  const code = `import { register } from 'node:module'
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)})
    const { openStore } = await import(${JSON.stringify(import.meta.resolve('@typemetal/cluster'))})
    const store = await openStore({ kubeconfig: ${JSON.stringify(kubeconfig)}, namespace: 'n', component: 'test' })
    await store.start()
    console.log('started')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${code}; process.exit(0)`])
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  child.stderr.on('data', chunk => (output += String(chunk)))
  await once(child, 'close')
  t.match(output, /^started/)
})
