/** The contract of all stores, on a real API server. */
import type { ApiServer } from '@typemetal/lab/kubernetes'
import { openStore } from '@typemetal/cluster'
import { acceptable, onApiServer, removeAll } from './envtest.js'
import { NAMESPACE } from './objects.js'
import { QUICK } from './envtest-fixture.js'
import { type SeenEvent, type TestCluster, testStore } from './store-contract.js'

async function makeCluster(server: ApiServer): Promise<TestCluster> {
  const kubeconfig = await server.kubeconfig()
  const { admin } = server
  return {
    async apply(...objects) {
      for (const object of objects) await admin.apply(acceptable(object))
    },
    remove: object => admin.remove(object),
    async open(component) {
      const store = await openStore({ kubeconfig, namespace: NAMESPACE, component, limits: QUICK })
      await store.start()
      return store
    },
    events: async () => (await admin.list('/api/v1/namespaces/default/events')) as unknown as readonly SeenEvent[],
    [Symbol.asyncDispose]: () => removeAll(server),
  }
}

onApiServer('on a real API server', {}, async (t, server) => {
  await testStore('KubernetesStore', () => makeCluster(server), t)
})
