/** Everything that the chart renders, in front of a real API server: as a dry run of each object, and as releases of helm. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubernetesObject } from '@typemetal/cluster'
import { run } from '@typemetal/lab'
import { ApiServer, kubernetesBinaries } from '@typemetal/lab/kubernetes'
import t from 'tap'
import {
  CHART,
  guideValues,
  helm,
  manifests,
  MATRIX,
  NAMESPACE,
  objectsOf,
  PATIENCE,
  render,
  root,
  wantsHelm,
} from './fixtures/chart.js'

t.setTimeout(PATIENCE)
const found = await kubernetesBinaries()
const wanted =
  'missing' in found && process.env['TYPEMETAL_REQUIRE_KUBERNETES'] !== '1'
    ? { ...wantsHelm, skip: found.missing }
    : wantsHelm

async function start(): Promise<ApiServer> {
  if ('missing' in found) throw new Error(`no API server: ${found.missing}`)
  const server = await ApiServer.start({ binaries: found })
  for (const name of [NAMESPACE, 'monitoring']) {
    await server.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  return server
}

/** Asks the server to store an object and to forget it again; a field that it does not know is a fault. */
async function dryRun({ admin }: ApiServer, object: KubernetesObject): Promise<void> {
  const path = `${await admin.pathOf(object)}?fieldManager=chart&force=true&dryRun=All&fieldValidation=Strict`
  await admin.request({ method: 'PATCH', path, body: object, contentType: 'application/apply-patch+yaml' })
}

/** The kinds of the Prometheus operator, out of its module. */
async function monitoringDefinitions(): Promise<readonly KubernetesObject[]> {
  const folder = join(root, 'lab', 'monitoring')
  const module = 'github.com/prometheus-operator/prometheus-operator'
  const { stdout } = await run(['go', '-C', folder, 'mod', 'download', '-json', module], { timeout: 300_000 })
  const { Dir: directory } = JSON.parse(stdout) as { readonly Dir: string }
  return ['podmonitors', 'servicemonitors', 'prometheusrules'].flatMap(plural =>
    objectsOf(
      readFileSync(
        join(directory, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${plural}.yaml`),
        'utf8',
      ),
    ),
  )
}

t.test('a real API server takes every object', wanted, async t => {
  await using server = await start()
  const { admin } = server
  for (const definition of [...manifests('deploy/crds'), ...(await monitoringDefinitions())]) {
    await admin.apply(definition)
  }
  for (const [name, values] of Object.entries({ ...MATRIX, 'the guide': guideValues() })) {
    await t.test(name, async t => {
      const objects = await render(values)
      t.ok(objects.length >= 2)
      for (const object of objects) {
        await t.resolves(dryRun(server, object), `${object.kind} ${object.metadata.name}`)
      }
    })
  }
  await t.test('the manifests', async t => {
    for (const object of manifests('deploy/manifests')) {
      await t.resolves(dryRun(server, object), `${object.kind} ${object.metadata.name}`)
    }
  })
  await t.test('and it would say if it did not', async t => {
    const [object] = await render({ crds: { enabled: false } })
    if (!object) throw new Error('the chart renders nothing')
    await t.rejects(dryRun(server, { ...object, typo: 1 } as KubernetesObject), /typo/)
  })
})

t.test('helm installs, upgrades and uninstalls; definitions and what is stored with them stay', wanted, async t => {
  await using server = await start()
  const { admin } = server
  const to = ['--namespace', NAMESPACE, '--kubeconfig', await server.kubeconfig()]
  const does = async (args: readonly string[], values?: string): Promise<void> => {
    const { stderr, code } = await helm([...args, ...to], values)
    t.equal(code, 0, `helm ${args.join(' ')}: ${stderr}`)
  }
  const secret = `/api/v1/namespaces/${NAMESPACE}/secrets/metallb-webhook-cert`
  const speaker = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/metallb-speaker`

  await does(['install', 'metallb', CHART])
  const created = await admin.request({ method: 'GET', path: speaker })
  // What the controller does while it runs.
  const written = { data: { 'tls.crt': 'eA==' } }
  await admin.request({ method: 'PATCH', path: secret, body: written, contentType: 'application/merge-patch+json' })

  await does(['upgrade', 'metallb', CHART], guideValues())
  t.match(await admin.request({ method: 'GET', path: secret }), written, 'an upgrade does not touch the certificates')
  const { metadata } = created as KubernetesObject
  t.match(await admin.request({ method: 'GET', path: speaker }), { metadata: { uid: metadata.uid } })

  await does(['uninstall', 'metallb'])
  await t.rejects(admin.request({ method: 'GET', path: speaker }), { code: 'ERR_LAB_API', status: 404 })
  const pools = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ipaddresspools.metallb.io'
  t.match(await admin.request({ method: 'GET', path: pools }), { metadata: { name: 'ipaddresspools.metallb.io' } })
  await does(['install', 'metallb', CHART])
})
