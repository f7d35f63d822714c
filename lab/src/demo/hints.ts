/** What a user can try while the demo stays up. */
import type { Host } from '../host.js'
import type { Lab } from '../lab.js'
import { entryCommand } from '../privileges.js'
import { urlOf, type Demo } from './context.js'
import { SERVICES } from './steps/announce.js'

/** Prints commands that work as they stand, from another terminal. */
export function printHints(demo: Demo, lab: Lab): void {
  const { network, router, view, folder, report } = demo
  const [layer2 = ''] = view.addressesOf(SERVICES.layer2)
  const [routed = ''] = view.addressesOf(SERVICES.bgp)
  const lines: readonly (readonly [string, string])[] = [
    ['ask the layer-2 address', inside(network.client, ['curl', '-s', urlOf(layer2)])],
    ['ask the BGP address', inside(network.client, ['curl', '-s', urlOf(routed)])],
    ['who has the address', inside(network.client, ['ip', 'neighbour', 'show', layer2])],
    ['the router’s kernel', inside(network.router, ['ip', 'route'])],
    ...router.commands.map(({ shows, argv }) => [`${router.title}: ${shows}`, inside(network.router, argv)] as const),
    ['a shell on a node', inside(network.nodes[0]?.host, ['bash'])],
    ['stop a speaker', `${entryCommand()}kill -STOP ${demo.processes.speaker('node-1').pid}`],
  ]
  report.text('\nIt stays up until Ctrl-C. Edit the manifests and look at what is written beside them:')
  report.text(`  ${folder.directory}`)
  report.text(`Logs of every process:\n  ${lab.directory}/logs`)
  report.text('From another terminal:')
  for (const [title, command] of lines) report.text(`  # ${title}\n  ${command}`)
}

const inside = (host: Host | undefined, argv: readonly string[]): string =>
  `${entryCommand()}ip netns exec ${host?.namespace.name} ${argv.map(quote).join(' ')}`

const quote = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
