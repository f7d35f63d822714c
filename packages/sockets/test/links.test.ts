import { spawnSync } from 'node:child_process'
import t from 'tap'
import { LinkMonitor, listLinks, type Link } from '@typemetal/sockets'
import { enterNamespace, ip, makePair, until } from './namespace.js'

const link = (name: string): Link | undefined => listLinks().find(link => link.name === name)

/** Waits until a list that is made because a monitor calls shows a change. The monitor looks at nothing by itself: the kernel has told it. */
async function notices(change: () => void, isThere: () => boolean): Promise<void> {
  let noticed = false
  using monitor = new LinkMonitor({
    onChange() {
      noticed ||= isThere()
    },
  })
  change()
  await until(() => noticed)
  monitor.close()
}

async function testLinks(): Promise<void> {
  await t.test('rtnetlink: what a new interface looks like', async t => {
    makePair('va', 'vb')
    ip('address add 10.0.0.1/24 dev va')
    ip('address add fd00::1/64 dev va nodad')
    t.match(link('va'), {
      mac: '02:00:00:00:00:0a',
      mtu: 1500,
      up: true,
      broadcast: true,
      noarp: false,
      operstate: 'up',
    })
    t.equal(link('va')?.master, undefined)
    t.same(
      link('va')?.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
      ['10.0.0.1/24', 'fd00::1/64'],
    )
    t.match(link('lo'), { index: 1, broadcast: false })
    ip('link set dev va arp off')
    t.equal(link('va')?.noarp, true)
    ip('link set dev va arp on')
  })

  for (const { name, line, isThere } of [
    { name: 'down', line: 'link set dev va down', isThere: () => link('va')?.up === false },
    { name: 'up', line: 'link set dev va up', isThere: () => link('va')?.operstate === 'up' },
    {
      name: 'another MAC',
      line: 'link set dev va address 02:00:00:00:00:0c',
      isThere: () => link('va')?.mac.endsWith('0c'),
    },
    { name: 'an IPv4 address', line: 'address add 10.0.0.7/24 dev va', isThere: () => hasAddress('10.0.0.7') },
    { name: 'an IPv6 address', line: 'address add fd00::7/64 dev va nodad', isThere: () => hasAddress('fd00::7') },
    { name: 'an address gone', line: 'address delete 10.0.0.7/24 dev va', isThere: () => !hasAddress('10.0.0.7') },
    { name: 'a new interface', line: 'link add br0 type bridge', isThere: () => link('br0') !== undefined },
    { name: 'a master', line: 'link set dev va master br0', isThere: () => link('va')?.master === link('br0')?.index },
    { name: 'a master gone', line: 'link set dev va nomaster', isThere: () => link('va')?.master === undefined },
    { name: 'another name', line: 'link set dev br0 name br1', isThere: () => link('br1') !== undefined },
    { name: 'an interface gone', line: 'link delete br1', isThere: () => link('br1') === undefined },
  ]) {
    await t.test(`LinkMonitor: ${name}`, async t => {
      await notices(
        () => ip(line),
        () => isThere() === true,
      )
      t.ok(isThere())
    })
  }

  await t.test('LinkMonitor: many changes at once are few calls, and none is lost', async t => {
    let calls = 0
    let seen = 0
    using monitor = new LinkMonitor({
      onChange() {
        calls++
        seen = link('vb')?.addresses.length ?? 0
      },
    })
    for (let i = 0; i < 20; i++) ip(`address add 10.1.0.${i}/32 dev vb`)
    await until(() => seen === 20)
    t.ok(calls <= 5, `${calls} calls`)
    monitor.close()
    const before = calls
    await notices(
      () => ip('link set dev vb down'),
      () => link('vb')?.up === false,
    )
    t.equal(calls, before, 'no call after close')
  })

  await t.test('rtnetlink: 2000 addresses take more than one datagram', async t => {
    for (let i = 0; i < 8; i++) ip(`link add name w${i} type bridge`)
    const lines = Array.from({ length: 2000 }, (_, i) => `address add 10.2.${i >> 8}.${i & 255}/32 dev w${i & 7}`)
    t.equal(spawnSync('ip', ['-batch', '-'], { input: lines.join('\n') }).status, 0)
    const bridges = listLinks().filter(({ name }) => name.startsWith('w'))
    t.equal(
      bridges.reduce((sum, { addresses }) => sum + addresses.length, 0),
      2000,
    )
  })
}

/** Whether `va` has an address. */
const hasAddress = (address: string): boolean => link('va')?.addresses.some(known => known.address === address) ?? false

if (await enterNamespace(import.meta.url)) await testLinks()
