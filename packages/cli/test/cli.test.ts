/** The command on real folders of manifests. */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { createProgram, version } from 'typemetal'

const demo = fileURLToPath(new URL('../../../examples/demo', import.meta.url))
const bin = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** A copy of the demo's manifests, changed by `edit`. */
function cluster(t: Pick<typeof import('tap').default, 'teardown'>, edit: (folder: string) => void = () => {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'typemetal-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const file of readdirSync(demo).filter(name => name.endsWith('.yaml')))
    cpSync(join(demo, file), join(folder, file))
  edit(folder)
  return folder
}

async function run(...argv: string[]): Promise<{ text: string; code: number | undefined }> {
  let text = ''
  let code: number | undefined
  const terminal = { write: (more: string) => void (text += more), exitCode: (value: number) => void (code = value) }
  await createProgram(terminal).parseAsync(argv, { from: 'user' })
  return { text, code }
}

const replace = (folder: string, file: string, from: string, to: string): void =>
  writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace(from, to))

t.test('validate', async t => {
  t.test('a good folder: one line, code 0, nothing written', async t => {
    const folder = cluster(t)
    const before = readdirSync(folder)
    t.same(await run('validate', folder), { text: 'valid: 2 pools, 1 peers, 3 Services\n', code: 0 })
    t.same(readdirSync(folder), before)
  })
  t.test('every fault is one line with object, field, reason, file and line', async t => {
    const folder = cluster(t, folder => {
      replace(folder, 'pools.yaml', '203.0.113.0/30', '203.0.113.0/33')
      replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerAsn: 64513')
    })
    const { text, code } = await run('validate', folder)
    t.equal(code, 1)
    t.match(text, /^IPAddressPool metallb-system\/routed: spec\.addresses\[0\]: invalid CIDR .*pools\.yaml:\d+\)$/m)
    t.match(text, /^BGPPeer metallb-system\/router: spec\.peerAsn: unknown field.*peerASN.*bgp\.yaml:\d+\)$/m)
  })
  t.test('a file that is no YAML is a fault like any other', async t => {
    const folder = cluster(t, folder => writeFileSync(join(folder, 'broken.yaml'), 'kind: [\n'))
    const { text, code } = await run('validate', folder)
    t.equal(code, 1)
    t.match(text, /broken\.yaml/)
  })
  t.test('--output json', async t => {
    const folder = cluster(t, folder => replace(folder, 'pools.yaml', '203.0.113.0/30', 'nonsense'))
    const { text } = await run('validate', folder, '--output', 'json')
    t.match(JSON.parse(text), {
      valid: false,
      errors: [{ kind: 'IPAddressPool', name: 'routed', field: 'spec.addresses[0]' }],
    })
  })
})

t.test('plan', async t => {
  t.test('gives missing addresses as the controller would, then asks every node', async t => {
    const { text, code } = await run('plan', cluster(t))
    t.equal(code, 0)
    const rows = text.split('\n').filter(line => /^demo\/web .*layer2/.test(line))
    t.equal(rows.length, 3)
    t.equal(rows.filter(line => / yes /.test(line)).length, 1, 'one node answers for a layer-2 address')
    t.equal(text.split('\n').filter(line => /^demo\/shop .*bgp +yes +to router/.test(line)).length, 3)
  })
  t.test('--member: the dead do not stand for election', async t => {
    const folder = cluster(t)
    const owner = async (...args: string[]): Promise<string | undefined> =>
      /^demo\/web +\S+ +(\S+) +layer2 +yes/m.exec((await run('plan', folder, ...args)).text)?.[1]
    const first = await owner()
    const others = ['node-1', 'node-2', 'node-3'].filter(name => name !== first)
    t.ok(others.includes((await owner(...others.flatMap(name => ['--member', name]))) ?? ''))
  })
  t.test('--output yaml carries the whole decision and no password', async t => {
    const folder = cluster(t, folder =>
      replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64513\n  password: hunter2'),
    )
    const { text } = await run('plan', folder, '--node', 'node-1', '--output', 'yaml')
    t.match(parse(text), [{ node: 'node-1', sessions: [{ name: 'router', peerASN: 64513, authenticated: true }] }])
    t.notMatch(text, /hunter2/)
  })
  t.test('a configuration that would not be taken is answered with its faults', async t => {
    const folder = cluster(t, folder => replace(folder, 'pools.yaml', '203.0.113.0/30', '203.0.113.0/33'))
    const { text, code } = await run('plan', folder)
    t.equal(code, 1)
    t.match(text, /invalid CIDR/)
  })
})

t.test('explain', async t => {
  t.test('follows a Service from its pool to the election', async t => {
    const { text, code } = await run('explain', 'service/demo/web', cluster(t))
    t.equal(code, 0)
    t.match(text, /address: 10\.10\.0\.200, fd00:10::200 from pool lan/)
    t.match(text, /the order is node-3 > node-1 > node-2/)
    t.match(text, /node-3: announces/)
  })
  t.test('says why there is no address', async t => {
    const folder = cluster(t, folder => replace(folder, 'shop.yaml', 'address-pool: routed', 'address-pool: nowhere'))
    const { text } = await run('explain', 'demo/shop', folder)
    t.match(text, /AllocationFailed: .*unknown pool "nowhere"/)
  })
  t.test('an unknown Service is one line and code 1', async t => {
    t.same(await run('explain', 'service/none', cluster(t)), { text: 'there is no Service default/none\n', code: 1 })
  })
})

t.test('the process: one line and code 1 for a folder that is not there', async t => {
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>(resolve => {
    execFile(process.execPath, [bin, 'validate', '/nonexistent'], (error, _, stderr) =>
      resolve({ code: error?.code, stderr }),
    )
  })
  t.equal(code, 1)
  t.match(stderr, /^typemetal: .*\/nonexistent does not exist\n$/)
})

t.test('the process: --version', async t => {
  const stdout = await new Promise<string>(resolve => {
    execFile(process.execPath, [bin, '--version'], (_, stdout) => resolve(stdout))
  })
  t.equal(stdout, `${version}\n`)
})
