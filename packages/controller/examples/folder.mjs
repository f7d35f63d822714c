// A controller on a folder of manifests, for five seconds. Run: node examples/folder.mjs
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore } from '@typemetal/cluster'
import { Controller } from '@typemetal/controller'

const directory = mkdtempSync(join(tmpdir(), 'typemetal-'))
writeFileSync(
  join(directory, 'site.yaml'),
  `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: web, namespace: metallb-system }
spec: { addresses: [192.0.2.0/28] }
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: default }
spec: { type: LoadBalancer, ports: [{ port: 443 }] }
`,
)
{
  const store = new DirectoryStore({ directory, component: 'controller' })
  store.on('change', () => {
    const shop = store.snapshot().objects('Service').get('default/shop')
    console.log('shop:', shop?.status?.loadBalancer?.ingress ?? 'no address yet')
  })
  await new Controller({ store, options: { namespace: 'metallb-system' } }).run(AbortSignal.timeout(5000))
  await store[Symbol.asyncDispose]()
}
rmSync(directory, { recursive: true })
