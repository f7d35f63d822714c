/** drain --simulate: who takes over, what is left, and when. */
import { join } from 'node:path'
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { cluster, replace, run, section } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

t.test('who takes over each address, and what the routers have left', async t => {
  const { text, code } = await run('drain', 'node-3', cluster(t), '--simulate')
  t.equal(code, 0)
  t.match(section(text, 'layer 2: who takes over'), [
    { ADDRESS: '10.10.0.200', SERVICES: 'demo/web', FROM: 'node-3', TO: 'node-1' },
    { ADDRESS: 'fd00:10::200', TO: 'node-1' },
  ])
  t.match(section(text, 'BGP: what the routers have left'), [
    { PREFIX: '203.0.113.0/32', 'WITHDRAWN FROM': 'router', 'STILL FROM': 'node-1,node-2' },
    { PREFIX: '203.0.113.1/32' },
  ])
})

t.test('in time order: preference, hand-over, withdrawal (RFC 8326)', async t => {
  const { text } = await run('drain', 'node-3', cluster(t), '--simulate', '--drain-peer-wait', '1s')
  const order = [
    'GRACEFUL_SHUTDOWN 65535:0',
    'leaves the gossip ring',
    'node-1: is elected for 10.10.0.200',
    'stops answering for 10.10.0.200',
    'every route of this node is withdrawn',
    'drained',
  ]
  const at = order.map(words => text.indexOf(words))
  t.same(
    at,
    at.toSorted((a, b) => a - b),
    text,
  )
  t.notOk(at.includes(-1), text)
  t.match(text, /1\.0\d\d s {2}node-3: leaves the gossip ring/, 'the peers had the second that they were given')
})

t.test('a process that is told to end says goodbye (RFC 9003), and one that is upgraded does not', async t => {
  const folder = cluster(t)
  t.match(
    (await run('drain', 'node-3', folder, '--simulate', '--cause', 'signal')).text,
    /router: BFD AdminDown, then Cease[^]*node-3: ends the process/,
  )
  t.match(
    (await run('drain', 'node-3', folder, '--simulate', '--cause', 'upgrade')).text,
    /router \(unless it keeps routes over a restart\)/,
  )
})

t.test('what nobody takes over is said, with code 1', async t => {
  const folder = cluster(t, folder =>
    replace(
      folder,
      'layer2.yaml',
      'spec:',
      'spec:\n  nodeSelectors: [{ matchLabels: { kubernetes.io/hostname: node-3 } }]',
    ),
  )
  const { text, code } = await run('drain', 'node-3', folder, '--simulate')
  t.equal(code, 1)
  t.match(section(text, 'layer 2: who takes over')[0], { TO: 'nobody' })
  const local = cluster(t, folder => {
    const shop = readFileSync(join(folder, 'shop.yaml'), 'utf8').replace(
      'type: LoadBalancer',
      'type: LoadBalancer\n  externalTrafficPolicy: Local',
    )
    writeFileSync(
      join(folder, 'shop.yaml'),
      shop
        .replace('nodeName: node-1, conditions: { ready: true }', 'nodeName: node-1, conditions: { ready: false }')
        .replace('nodeName: node-2, conditions: { ready: true }', 'nodeName: node-2, conditions: { ready: false }'),
    )
  })
  const said = await run('drain', 'node-3', local, '--simulate')
  t.equal(said.code, 1)
  t.match(said.text, /withdrawn, but 203\.0\.113\.\d\/32, which nobody else announces/)
  t.match(
    section(said.text, 'BGP: what the routers have left').find(row => row['SERVICES'] === 'demo/shop'),
    { 'STILL FROM': 'nobody else' },
  )
})

t.test('no successor is heard: the address is answered until the bound', async t => {
  const { text } = await run(
    'drain',
    'node-3',
    cluster(t),
    '--simulate',
    '--no-successor',
    '--drain-successor-wait',
    '2s',
  )
  t.match(text, /5\.0\d\d s {2}node-3: stops answering for .*no successor was heard in time/)
})

t.test('--output json has the moments with their times', async t => {
  const found = JSON.parse((await run('drain', 'node-3', cluster(t), '--simulate', '-o', 'json')).text) as {
    timeline: { at: number }[]
  }
  t.match(found, { node: 'node-3', cause: 'cordon', layer2: [{ heir: 'node-1' }, {}] })
  const times = found.timeline.map(({ at }) => at)
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
})

t.test('what makes no sense', async t => {
  t.match(await run('drain', 'node-3', cluster(t)), { code: 2, errors: /add --simulate/ })
  t.match(await run('drain', 'node-9', cluster(t), '--simulate'), {
    code: 1,
    errors: /there is no Node node-9; there are node-1/,
  })
  t.match(await run('drain', 'node-3', cluster(t), '--simulate', '--drain-timeout', 'soon'), { code: 2 })
  t.match(await run('drain', 'node-3', cluster(t), '--simulate', '--member', 'node-1'), {
    errors: /speaker of node-3 is not alive/,
  })
})
