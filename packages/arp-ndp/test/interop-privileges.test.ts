/** CAP_NET_RAW is all that it needs; without, it says so. */
import { readFileSync } from 'node:fs'
import { run } from '@typemetal/lab'
import t from 'tap'
import { lacks, noNamespaces, TOOLS } from './interop-tools.js'
import { faultless } from './interop-wire.js'
import { AGENT, Segment } from './segment.js'

const V4 = '10.10.0.200'
const V6 = 'fd00:10::200'
const BOTH = [V4, V6]
const SETPRIV = TOOLS.setpriv ?? 'setpriv'
const NOBODY = [SETPRIV, '--reuid=1000', '--regid=1000', '--clear-groups', '--no-new-privs']
const NET_RAW_ALONE = [
  ...NOBODY,
  '--bounding-set=-all,+net_raw',
  '--inh-caps=-all,+net_raw',
  '--ambient-caps=-all,+net_raw',
]
/** Number of CAP_NET_RAW. */
const NET_RAW = 13

t.setTimeout(900_000)

const unreadable = async (): Promise<string | false> => {
  const { code } = await run([...NOBODY, process.execPath, '--check', AGENT], { check: false })
  return code !== 0 && 'needs a checkout that user 1000 may read'
}
const skip = noNamespaces || lacks('setpriv') || (await unreadable())

t.test('user 1000 with CAP_NET_RAW and nothing else', { skip }, async t => {
  const segment = await Segment.create()
  t.teardown(() => segment[Symbol.asyncDispose]())
  const node = await segment.node('node-1', 11, { prefix: NET_RAW_ALONE })
  const status = readFileSync(`/proc/${node.agent.pid}/status`, 'utf8')
  t.match(status, /^Uid:\s+1000\s+1000\s+1000\s+1000$/m)
  t.match(status, new RegExp(`^CapEff:\\s+${(1 << NET_RAW).toString(16).padStart(16, '0')}$`, 'm'))
  await node.own(BOTH)
  for (const address of BOTH) {
    segment.poke(address)
    await segment.settled(address, 'REACHABLE', node.mac)
  }
  const many = Array.from({ length: 200 }, (_, i) => `fd00:10::1:${i.toString(16)}`)
  await node.own([...BOTH, ...many])
  t.same(await segment.owners('fd00:10::1:c7'), [node.mac], 'groups of any number')
  const mac = '02:74:6d:ff:00:05'
  await node.host.namespace.ip([`link set eth0 address ${mac}`])
  for (const address of BOTH) await segment.moved(address, mac)
  await faultless(t, { segment, nodes: [node], macs: [node.mac, mac], owned: [...BOTH, ...many] })
})

for (const [who, prefix] of [
  ['user 1000', NOBODY],
  ['root', [SETPRIV, '--bounding-set=-net_raw', '--inh-caps=-net_raw']],
] as const) {
  t.test(`${who} without CAP_NET_RAW`, { skip }, async t => {
    await using segment = await Segment.create()
    const node = await segment.launch('node-1', 11, { prefix })
    const line = await node.agent.waitForLine(line => line.startsWith('{"failed"'), 60_000)
    const told = JSON.parse(line) as { failed: string; message: string }
    t.equal(told.failed, 'EPERM')
    t.match(told.message, /CAP_NET_RAW/)
    t.comment(told.message)
    t.match(await node.agent.exited, { code: 1 })
  })
}
