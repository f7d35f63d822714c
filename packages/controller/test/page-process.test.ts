/** The status page of the real process on a folder of manifests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PageFacts } from '@typemetal/cluster/page'
import { PageWatch } from '@typemetal/lab'
import { freePorts } from '@typemetal/lab/kubernetes'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const pool = (addresses: string): string => `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: web, namespace: metallb-system }
spec: { addresses: ["${addresses}"] }
`
const service = (name: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
`

t.setTimeout(1_200_000)

t.test('somebody who looks sees addresses come and go', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'typemetal-page-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  // Whole at once: the controller must not see a pool of which half is written.
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, `.${name}`), text)
    renameSync(join(folder, `.${name}`), join(folder, `${name}.yaml`))
  }
  write('pool', pool('192.0.2.0/31'))
  const [port = 0] = await freePorts(1)
  const flags = ['--config-dir', folder, '--port=0', '--health-probe-port=0', `--status-port=${port}`]
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text))
  const url = `http://127.0.0.1:${port}/`
  using watch = await PageWatch.open(url)
  await watch.until('the pool', ({ pools }) => pools?.[0])
  t.match(watch.facts.server, { component: 'controller', namespace: 'metallb-system', role: 'working alone' })

  write('a', service('a'))
  const row = await watch.until('an address', ({ services }) => services?.find(({ addresses }) => addresses.length > 0))
  t.match(row, { service: 'default/a', verdict: 'good', addresses: ['192.0.2.0'], pool: 'web' })
  await watch.until('the use of the pool', ({ pools }) => (pools?.[0]?.percent === 50 ? true : undefined))

  const facts = (await (await fetch(`${url}facts.json`)).json()) as PageFacts
  t.match(facts.services, [{ service: 'default/a' }], 'the same in one piece')
  t.match(facts.transitions?.[0], { object: 'Service default/a', what: 'assigned', why: '192.0.2.0 of pool web' })
  t.equal((await fetch(url, { method: 'POST' })).status, 405, 'nothing can be changed')

  write('pool', pool('192.0.2.0/33'))
  const notice = await watch.until('the error', ({ notices }) => notices?.find(({ verdict }) => verdict === 'bad'))
  t.match(notice.details?.[0], /invalid CIDR .*pool\.yaml/)
  rmSync(join(folder, 'a.yaml'))
  await watch.until('the Service to go', ({ services }) => (services?.length === 0 ? true : undefined))

  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
  await watch.until('the stream to end', () => watch.ended || undefined)
  t.match(log, `"url":"${url}"`)
})
