// What a node would announce for a folder of manifests, and why not the rest: node examples/plan.mjs FOLDER NODE
// The addresses are those that a controller has written to FOLDER/status; `typemetal plan` gives the missing ones as it would.
import { DirectoryStore, buildConfig, configResources, formatConfigError } from '@typemetal/cluster'
import { plan } from '@typemetal/speaker'

const [directory = '.', node = 'node-1'] = process.argv.slice(2)
const store = new DirectoryStore({ directory, component: 'example', readOnly: true })
try {
  await store.start()
} catch (error) {
  console.error(error.message) // a folder that is not there
  process.exit(1)
}
const snapshot = store.snapshot()
const result = buildConfig(configResources(snapshot), { component: 'speaker', node, namespace: 'metallb-system' })
if ('errors' in result) {
  console.error(result.errors.map(formatConfigError).join('\n'))
  process.exit(1)
}
// No gossip here: every node counts as alive.
const { services, sessions, routes } = plan(snapshot, result.config, node, undefined)
for (const { service, addresses, layer2, bgp } of services.values()) {
  const how = decision => (decision.announce ? 'announced' : decision.reason)
  console.log(`${service} ${addresses.join(' ')}: layer 2 ${how(layer2)}, BGP ${how(bgp)}`)
}
for (const name of sessions.keys()) {
  console.log(`to ${name}: ${(routes.get(name) ?? []).map(({ prefix }) => prefix).join(' ') || 'nothing'}`)
}
await store[Symbol.asyncDispose]()
