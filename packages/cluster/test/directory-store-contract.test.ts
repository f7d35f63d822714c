import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, type KubernetesObject, readEvents } from '@typemetal/cluster'
import { stringify } from 'yaml'
import { type TestCluster, testStore } from './store-contract.js'

/** A folder with a file for each object, written as careful programs do: aside, then renamed into place. */
async function makeCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-store-'))
  const fileOf = ({ kind, metadata }: KubernetesObject): string =>
    join(directory, `${kind}-${metadata.namespace ?? ''}-${metadata.name}.yaml`)
  return {
    async apply(...objects) {
      for (const object of objects) {
        await writeFile(`${fileOf(object)}.tmp`, stringify(object))
        await rename(`${fileOf(object)}.tmp`, fileOf(object))
      }
    },
    remove: object => rm(fileOf(object)),
    async open(component) {
      const store = new DirectoryStore({ directory, component, debounce: 2, orphanDelay: 10 })
      await store.start()
      return store
    },
    events: () => readEvents(join(directory, 'status')),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

await testStore('DirectoryStore', makeCluster)
