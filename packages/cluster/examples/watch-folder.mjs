// Watches a folder of manifests and prints what it says, until Ctrl-C:  node examples/watch-folder.mjs [FOLDER]
import { buildConfig, configResources, DirectoryStore, formatConfigError } from '@typemetal/cluster'
import { fileURLToPath } from 'node:url'

const directory = process.argv[2] ?? fileURLToPath(new URL('site', import.meta.url))
const store = new DirectoryStore({ directory, component: 'example', readOnly: true })

function show() {
  const snapshot = store.snapshot()
  const { config, errors } = buildConfig(configResources(snapshot), {
    component: 'validate',
    namespace: 'metallb-system',
  })
  for (const error of errors ?? []) console.log(formatConfigError(error))
  for (const pool of config?.pools.values() ?? [])
    console.log(pool.name, pool.blocks.map(block => block.cidr).join(', '))
  for (const key of snapshot.objects('Service').keys()) console.log('Service', key)
}

store.on('change', show)
process.once('SIGINT', () => void store[Symbol.asyncDispose]())
try {
  await store.start()
} catch (error) {
  console.error(error.message) // a folder that is not there
  process.exit(1)
}
show()
