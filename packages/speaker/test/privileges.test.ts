/** The real process as UID 1000 with exactly one capability, or none, where nothing can be written; and what it says when one is missing. */
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Lab, type LabProcess, needsUserNamespace, nextHopsOf, startRouter, until } from '@typemetal/lab'
import t from 'tap'
import { LAYER2_MANIFESTS, bgpManifests, manifestFile, nodeManifest, serviceManifest } from './support/manifests.js'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const ARP = import.meta.resolve('@typemetal/arp-ndp')
const VIP = '10.10.0.200'
const ROUTED = '203.0.113.1'
/** Milliseconds; the machine may have much else to do. */
const PATIENCE = 60_000
const skip = needsUserNamespace() && 'wants root, to give its privileges away'

const NODE = nodeManifest('n1', '10.10.0.11')

/** Every file system but those of the kernel becomes read-only, for this process and those it starts. */
const READ_ONLY = `
mount --make-rprivate /
awk '{ print $5 }' /proc/self/mountinfo | while read -r place; do
  case $place in /proc* | /sys* | /dev*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null ;; esac
done
touch "$1" 2>/dev/null && exit 99
shift
exec "$@"
`

interface World {
  readonly lab: Lab
  /** Starts a speaker as UID 1000 with these capabilities on a read-only file system. */
  readonly speaker: (capabilities: readonly string[], folder: string) => LabProcess
  /** Makes a folder of manifests. */
  readonly folder: (name: string, ...texts: readonly string[]) => Promise<string>
  /** How many answer for the address. */
  readonly answers: () => Promise<number>
  readonly routes: () => Promise<readonly string[]>
}

async function world(t: { teardown(fn: () => unknown): unknown }): Promise<World> {
  const lab = await Lab.create()
  t.teardown(() => lab[Symbol.asyncDispose]())
  // UID 1000 must be able to read what is in it.
  await chmod(lab.directory, 0o755)
  const lan = await lab.bridge('lan')
  const at = (address: string) => ({ links: [{ bridge: lan, addresses: [`${address}/24`] }] })
  const [node, client, router] = [
    await lab.host('n1', at('10.10.0.11')),
    await lab.host('client', at('10.10.0.100')),
    await lab.host('router', at('10.10.0.1')),
  ]
  const bgp = { asn: 64513, bgpIdentifier: '10.10.0.1', peerPrefix: '10.10.0.0/24', peerAsn: 64512 }
  await startRouter('embedded', router, { ...bgp, directory: join(lab.directory, 'router') })
  return {
    lab,
    speaker: (capabilities, folder) => {
      const set = ['-all', ...capabilities.map(name => `+${name}`)].join(',')
      const user = ['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups', '--no-new-privs']
      const rights = [`--bounding-set=${set}`, `--inh-caps=${set}`, `--ambient-caps=${set}`]
      const speaker = [process.execPath, MAIN, '--node-name=n1', `--config-dir=${folder}`]
      const readOnly = ['unshare', '--mount', 'sh', '-c', READ_ONLY, 'sh', join(lab.directory, 'written')]
      return node.spawn([...readOnly, ...user, ...rights, '--', ...speaker], { name: 'speaker' })
    },
    folder: async (name, ...texts) => {
      const folder = join(lab.directory, name)
      await mkdir(folder)
      await writeFile(join(folder, 'cluster.yaml'), manifestFile(NODE, ...texts))
      return folder
    },
    answers: async () => {
      const code = `import { resolve } from ${JSON.stringify(ARP)}
        console.log((await resolve({ interface: 'eth0', address: '${VIP}', timeout: 1000 })).length)`
      const { stdout } = await client.exec([process.execPath, '--input-type=module', '-e', code])
      return Number(stdout)
    },
    routes: () => nextHopsOf(router.namespace, `${ROUTED}/32`),
  }
}

/** What the kernel says of a process. */
async function credentials(pid: number): Promise<Readonly<Record<string, string | undefined>>> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): string | undefined => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]
  return { uid: field('Uid'), effective: field('CapEff'), bounding: field('CapBnd'), groups: field('Groups')?.trim() }
}

t.setTimeout(1_200_000)

t.test('UID 1000 with CAP_NET_RAW alone answers ARP and speaks BGP, and writes nothing', { skip }, async t => {
  const { lab, speaker, folder, answers, routes } = await world(t)
  const config = await folder(
    'both',
    LAYER2_MANIFESTS,
    bgpManifests(),
    serviceManifest('web', VIP),
    serviceManifest('routed', ROUTED),
  )
  const process = speaker(['net_raw'], config)
  await until('an answer', async () => ((await answers()) === 1 ? true : undefined), { timeout: PATIENCE })
  await until('a route', async () => ((await routes()).length === 1 ? true : undefined), { timeout: PATIENCE })
  t.same(await credentials(process.pid), {
    uid: '1000\t1000\t1000\t1000',
    effective: '0000000000002000',
    bounding: '0000000000002000',
    groups: '',
  })
  await process.waitForLine(line => line.includes('"op":"writeStatus"') && line.includes('"retryMs":1000'), PATIENCE)
  t.same(await readdir(config), ['cluster.yaml'], 'the statuses have no place, and it goes on')
  t.match(
    process.lines.find(line => line.includes('"capability":"CAP_SYS_NICE"')),
    /precedence of the layer-2 and BFD workers.*securityContext\.capabilities\.add: \[SYS_NICE\]/,
  )
  t.notOk(process.lines.some(line => line.includes('"capability":"CAP_NET_RAW"')))
  t.same(await process.stop('SIGTERM', 60_000), { code: 0, signal: null })
  t.notOk((await readdir(lab.directory)).includes('written'), 'the file system was read-only indeed')
})

t.test('with no capability at all BGP works', { skip }, async t => {
  const { speaker, folder, routes } = await world(t)
  const process = speaker([], await folder('bgp', bgpManifests(), serviceManifest('routed', ROUTED)))
  await until('a route', async () => ((await routes()).length === 1 ? true : undefined), { timeout: PATIENCE })
  t.match(await credentials(process.pid), { uid: '1000\t1000\t1000\t1000', effective: '0000000000000000' })
  const said = process.lines.find(line => line.includes('"capability":"CAP_NET_RAW"'))
  t.match(said, /not there without CAP_NET_RAW: layer 2 \(ARP and NDP\), unnumbered BGP peers, echo packets of BFD/)
  t.match(said, /securityContext\.capabilities\.add: \[NET_RAW\] with user 0; elsewhere setcap cap_net_raw\+ep/)
  t.same(await process.stop('SIGTERM', 60_000), { code: 0, signal: null })
})

t.test('without CAP_NET_RAW layer 2 does not start, and says how it would', { skip }, async t => {
  const { speaker, folder } = await world(t)
  const process = speaker([], await folder('layer2', LAYER2_MANIFESTS, serviceManifest('web', VIP)))
  t.same(await process.exited, { code: 1, signal: null })
  t.match(process.lines.at(-1), /^typemetal-speaker: .*needs CAP_NET_RAW: run as root, or grant it \(setcap/)
})
