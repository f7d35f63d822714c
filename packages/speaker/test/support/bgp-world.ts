/** A node with the real speaker process and a router, in network namespaces on one LAN. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Lab, needsUserNamespace, until } from '@typemetal/lab'
import type { Host, LabProcess } from '@typemetal/lab'
import { nodeManifest, putManifest, serviceManifest } from './manifests.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Why no namespaces can be made here; `undefined` when they can. */
export const missingRoot = (): string | undefined =>
  needsUserNamespace() ? 'wants root, to make network namespaces' : undefined

/** The LAN: the node is .11, the router .1. */
export const NODE = '10.10.0.11'
export const NODE6 = 'fd00:10::11'
export const ROUTER = '10.10.0.1'
export const ROUTER6 = 'fd00:10::1'

/** A Service with these addresses and an endpoint on the node. */
export { serviceManifest as service }

/** One object of `metallb.io`; `spec` is YAML in braces. */
export const object = (kind: string, name: string, spec: string): string =>
  `apiVersion: metallb.io/${kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1'}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`

/** A pool of both families and an advertisement of it. @param advertisement YAML in braces */
export const pool = (advertisement = '{}'): string =>
  [
    object('IPAddressPool', 'pool', '{ addresses: [203.0.113.0/24, "2001:db8:1::/120"] }'),
    object('BGPAdvertisement', 'ad', advertisement),
  ].join('---\n')

/** What a test works with. */
export interface BgpWorld extends AsyncDisposable {
  readonly lab: Lab
  readonly node: Host
  readonly router: Host
  /** Folder of the router's files. */
  readonly directory: string
  /** Writes a manifest that the speaker reads, in place of one of that name; absent: removes it. */
  write(name: string, text?: string): Promise<void>
  /** Starts the speaker. @param wrapper put before its command */
  speaker(flags?: readonly string[], wrapper?: readonly string[]): LabProcess
  /** Text of the speaker's metrics, once it has this in it. */
  metricsWith(wanted: string | ((text: string) => boolean)): Promise<string>
}

/** Makes it; nothing runs in it yet. */
export async function bgpWorld(
  addresses: { readonly node?: readonly string[]; readonly router?: readonly string[] } = {},
): Promise<BgpWorld> {
  const lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const link = (own: readonly string[]) => ({ links: [{ bridge: lan, addresses: own }] })
  const node = await lab.host('node', link(addresses.node ?? [`${NODE}/24`, `${NODE6}/64`]))
  const router = await lab.host('router', link(addresses.router ?? [`${ROUTER}/24`, `${ROUTER6}/64`]))
  const config = join(lab.directory, 'config')
  await mkdir(config)
  await writeFile(join(config, 'node.yaml'), nodeManifest('n1', NODE))
  return {
    lab,
    node,
    router,
    directory: join(lab.directory, 'router'),
    write: (name, text) =>
      text === undefined ? rm(join(config, `${name}.yaml`)) : putManifest(join(config, `${name}.yaml`), text),
    speaker: (flags = [], wrapper = []) =>
      node.spawn([...wrapper, process.execPath, MAIN, '--node-name', 'n1', '--config-dir', config, ...flags], {
        name: 'speaker',
      }),
    metricsWith: wanted =>
      until(
        `metrics with ${String(wanted)}`,
        async () => {
          const { stdout } = await node.exec([process.execPath, '--input-type=module', '-e', SCRAPE])
          const fits = typeof wanted === 'string' ? stdout.includes(wanted) : wanted(stdout)
          return fits ? stdout : undefined
        },
        { timeout: 60_000 },
      ),
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  }
}

const SCRAPE = `console.log(await (await fetch('http://127.0.0.1:7472/metrics')).text())`

/** Finds the log line of an event, with more text in it. */
export const said =
  (event: string, more = '') =>
  (line: string): boolean =>
    (line.includes(`"event":"${event}"`) || line.includes(`"op":"${event}"`)) && line.includes(more)
