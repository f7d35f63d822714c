/** validate, plan and explain on real folders of manifests. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { cluster, demo, folder, replace, rows, run, runOn } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

t.test('validate', async t => {
  t.test('a good folder: one line, code 0, nothing written', async t => {
    const folder = cluster(t)
    const before = readdirSync(folder)
    t.same(await run('validate', folder), { text: 'valid: 2 pools, 1 peer, 3 Services\n', errors: '', code: 0 })
    t.same(readdirSync(folder), before)
  })
  t.test('every fault is one line with object, field, reason, file and line', async t => {
    const folder = cluster(t, folder => {
      replace(folder, 'pools.yaml', '203.0.113.0/30', '203.0.113.0/33')
      replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerAsn: 64513')
    })
    const { text, code } = await run('validate', folder)
    t.equal(code, 1)
    t.match(
      text,
      /^error: IPAddressPool metallb-system\/routed: spec\.addresses\[0\]: invalid CIDR .*pools\.yaml:\d+\)$/m,
    )
    t.match(text, /^error: BGPPeer metallb-system\/router: spec\.peerAsn: unknown field.*peerASN.*bgp\.yaml:\d+\)$/m)
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
  t.test('single files, and standard input', async t => {
    const files = ['pools.yaml', 'bgp.yaml'].map(name => join(demo, name))
    t.match(await run('validate', ...files), { text: /^(?:warning: .*\n)*valid: 2 pools, 1 peer, 0 Services/, code: 0 })
    const readInput = async (): Promise<string> => readFileSync(join(demo, 'pools.yaml'), 'utf8').replace('/30', '/99')
    const { text, code } = await runOn({ readInput }, 'validate', '-')
    t.equal(code, 1)
    t.match(text, /invalid CIDR "203\.0\.113\.0\/99".*\(stdin:\d+\)/)
    t.match(await runOn({ readInput }, 'validate', '-', files[1] ?? ''), { code: 1 })
  })
  t.test('what comes by standard input is defined twice when a folder has it as well', async t => {
    const readInput = async (): Promise<string> =>
      `${readFileSync(join(demo, 'pools.yaml'), 'utf8')}\n---\n${readFileSync(join(demo, 'pools.yaml'), 'utf8')}`
    const { text, code } = await runOn({ readInput }, 'validate', '-')
    t.equal(code, 1)
    t.match(text, /is defined twice; the definition at stdin:\d+ counts/)
  })
})

t.test('validate: what is allowed, and probably not meant', async t => {
  const warned = async (t: Parameters<typeof cluster>[0], file: string, from: string, to: string): Promise<string> => {
    const { text, code } = await run(
      'validate',
      cluster(t, folder => replace(folder, file, from, to)),
    )
    if (code !== 0) throw new Error(text)
    return text
  }
  t.test('a pool that nobody announces', async t =>
    t.match(
      await warned(t, 'layer2.yaml', '[lan]', '[wan]'),
      /warning: IPAddressPool .*lan: spec: no advertisement applies/,
    ),
  )
  t.test('an advertisement of a pool that is not there', async t =>
    t.match(
      await warned(t, 'layer2.yaml', '[lan]', '[lan, wan]'),
      /L2Advertisement .*spec\.ipAddressPools\[1\]: there is no IPAddressPool "wan"/,
    ),
  )
  t.test('a pool that holds the address of a node', async t =>
    t.match(
      await warned(t, 'pools.yaml', '10.10.0.200-10.10.0.203', '10.10.0.0-10.10.0.203'),
      /lan: spec\.addresses: holds 10\.10\.0\.11 of Node node-1/,
    ),
  )
  t.test('one BGP Identifier for several nodes (RFC 6286), one source address, a key in plain sight', async t => {
    const text = await warned(
      t,
      'bgp.yaml',
      'peerASN: 64513',
      'peerASN: 64513\n  routerID: 10.0.0.9\n  sourceAddress: 10.10.0.11\n  password: hunter2',
    )
    t.match(text, /spec\.routerID: node-1, node-2 and node-3 all get the BGP Identifier 10\.0\.0\.9/)
    t.match(text, /spec\.sourceAddress: .* all connect from 10\.10\.0\.11/)
    t.match(text, /spec\.password: is written in plain text/)
    t.notMatch(text, /hunter2/)
  })
  t.test('a Secret that is elsewhere, as Secrets are', async t => {
    const folder = cluster(t, folder =>
      replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64513\n  passwordSecret: { name: key }'),
    )
    t.match(await run('validate', folder), {
      code: 0,
      text: /spec\.passwordSecret\.name: there is no Secret "key" among the manifests/,
    })
    t.match((await run('explain', 'demo/shop', folder)).text, /TCP-MD5/)
    t.match(await run('plan', folder, '--against', folder), { text: 'nothing would change\n' })
  })
  t.test('a peer that no node has', async t =>
    t.match(
      await warned(t, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64513\n  nodeSelectors: [{ matchLabels: { rack: x } }]'),
      /spec\.nodeSelectors: matches no Node: no session/,
    ),
  )
  t.test('an interface that speakers leave alone', async t =>
    t.match(
      await warned(t, 'layer2.yaml', 'spec:', 'spec:\n  interfaces: [docker0]'),
      /spec\.interfaces\[0\]: "docker0" is on the list/,
    ),
  )
  t.test('a class that nobody serves, until --lb-class names it', async t => {
    const folder = cluster(t, folder =>
      replace(folder, 'web.yaml', 'type: LoadBalancer', 'type: LoadBalancer\n  loadBalancerClass: example.com/a'),
    )
    t.match(
      (await run('validate', folder)).text,
      /Service demo\/web: spec\.loadBalancerClass: "example\.com\/a" is served only/,
    )
    t.notMatch((await run('validate', folder, '--lb-class', 'example.com/a')).text, /demo\/web/)
  })
  t.test('a Service that asks for what there is not', async t =>
    t.match(
      await warned(t, 'shop.yaml', 'address-pool: routed', 'address-pool: nowhere'),
      /Service demo\/shop: AllocationFailed: .*unknown pool "nowhere" \(.*shop\.yaml:\d+\)/,
    ),
  )
  t.test('--strict makes them errors', async t => {
    const folder = cluster(t, folder => replace(folder, 'layer2.yaml', '[lan]', '[wan]'))
    t.equal((await run('validate', folder)).code, 0)
    t.equal((await run('validate', '--strict', folder)).code, 1)
  })
})

t.test('plan', async t => {
  t.test('gives missing addresses as the controller would, then asks every node', async t => {
    const { text, code } = await run('plan', cluster(t))
    t.equal(code, 0)
    const web = rows(text).filter(row => row['SERVICE'] === 'demo/web')
    t.equal(web.length, 3, 'one row a node: its pool has no BGPAdvertisement')
    t.equal(web.filter(row => row['ANNOUNCES'] === 'yes').length, 1, 'one node answers for a layer-2 address')
    const shop = rows(text).filter(row => row['SERVICE'] === 'demo/shop')
    t.same(new Set(shop.map(row => row['DETAIL'])), new Set(['to router']))
  })
  t.test('--all: also protocols for which the pool has no advertisement', async t => {
    const { text } = await run('plan', cluster(t), '--all')
    t.equal(rows(text).filter(row => row['SERVICE'] === 'demo/web').length, 6)
  })
  t.test('--member: the dead do not stand for election', async t => {
    const folder = cluster(t)
    const owner = async (...args: string[]): Promise<string | undefined> =>
      rows((await run('plan', folder, ...args)).text).find(
        row => row['SERVICE'] === 'demo/web' && row['ANNOUNCES'] === 'yes',
      )?.['NODE']
    const first = await owner()
    const others = ['node-1', 'node-2', 'node-3'].filter(name => name !== first)
    t.ok(others.includes((await owner(...others.flatMap(name => ['--member', name]))) ?? ''))
  })
  t.test('--output yaml carries the whole decision and no password', async t => {
    const folder = cluster(t, folder =>
      replace(folder, 'bgp.yaml', 'peerASN: 64513', 'peerASN: 64513\n  password: hunter2'),
    )
    const { text } = await run('plan', folder, '--node', 'node-1', '--output', 'yaml')
    t.match(parse(text), [
      {
        node: 'node-1',
        sessions: [{ name: 'router', peerASN: 64513, authenticated: true }],
        services: { 'demo/shop': { bgp: { announce: true } } },
        routes: { router: [{ prefix: '203.0.113.0/32' }, {}] },
      },
    ])
    t.notMatch(text, /hunter2/)
  })
  t.test('a configuration that would not be taken is answered with its faults', async t => {
    const folder = cluster(t, folder => replace(folder, 'pools.yaml', '203.0.113.0/30', '203.0.113.0/33'))
    const { text, code } = await run('plan', folder)
    t.equal(code, 1)
    t.match(text, /invalid CIDR/)
  })
  t.test('a node that is not there, and a folder without nodes', async t => {
    t.match(await run('plan', cluster(t), '--node', 'x'), {
      code: 1,
      errors: /there is no Node x; there are node-1, node-2 and node-3/,
    })
    t.match(await run('plan', join(demo, 'pools.yaml')), {
      code: 0,
      errors: /^note: there is no Node among the objects/,
    })
  })
})

t.test('explain', async t => {
  t.test('follows a Service from its pool to the frames', async t => {
    const { text, code } = await run('explain', 'service/demo/web', cluster(t))
    t.equal(code, 0)
    t.match(text, /✓ pool +lan: the Service asks for it by name/)
    t.match(text, /✓ address +10\.10\.0\.200, fd00:10::200: would be given to it/)
    t.match(text, /✓ endpoints +ready on node-1, node-2, node-3/)
    t.match(text, /✓ election +node-3 > node-1 > node-2/)
    t.match(text, /node-3: SHA-256 of node-3#10\.10\.0\.200 is [0-9a-f]{8}/)
    t.match(text, /✓ layer 2 +node-3 announces/)
    t.match(text, /ff02::1:ff00:200/, 'RFC 4291 section 2.7.1')
  })
  t.test('BGP: sessions, and what each is told', async t => {
    const { text } = await run('explain', 'demo/shop', cluster(t))
    t.match(text, /✓ BGP +advertised by routed from node-1, node-2, node-3/)
    t.match(
      text,
      /session +router: node-1, node-2, node-3 to 10\.10\.0\.1 port 179\n.*eBGP, AS 64512 to AS 64513, families ipv4/,
    )
    t.match(
      text,
      /UPDATE to 10\.10\.0\.1 .*\n +NLRI 203\.0\.113\.\d\/32, ORIGIN IGP, AS_PATH 64512, NEXT_HOP .*communities 64512:100/,
    )
  })
  t.test('BFD, graceful restart and hops are part of the session', async t => {
    const folder = cluster(t, folder => {
      writeFileSync(
        join(folder, 'bfd.yaml'),
        'apiVersion: metallb.io/v1beta1\nkind: BFDProfile\nmetadata: { name: fast }\nspec: { receiveInterval: 100, transmitInterval: 50 }\n',
      )
      replace(
        folder,
        'bgp.yaml',
        'peerASN: 64513',
        'peerASN: 64513\n  bfdProfile: fast\n  enableGracefulRestart: true\n  ebgpMultiHop: true',
      )
    })
    t.match(
      (await run('explain', 'demo/shop', folder)).text,
      /BFD fast, a dead peer is noticed after about 300 ms, graceful restart, over several hops/,
    )
  })
  t.test('events that lie beside the manifests', async t => {
    const folder = cluster(t, folder => {
      mkdirSync(join(folder, 'status', 'events'), { recursive: true })
      const event = {
        type: 'Normal',
        reason: 'nodeAssigned',
        object: 'Service demo/web',
        message: 'announcing',
        count: 2,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:01Z',
        component: 'metallb-speaker',
        host: 'node-3',
      }
      writeFileSync(join(folder, 'status', 'events', 'metallb-speaker-node-3.jsonl'), `${JSON.stringify(event)}\n`)
    })
    t.match(
      (await run('explain', 'demo/web', folder)).text,
      /✓ events .*\n +2026-01-01T00:00:01Z Normal nodeAssigned \(2 times\), metallb-speaker on node-3: announcing\n/,
    )
    t.notMatch((await run('explain', 'demo/shop', folder)).text, /events/)
  })
  t.test('says why there is no address, and ends there', async t => {
    const folder = cluster(t, folder => replace(folder, 'shop.yaml', 'address-pool: routed', 'address-pool: nowhere'))
    const { text } = await run('explain', 'demo/shop', folder)
    t.match(text, /✗ pool .*\n +AllocationFailed: .*unknown pool "nowhere"/)
    t.notMatch(text, /BGP/)
  })
  t.test('says who does not stand for election, and why', async t => {
    const folder = cluster(t, folder =>
      replace(
        folder,
        'nodes.yaml',
        'kubernetes.io/hostname: node-3',
        'node.kubernetes.io/exclude-from-external-load-balancers: ""',
      ),
    )
    const { text } = await run('explain', 'demo/web', folder, '--member', 'node-1', '--member', 'node-3')
    t.match(text, /node-3 does not stand: it is labelled node\.kubernetes\.io\/exclude/)
    t.match(text, /node-2 does not stand: its speaker is not alive/)
    t.match(text, /node-1 announces/)
  })
  t.test('no endpoint is ready: nobody announces', async t => {
    const folder = cluster(t, folder =>
      writeFileSync(
        join(folder, 'web.yaml'),
        readFileSync(join(folder, 'web.yaml'), 'utf8').replaceAll('ready: true', 'ready: false'),
      ),
    )
    const { text } = await run('explain', 'demo/web', folder)
    t.match(text, /✗ endpoints +none is ready/)
    t.match(text, /✗ layer 2 +node-3 does not announce: notOwner/)
  })
  t.test('of another type or class: one line', async t => {
    const folder = cluster(t, folder => replace(folder, 'web.yaml', 'type: LoadBalancer', 'type: NodePort'))
    t.match((await run('explain', 'demo/web', folder)).text, /✗ Service +is of type NodePort/)
  })
  t.test('--output json: steps with stage and verdict', async t => {
    const { text } = await run('explain', 'demo/shop', cluster(t), '-o', 'json')
    const { steps, bgp } = JSON.parse(text) as { steps: { stage: string; verdict: string }[]; bgp: string[] }
    t.same(bgp, ['node-1', 'node-2', 'node-3'])
    t.same(
      steps.map(({ stage }) => stage),
      ['service', 'pool', 'address', 'endpoints', 'layer2', 'bgp', 'session', 'frames'],
    )
  })
  t.test('an unknown Service is one line and code 1, with what may be meant', async t => {
    t.same(await run('explain', 'service/none', cluster(t)), {
      text: '',
      errors: 'typemetal: there is no Service default/none\n',
      code: 1,
    })
    t.match(await run('explain', 'service/web', cluster(t), '-o', 'json'), {
      text: '',
      errors: 'typemetal: there is no Service default/web; there is demo/web\n',
    })
  })
  t.test('what cannot be a Service is a wrong command line', async t => {
    for (const text of ['', 'service/', 'a/b/c', 'service/a/b/c', '/web']) {
      t.match(await run('explain', text, demo), { code: 2, errors: /names no Service: write service\/NAME/ }, text)
    }
  })
})

t.test('a folder that is not there', async t => {
  t.match(await run('validate', join(folder(t), 'nothing')), {
    code: 3,
    errors: /^typemetal: .*nothing does not exist\n$/,
  })
})
