/** The status pages of real processes in a real browser: a controller, two speakers and a router that goes away. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Host, Lab, startRouter } from '@typemetal/lab'
import { axeViolations, Chromium, chromiumProgram } from '@typemetal/lab/browser'
import t from 'tap'
import { root } from './fixtures/container.js'
import { browsing, View } from './page-support.js'

t.setTimeout(1_200_000)
const CONTROLLER = 'http://127.0.0.1:7481/'
const SPEAKER = 'http://127.0.0.1:7482/'

t.test('what really happens is on the pages', browsing, async t => {
  await using lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const host = (name: string, last: number): Promise<Host> =>
    lab.host(name, { links: [{ bridge: lan, addresses: [`10.10.0.${last}/24`, `fd00:10::${last}/64`] }] })
  const router = await startRouter('embedded', await host('router', 1), {
    asn: 64513,
    bgpIdentifier: '10.10.0.1',
    peerPrefix: '10.10.0.0/24',
    peerAsn: 64512,
    directory: join(lab.directory, 'router'),
  })
  const [node] = await startCluster(lab, [await host('node-1', 11), await host('node-2', 12)])
  if (!node) throw new Error('there are two nodes')
  await using chromium = await Chromium.start(await insideOf(node, lab.directory))

  await using speaker = await View.open(chromium, SPEAKER)
  t.equal(await speaker.text('h1'), 'Speaker on node-1')
  await speaker.sees('the session', async () => /router[^]*Established/.test(await speaker.text('#sessions tbody tr')))
  await speaker.sees('both members', async () => (await speaker.texts('#members tbody tr')).length === 2)
  await speaker.sees('Services that are well', async () => {
    const services = await speaker.texts('#services tbody tr')
    return services.length === 2 && services.every(text => text.startsWith('✓'))
  })
  t.match(await speaker.text('#services tbody tr:nth-child(1)'), /demo\/docs[^]*203\.0\.113\.\d+[^]*node-1[^]*router/)
  t.match(await speaker.text('#services tbody tr:nth-child(2)'), /demo\/web[^]*10\.10\.0\.\d+[^]*node-[12]/)
  t.match(await speaker.texts('#nodes tbody tr'), [/node-1 \(serves this page\)[^]*alive/, /node-2[^]*alive/])
  t.ok((await speaker.names('transitions')).some(name => /demo\/docs/.test(name)))
  t.same(await axeViolations(speaker.page), [])

  await using controller = await View.open(chromium, CONTROLLER)
  t.equal(await controller.text('h1'), 'Controller')
  await controller.sees('use of pools', async () => {
    const pools = await controller.texts('#pools tbody tr')
    return pools.length >= 2 && pools.some(text => /\b[1-9]\d* of /.test(text))
  })
  t.match((await controller.names('services')).join(), /demo\/docs.*demo\/web/)
  t.same(await axeViolations(controller.page), [])

  await speaker.ask('window.sameDocument = true')
  await router[Symbol.asyncDispose]()
  await speaker.sees('that the session is down', async () =>
    (await speaker.text('#overview h2')).endsWith('1 thing wrong'),
  )
  t.match(await speaker.text('.problems'), /Session router of node-1/)
  await speaker.sees('it said', async () => /router/.test(await speaker.text('#announcer')))
  t.equal(await speaker.ask('window.sameDocument'), true)
})

/** The demo's pools and Services on two nodes; the controller runs on the first one. */
async function startCluster(lab: Lab, nodes: readonly Host[]): Promise<readonly Host[]> {
  const demo = join(root, 'examples', 'demo')
  const config = join(lab.directory, 'config')
  const secret = join(lab.directory, 'secret')
  for (const folder of [config, secret]) mkdirSync(folder)
  for (const name of ['pools.yaml', 'layer2.yaml', 'bgp.yaml', 'web.yaml', 'docs.yaml']) {
    writeFileSync(join(config, name), readFileSync(join(demo, name)))
  }
  const manifests = readFileSync(join(demo, 'nodes.yaml'), 'utf8').split('\n---\n')
  writeFileSync(join(config, 'nodes.yaml'), manifests.slice(0, nodes.length).join('\n---\n'))
  writeFileSync(join(secret, 'secretkey'), 'AAAAAAAAAAAAAAAAAAAAAA')
  const program = (name: string, page: string): readonly string[] => [
    process.execPath,
    join(root, 'packages', name, 'dist', 'main.js'),
    '--namespace=metallb-system',
    `--config-dir=${config}`,
    '--port=0',
    '--health-probe-port=0',
    `--status-port=${new URL(page).port}`,
  ]
  nodes[0]?.spawn([...program('controller', CONTROLLER)], { name: 'controller' })
  const members = nodes.map((_, index) => `10.10.0.${11 + index}`)
  await Promise.all(
    nodes.map(async (node, index) => {
      const gossip = [
        `--ml-bindaddr=${members[index]}`,
        `--ml-join=${members.join()}`,
        `--ml-secret-key-path=${secret}`,
      ]
      const argv = [...program('speaker', SPEAKER), `--node-name=${node.name}`, ...gossip]
      const speaker = node.spawn(argv, { name: 'speaker' })
      await speaker.waitForLine(line => line.includes('"event":"config reloaded"'), 60_000)
    }),
  )
  return nodes
}

/** A browser that sees the loopback of a host. @returns path of a program that starts it */
async function insideOf(host: Host, folder: string): Promise<string> {
  const program = chromiumProgram()
  if ('missing' in program) throw new Error(program.missing)
  const path = join(folder, 'chromium')
  writeFileSync(path, `#!/bin/sh\nexec ${host.namespace.prefix.join(' ')} ${program.path} "$@"\n`)
  chmodSync(path, 0o755)
  return path
}
