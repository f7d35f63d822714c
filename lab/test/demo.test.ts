/** The demo as a user runs it: every router that is installed, captures, broken manifests, Ctrl-C, crash. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ROUTER_KINDS, debianPackage, routerInstalled, run, until } from '@typemetal/lab'
import t, { type Test } from 'tap'

const MAIN = fileURLToPath(new URL('../dist/demo/main.js', import.meta.url))
t.setTimeout(1_200_000)
/** For a machine that is busy with other tests. */
const PATIENT = { timeout: 120_000 }

interface Ended {
  readonly code: number | null
  readonly errors: string
}

/** A demo that runs; `lines` grows. */
interface Running {
  readonly child: ChildProcess
  readonly lines: readonly string[]
  readonly ended: Promise<Ended>
}

function start(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const lines: string[] = []
  let errors = ''
  createInterface(child.stdout).on('line', line => lines.push(line))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const ended = new Promise<Ended>(resolve => child.on('close', code => resolve({ code, errors })))
  t.teardown(() => child.kill('SIGKILL'))
  return { child, lines, ended }
}

/** What exists of a run after it: namespaces and folders that carry its id. */
function leftovers(lines: readonly string[]): readonly string[] {
  const id = /typemetal-([0-9a-f]{6})-/.exec(lines[0] ?? '')?.[1] ?? 'no id'
  const netns = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  return [...netns, ...readdirSync(tmpdir())].filter(name => name.includes(`typemetal-${id}`))
}

const node = /^node-[123]$/

for (const router of ROUTER_KINDS) {
  const skip = router !== 'embedded' && !routerInstalled(router) && `wants the Debian package ${debianPackage(router)}`
  t.test(`--exit, router ${router}: every check holds`, { skip }, async t => {
    const { lines, ended } = start(t, ['--exit', '--router', router])
    const { code, errors } = await ended
    t.equal(code, 0, errors)
    t.match(JSON.parse(lines.at(-1) ?? ''), {
      ok: true,
      allocated: 3,
      gossipMembers: 3,
      l2: { owner: node, elected: node, failoverMs: Number, lostRequests: Number },
      bgp: { nextHops: 3, servedBy: 3, withdrawMs: Number },
      rssMB: { speaker: Number, controller: Number },
      seconds: Number,
    })
    t.same(leftovers(lines), [])
  })
}

const tshark = (await run(['tshark', '--version']).catch(() => undefined)) !== undefined
t.test('stays up; every protocol dissects in tshark; a broken manifest is named; Ctrl-C leaves nothing', async t => {
  const captures = mkdtempSync(join(tmpdir(), 'captures-'))
  t.teardown(() => rmSync(captures, { recursive: true }))
  const { child, lines, ended } = start(t, ['--capture', captures])
  try {
    await until(
      'the demo to stay up',
      () => (lines.some(line => line.includes('kill -STOP')) ? true : undefined),
      PATIENT,
    )
    const directory = lines.map(line => line.trim()).find(line => /^\/.*\/config$/.test(line)) ?? ''
    await brokenManifest(t, directory)
  } finally {
    child.kill('SIGINT')
  }
  t.same(await ended, { code: 0, errors: '' })
  t.same(leftovers(lines), [])
  await t.test('captures', { skip: !tshark && 'wants the Debian package tshark' }, async t => dissect(t, captures))
})

/** The file, the object and the field are named in the log and in the status; nothing else changes; mending it heals. */
async function brokenManifest(t: Test, directory: string): Promise<void> {
  const file = join(directory, 'bgp.yaml')
  const good = readFileSync(file, 'utf8')
  const log = (): string => readFileSync(join(directory, '../logs/node-1.speaker.log'), 'utf8')
  const state = (): string =>
    readFileSync(join(directory, 'status/ConfigurationState/metallb-system/speaker-node-1.yaml'), 'utf8')
  for (const [what, bad, field] of [
    ['a rule is broken', good.replace('peerASN: 64513', 'peerASN: 0'), 'peerASN'],
    ['it does not parse', good.replace('spec:', 'spec: ['), 'bgp.yaml'],
  ] as const) {
    const before = log().length
    writeFileSync(file, bad)
    await until(
      `the status to say it: ${what}`,
      () => (state().includes(field) && state().includes('Invalid') ? true : undefined),
      PATIENT,
    )
    await until(`the log to name it: ${what}`, () => (log().slice(before).includes(field) ? true : undefined), PATIENT)
    t.match(log().slice(before), /bgp\.yaml/, `${what}: the log names the file`)
    t.match(state(), /bgp\.yaml/, `${what}: the status names the file`)
    writeFileSync(file, good)
    await until('the status to be fine again', () => (state().includes('result: Valid') ? true : undefined), PATIENT)
  }
}

const DISSECTED = { arp: 'arp', ndp: 'icmpv6', bgp: 'bgp', gossip: 'udp' } as const

async function dissect(t: Test, directory: string): Promise<void> {
  const count = async (file: string, filter: string): Promise<number> => {
    // what is encrypted must not be taken for WireGuard because of its length
    const asData = ['-d', 'udp.port==7946,data']
    const { stdout } = await run(['tshark', '-r', file, ...asData, '-Y', filter, '-T', 'fields', '-e', 'frame.number'])
    return stdout.split('\n').filter(Boolean).length
  }
  for (const [name, protocol] of Object.entries(DISSECTED)) {
    const file = join(directory, `${name}.pcap`)
    t.ok((await count(file, protocol)) > 0, `${name}: packets`)
    t.equal(await count(file, '_ws.malformed'), 0, `${name}: none malformed`)
  }
}

t.test('SIGTERM in the middle leaves nothing', async t => {
  const { child, lines, ended } = start(t, ['--exit'])
  await until(
    'the speakers to run',
    () => (lines.some(line => line.includes('three speakers')) ? true : undefined),
    PATIENT,
  )
  child.kill('SIGTERM')
  t.equal((await ended).code, 143)
  t.match(JSON.parse(lines.at(-1) ?? ''), { ok: false, error: 'interrupted by SIGTERM' })
  t.same(leftovers(lines), [])
})

t.test('SIGKILL in the middle leaves nothing', async t => {
  const { child, lines } = start(t, [])
  await until(
    'the speakers to run',
    () => (lines.some(line => line.includes('three speakers')) ? true : undefined),
    PATIENT,
  )
  child.kill('SIGKILL')
  await until('the watchdog', () => (leftovers(lines).length === 0 ? true : undefined), PATIENT)
  t.same(leftovers(lines), [])
})

t.test('a router that is not installed: one clear line that names the Debian package', async t => {
  const privileges = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const hidden = '[ ! -d /usr/lib/frr ] || mount -t tmpfs tmpfs /usr/lib/frr; exec "$@"'
  const demo = [process.execPath, MAIN, '--exit', '--router', 'frr']
  const { code, stdout, stderr } = await run(['unshare', ...privileges, '--mount', 'sh', '-c', hidden, 'sh', ...demo], {
    check: false,
  })
  t.equal(code, 1)
  t.equal(stderr, 'typemetal: the router frr cannot run: FRR is not installed (on Debian: apt install frr)\n')
  t.match(JSON.parse(stdout), { ok: false, error: /apt install frr/ })
})

t.test('no ip command: one clear line', async t => {
  const { lines, ended } = start(t, ['--exit'], { ...process.env, PATH: '/nonexistent' })
  const { code, errors } = await ended
  t.equal(code, 1)
  t.equal(errors.trim().split('\n').length, 1, errors)
  t.match(errors, /iproute2|user namespaces/)
  t.match(lines.join(''), /^(\{"ok":false.*)?$/)
})
