/** plan --against: what a change would do, before it is made. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { cluster, replace, run, section } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

type Test = Parameters<typeof cluster>[0]

/** Two folders of which the second was changed. */
async function changed(
  t: Test,
  edit: (path: string) => void,
  ...more: string[]
): Promise<{ text: string; code: number | undefined }> {
  return run('plan', cluster(t, edit), '--against', cluster(t), ...more)
}

t.test('the same again changes nothing', async t => {
  t.same(await changed(t, () => {}), { text: 'nothing would change\n', errors: '', code: 0 })
  t.equal((await changed(t, () => {}, '--exit-code')).code, 0)
})

t.test('a node that is excluded: its address moves, its routes go, its session stays', async t => {
  const { text, code } = await changed(
    t,
    folder =>
      replace(
        folder,
        'nodes.yaml',
        'kubernetes.io/hostname: node-3',
        'node.kubernetes.io/exclude-from-external-load-balancers: ""',
      ),
    '--exit-code',
  )
  t.equal(code, 4)
  t.match(section(text, 'announcements'), [
    { CHANGE: 'moves', SERVICE: 'demo/web', PROTOCOL: 'layer2', BEFORE: 'node-3', AFTER: 'node-1', WHY: 'notOwner' },
    {
      CHANGE: 'spreads',
      SERVICE: 'demo/docs',
      BEFORE: 'node-1,node-2,node-3',
      AFTER: 'node-1,node-2',
      WHY: 'nodeLabeledExcludeBalancers',
    },
    { CHANGE: 'spreads', SERVICE: 'demo/shop' },
  ])
  t.same(new Set(section(text, 'routes').map(row => row['CHANGE'])), new Set(['withdrawn']))
  t.notMatch(text, /BGP sessions/)
})

t.test('sessions: what must be agreed on anew, and what is taken over while it stands', async t => {
  const reset = await changed(t, folder => replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64514'))
  t.match(section(reset.text, 'BGP sessions'), [
    { CHANGE: 'reset', NODE: 'node-1', PEER: 'router', TARGET: '10.10.0.1', WHY: 'must be agreed on anew: peerASN' },
    { NODE: 'node-2' },
    { NODE: 'node-3' },
  ])
  const carried = await changed(t, folder =>
    replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64513\n  connectTime: 5s'),
  )
  t.match(section(carried.text, 'BGP sessions')[0], { CHANGE: 'carried', WHY: 'without a reset: connectTimeSeconds' })
  const gone = await changed(t, folder => rmSync(join(folder, 'bgp.yaml')))
  t.same(new Set(section(gone.text, 'BGP sessions').map(row => row['CHANGE'])), new Set(['closed']))
})

t.test('a community: the routes are told otherwise', async t => {
  const { text } = await changed(t, folder => replace(folder, 'bgp.yaml', '64512:100', '64512:200'))
  t.match(section(text, 'routes')[0], {
    CHANGE: 'otherwise',
    PEER: 'router',
    BEFORE: 'communities 64512:100',
    AFTER: 'communities 64512:200',
  })
  t.notMatch(text, /announcements/)
})

t.test('addresses: what stands stays, and who falls out of a pool is named', async t => {
  const added = await changed(t, folder => replace(folder, 'pools.yaml', '10.10.0.200-', '10.10.0.100-'))
  t.equal(added.text, 'nothing would change\n', 'lower addresses became free, and nobody moves to them')
  const { text } = await changed(t, folder =>
    replace(folder, 'pools.yaml', '10.10.0.200-10.10.0.203', '10.10.0.210-10.10.0.213'),
  )
  t.match(section(text, 'addresses'), [
    { CHANGE: 'changes', SERVICE: 'demo/web', BEFORE: '10.10.0.200,fd00:10::200', AFTER: '10.10.0.210,fd00:10::200' },
  ])
  t.match(text, /Speakers stay with the old configuration until .* demo\/web/)
})

t.test('a Service that is deleted ends; one that is new begins', async t => {
  const text = readFileSync(join(cluster(t), 'docs.yaml'), 'utf8')
  const gone = await changed(t, folder => rmSync(join(folder, 'docs.yaml')))
  t.match(section(gone.text, 'announcements'), [
    { CHANGE: 'ends', SERVICE: 'demo/docs', AFTER: '-', WHY: 'serviceDeleted' },
  ])
  const born = await changed(t, folder => writeFileSync(join(folder, 'more.yaml'), text.replaceAll('docs', 'more')))
  t.match(section(born.text, 'announcements'), [{ CHANGE: 'begins', SERVICE: 'demo/more', BEFORE: '-' }])
})

t.test('--output yaml, and a configuration that would not be taken', async t => {
  const { text } = await changed(
    t,
    folder => replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64514'),
    '-o',
    'yaml',
  )
  t.match(parse(text), { addresses: [], sessions: [{ node: 'node-1', change: 'reset', fields: ['peerASN'] }] })
  t.match(await changed(t, folder => replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 0')), {
    code: 1,
    text: /^error: BGPPeer/,
  })
})

t.test('--against without a source is a wrong command line', async t => {
  t.match(await run('plan', '--against', 'live'), { code: 2, errors: /needs a source/ })
})
