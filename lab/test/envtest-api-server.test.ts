/** A real API server: users, accounts, restarts, a proxy that misbehaves, and nothing left behind, whatever ends it. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { run, until } from '@typemetal/lab'
import { ApiServer, kubernetesBinaries, type KubernetesBinaries } from '@typemetal/lab/kubernetes'
import t from 'tap'

/** Milliseconds: the programs may have to be built first. */
const PATIENCE = 2_400_000
t.setTimeout(PATIENCE)
const found = await kubernetesBinaries()
const missing = 'missing' in found ? found.missing : undefined
const wanted = {
  skip: process.env['TYPEMETAL_REQUIRE_KUBERNETES'] === '1' ? false : (missing ?? false),
  timeout: PATIENCE,
}

function binaries(): KubernetesBinaries {
  if ('missing' in found) throw new Error(`no API server: ${found.missing}`)
  return found
}

const NAMESPACE = '/api/v1/namespaces/lab'
const note = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'lab' } })

t.test('users, accounts and what they may do', wanted, async t => {
  await using server = await ApiServer.start({ binaries: binaries(), audit: true })
  const { admin } = server
  t.match(await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab' } }), {
    metadata: { name: 'lab', uid: /-/ },
  })
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: 'lab' } })
  await admin.apply(note('one'))
  t.equal((await admin.list(`${NAMESPACE}/configmaps`)).length, 1)
  await admin.remove(note('one'))
  await admin.remove(note('one'))
  await t.rejects(admin.request({ method: 'GET', path: `${NAMESPACE}/configmaps/one` }), {
    code: 'ERR_LAB_API',
    status: 404,
  })
  await t.rejects(admin.apply({ apiVersion: 'v1', kind: 'None', metadata: { name: 'x' } }), /has no None in \/api\/v1/)

  const { kubectl } = binaries()
  if (kubectl === undefined) return t.comment('without kubectl')
  const can = async (kubeconfig: string, ...question: readonly string[]): Promise<string> =>
    (await run([kubectl, `--kubeconfig=${kubeconfig}`, ...question], { check: false })).stdout.trim()
  const whoami = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username} {.status.userInfo.groups[0]}']
  t.equal(await can(await server.kubeconfig('jane', ['team/a', 'b']), ...whoami), 'jane team/a')
  t.equal(await can(await server.kubeconfig(), 'auth', 'can-i', 'delete', 'nodes'), 'yes')
  const { kubeconfig } = await server.serviceAccountKubeconfig({ namespace: 'lab', name: 'reader' })
  t.equal(await can(kubeconfig, ...whoami), 'system:serviceaccount:lab:reader system:serviceaccounts')
  t.equal(await can(kubeconfig, 'get', 'configmaps', '-n', 'lab'), '')
  const denied = await until('the audit log', async () =>
    (await server.audit()).find(({ responseStatus }) => responseStatus?.code === 403),
  )
  t.match(denied, { verb: 'list', user: { username: 'system:serviceaccount:lab:reader' } })
})

t.test('restarts keep what is stored; a proxy cuts, refuses and stalls', wanted, async t => {
  await using server = await ApiServer.start({ binaries: binaries() })
  const { admin, url } = server
  await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab' } })
  const first = server.pid
  await server.kill()
  t.equal(server.pid, undefined)
  await t.rejects(admin.list(`${NAMESPACE}/configmaps`), { code: 'ECONNREFUSED' })
  await server.run()
  await server.restart()
  t.equal(server.url, url)
  t.not(server.pid, first)
  t.match(await admin.request({ method: 'GET', path: NAMESPACE }), { metadata: { name: 'lab' } })
  await server.compact()
  await server.compact()

  await using proxy = await server.proxy()
  const ca = readFileSync(server.authority, 'utf8')
  t.match(ca, /BEGIN CERTIFICATE/)
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: 'lab' } })
  const token = await server.serviceAccountToken({ namespace: 'lab', name: 'reader' })
  const ask = (): Promise<string> =>
    run([process.execPath, '-e', ASK, `${proxy.url}/version`, token], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: server.authority },
    }).then(({ stdout }) => stdout.trim())
  t.equal(await ask(), '200')
  proxy.fault = () => ({ type: 'refuse', status: 429, retryAfter: 3 })
  t.equal(await ask(), '429 3')
  proxy.fault = () => ({ type: 'cut' })
  t.match(await ask(), /^(?:UND_ERR_SOCKET|ECONNRESET)$/)
  proxy.fault = () => undefined
  await proxy.refuse()
  t.equal(await ask(), 'ECONNREFUSED')
  await proxy.accept()
  proxy.stall(true)
  const late = ask()
  await until('the request', () => (proxy.requests.length === 4 ? true : undefined))
  proxy.stall(false)
  t.equal(await late, '200')
})

/** Prints the status of an answer and when to try again, or why there was none. */
const ASK = `
const [, url, token] = process.argv
fetch(url, { headers: { authorization: 'Bearer ' + token } })
  .then(({ status, headers }) => console.log(status, headers.get('retry-after') ?? ''))
  .catch(error => console.log(error.cause?.code))
`

t.test('SIGKILL to its process ends both programs and removes the folder', wanted, async t => {
  const module = new URL('../dist/kubernetes/index.js', import.meta.url).href
  const script = `
    import { ApiServer } from '${module}'
    const server = await ApiServer.start({ binaries: ${JSON.stringify(binaries())} })
    console.log(server.directory)
    setInterval(() => {}, 1000)
  `
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [directory = ''] = await linesOf(owner.stdout, 1)
  const workers = async (): Promise<readonly string[]> =>
    (await run(['sh', '-c', 'ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F -- "-> $0" || :', directory])).stdout
      .split('\n')
      .filter(Boolean)
  t.equal((await workers()).length, 2, 'etcd and kube-apiserver')
  owner.kill('SIGKILL')
  await until('both to end', async () => ((await workers()).length === 0 ? true : undefined))
  await until('the folder to go', () => (existsSync(directory) ? undefined : true))
})

async function linesOf(stream: NodeJS.ReadableStream, count: number): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of createInterface({ input: stream })) if (lines.push(line) === count) break
  return lines
}

t.test('why there are no programs', async t => {
  t.match(await kubernetesBinaries({ ...process.env, KUBEBUILDER_ASSETS: '/nowhere' }), {
    missing: 'KUBEBUILDER_ASSETS=/nowhere lacks kube-apiserver or etcd',
  })
  if (existsSync('/usr/local/kubebuilder/bin/kube-apiserver')) return
  t.match(await kubernetesBinaries({ PATH: '/nowhere', HOME: '/nowhere' }), {
    missing: 'wants KUBEBUILDER_ASSETS, or Go and the modules of lab/kubernetes: the Go toolchain is not installed',
  })
})
