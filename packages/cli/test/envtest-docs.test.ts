/** The blocks of docs/ that need a cluster, on a real API server. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { customResourceDefinitions } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { ApiServer, kubernetesBinaries } from '@typemetal/lab/kubernetes'
import t from 'tap'
import { blocksOf, pages, Sandbox } from './docs-blocks.js'

const PATIENCE = 2_400_000
t.setTimeout(PATIENCE)
const binaries = await kubernetesBinaries()
const missing = 'missing' in binaries ? binaries.missing : false
const skip = process.env['TYPEMETAL_REQUIRE_KUBERNETES'] === '1' ? false : missing

void t.test('what the pages do with a cluster', { skip, timeout: PATIENCE }, async t => {
  if ('missing' in binaries) throw new assert.AssertionError({ message: `no API server: ${binaries.missing}` })
  for (const page of pages.filter(each => blocksOf(each).some(({ marks }) => marks.has('cluster')))) {
    await t.test(`docs/${page}`, { skip: binaries.kubectl === undefined && 'kubectl is missing' }, async t => {
      await using server = await ApiServer.start({ binaries })
      await server.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'metallb-system' } })
      for (const definition of customResourceDefinitions()) await server.admin.apply(definition)
      const served = async (): Promise<unknown> => server.admin.list('/apis/metallb.io/v1beta1/configurationstates')
      await until('the CRDs to be served', served, { timeout: 60_000 })
      for (const name of ['node-1', 'node-2', 'node-3']) {
        await server.admin.apply({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        })
      }
      using sandbox = new Sandbox({ KUBECONFIG: await server.kubeconfig() }, [dirname(binaries.kubectl ?? '')])
      for (const block of blocksOf(page)) {
        sandbox.write(block)
        if (!block.marks.has('cluster')) continue
        const { code, stdout, stderr } = await sandbox.shell(block.text)
        t.equal(code, 0, `line ${block.line}: ${block.text}${stdout}${stderr}`)
      }
    })
  }
})
