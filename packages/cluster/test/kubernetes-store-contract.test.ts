import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@typemetal/cluster'
import { FakeApiServer } from './fake-api-server.js'
import { writeKubeconfig } from './kubeconfig.js'
import { NAMESPACE } from './objects.js'
import { type SeenEvent, type TestCluster, testStore } from './store-contract.js'

async function makeCluster(): Promise<TestCluster> {
  const server = await FakeApiServer.start()
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-kubernetes-'))
  const kubeconfig = await writeKubeconfig(directory, server.port)
  return {
    async apply(...objects) {
      for (const object of objects) server.apply(object)
    },
    async remove(object) {
      server.remove(object)
    },
    async open(component) {
      const store = await openStore({ kubeconfig, namespace: NAMESPACE, component })
      await store.start()
      return store
    },
    events: async () => server.objects('Event') as unknown as readonly SeenEvent[],
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

await testStore('KubernetesStore', makeCluster)
