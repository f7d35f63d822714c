/** The blocks of docs/ that need a cluster, on a real API server. */
import { dirname } from 'node:path'
import { installCluster, SUITE_PATIENCE, testServers } from '@typemetal/lab/kubernetes'
import t from 'tap'
import { blocksOf, pages, Sandbox } from './docs-blocks.js'

t.setTimeout(SUITE_PATIENCE)
const { skip, kubectl, start } = await testServers()

void t.test('what the pages do with a cluster', { skip, timeout: SUITE_PATIENCE }, async t => {
  for (const page of pages.filter(each => blocksOf(each).some(({ marks }) => marks.has('cluster')))) {
    await t.test(`docs/${page}`, { skip: kubectl === undefined && 'kubectl is missing' }, async t => {
      await using server = await start()
      await installCluster(server)
      for (const name of ['node-1', 'node-2', 'node-3']) {
        await server.admin.apply({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        })
      }
      using sandbox = new Sandbox({ KUBECONFIG: await server.kubeconfig() }, [dirname(kubectl ?? '')])
      for (const block of blocksOf(page)) {
        sandbox.write(block)
        if (!block.marks.has('cluster')) continue
        const { code, stdout, stderr } = await sandbox.shell(block.text)
        t.equal(code, 0, `line ${block.line}: ${block.text}${stdout}${stderr}`)
      }
    })
  }
})
