/** The images in front of a real API server, as their manifest starts them: arguments, environment, rights and users are its own. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubernetesObject } from '@typemetal/cluster'
import { how, LabProcess, run, until } from '@typemetal/lab'
import { ApiServer, freePorts, kubernetesBinaries } from '@typemetal/lab/kubernetes'
import t from 'tap'
import { manifest, NAMESPACE, PATIENCE } from './fixtures/chart.js'
import { Containers, missingRuntime, root, type Spawn } from './fixtures/container.js'

t.setTimeout(PATIENCE)
const found = await kubernetesBinaries()
const runtime = await missingRuntime()
const skip = runtime || ('missing' in found && process.env['TYPEMETAL_REQUIRE_KUBERNETES'] !== '1' && found.missing)
const folder = mkdtempSync(join(tmpdir(), 'typemetal-envtest-image-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

interface Workload extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: { readonly runAsUser?: number }
        readonly containers: readonly {
          readonly args: readonly string[]
          readonly env: readonly { readonly name: string; readonly value?: string }[]
          readonly securityContext: {
            readonly allowPrivilegeEscalation: boolean
            readonly capabilities: { readonly add?: readonly string[] }
          }
        }[]
      }
    }
  }
}

/** What kubelet puts in where a manifest says `fieldRef`. */
const FIELDS: Readonly<Record<string, string>> = {
  METALLB_NODE_NAME: 'node-1',
  METALLB_POD_NAME: 'this-one',
  METALLB_ML_BIND_ADDR: '127.0.0.1',
}
const IMAGES = ['--image', 'controller', '--image', 'speaker-nonroot']
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Writes files that anybody may read. @returns their folder */
function filesFor(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(folder, name)
  mkdirSync(directory)
  chmodSync(folder, 0o755)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text)
  return directory
}

/** Starts what a workload's template says, with the files of its account, on ports that are free here. */
async function startPod(
  server: ApiServer,
  containers: Containers,
  workload: Workload,
  extra: {
    readonly image: string
    readonly args: readonly string[]
    readonly mounts: Readonly<Record<string, string>>
  },
): Promise<LabProcess> {
  const { spec } = workload.spec.template
  const [container] = spec.containers
  if (!container) throw new Error('a workload without containers')
  const { name } = workload.metadata
  const token = await server.serviceAccountToken({ namespace: NAMESPACE, name })
  const authority = (await run(['cat', server.authority])).stdout
  const account = filesFor(`${name}-account`, { token, 'ca.crt': authority, namespace: NAMESPACE })
  const spawn: Spawn = (argv, options) => new LabProcess(argv, options.name, join(folder, `${name}.log`))
  return containers.start(spawn, {
    image: extra.image,
    name,
    args: [...container.args, ...extra.args],
    env: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: new URL(server.url).port,
      ...Object.fromEntries(container.env.map(each => [each.name, each.value ?? FIELDS[each.name] ?? ''])),
    },
    runAsUser: spec.securityContext.runAsUser ?? 0,
    capabilities: (container.securityContext.capabilities.add ?? []).map(each => `CAP_${each}`),
    allowPrivilegeEscalation: container.securityContext.allowPrivilegeEscalation,
    mounts: { [ACCOUNT]: account, ...extra.mounts },
  })
}

/** Waits as long as the container lives. @throws {Error} with its last words when it ends first */
const whileRunning = <T>(container: LabProcess, wait: Promise<T>): Promise<T> =>
  Promise.race([
    wait,
    container.exited.then(exit => {
      throw new Error(`${container.name} ${how(exit)}${container.tail()}`)
    }),
  ])

t.test('controller and speaker as their Pods start them', { skip, timeout: PATIENCE }, async t => {
  if ('missing' in found) throw new Error(found.missing)
  const layout = join(folder, 'layout')
  await run([process.execPath, join(root, 'scripts', 'image.mjs'), '--out', layout, ...IMAGES], { timeout: 1_200_000 })
  await using containers = new Containers(layout)
  await using server = await ApiServer.start({ binaries: found })
  const { admin } = server
  const objects = manifest('deploy/manifests/typemetal-nonroot.yaml')
  // Services have no addresses here by which the API server could ask the webhooks.
  for (const object of objects) if (object.kind !== 'ValidatingWebhookConfiguration') await admin.apply(object)
  const workload = (kind: string): Workload => objects.find(object => object.kind === kind) as Workload
  const get = (path: string): Promise<Record<string, unknown> | undefined> =>
    admin.request({ method: 'GET', path }).then(
      answer => answer as Record<string, unknown>,
      () => undefined,
    )
  const secrets = `/api/v1/namespaces/${NAMESPACE}/secrets`
  const [metrics, probes, webhooks, speakerMetrics, speakerProbes] = await freePorts(5)

  const controller = await startPod(server, containers, workload('Deployment'), {
    image: 'controller',
    args: [`--port=${metrics}`, `--health-probe-port=${probes}`, `--webhook-port=${webhooks}`],
    mounts: {},
  })
  const secret = await whileRunning(
    controller,
    until('the key of the gossip', () => get(`${secrets}/memberlist`), { timeout: 120_000 }),
  )
  t.match(secret, { metadata: { ownerReferences: [{ kind: 'Deployment', name: 'controller' }] } })
  await until('the certificates of the webhooks', async () => {
    const { data } = ((await get(`${secrets}/metallb-webhook-cert`)) ?? {}) as { data?: Record<string, string> }
    return data?.['tls.crt']
  })
  await admin.apply(POOL)
  await admin.apply(SERVICE)
  const service = '/api/v1/namespaces/default/services/web'
  const given = await until(
    'an address',
    async () => {
      const { status } = ((await get(service)) ?? {}) as { status?: { loadBalancer?: { ingress?: object[] } } }
      return status?.loadBalancer?.ingress
    },
    { timeout: 120_000 },
  )
  t.match(given, [{ ip: '192.0.2.1' }])

  await admin.apply(NODE)
  // Owns the speaker's statuses.
  await admin.apply(POD)
  const { data } = secret as { readonly data: { readonly secretkey: string } }
  const secretkey = Buffer.from(data.secretkey, 'base64').toString()
  const speaker = await startPod(server, containers, workload('DaemonSet'), {
    image: 'speaker-nonroot',
    args: [
      `--port=${speakerMetrics}`,
      `--health-probe-port=${speakerProbes}`,
      `--ml-bindport=${(await freePorts(1))[0]}`,
    ],
    mounts: {
      '/etc/ml_secret_key': filesFor('key', { secretkey }),
      // This machine's own interfaces are left alone.
      '/etc/metallb': filesFor('metallb', { 'excludel2.yaml': 'announcedInterfacesToExclude: [".*"]\n' }),
    },
  })
  const state = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/configurationstates/speaker-node-1`
  const written = await whileRunning(
    speaker,
    until('the state of the speaker', () => get(state), { timeout: 120_000 }),
  )
  t.match(written, { metadata: { name: 'speaker-node-1' } })
  for (const port of [probes, speakerProbes]) {
    const ready = await until('readiness', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      return answer?.status === 200 ? answer.status : undefined
    })
    t.equal(ready, 200)
  }

  for (const object of READER) await admin.apply(object)
  const token = await server.serviceAccountToken({ namespace: NAMESPACE, name: 'reader' })
  for (const port of [metrics ?? 0, speakerMetrics ?? 0]) {
    t.match(await scrape(port, undefined), { status: 401 })
    t.match(await scrape(port, token), { status: 200, text: /^metallb_k8s_client_config_loaded_bool 1$/m })
  }
  for (const container of [speaker, controller]) {
    container.kill('SIGTERM')
    t.match(await container.exited, { code: 0 })
  }
})

/** Metrics over TLS with a certificate that nobody has signed. */
async function scrape(port: number, token: string | undefined): Promise<{ status: number | undefined; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const outgoing = request({ host: '127.0.0.1', port, path: '/metrics', rejectUnauthorized: false, headers }).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return { status: response.statusCode, text }
}

const POOL = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: 'some', namespace: NAMESPACE },
  spec: { addresses: ['192.0.2.1-192.0.2.9'] },
}
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }] },
}
const NODE = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } }
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'this-one', namespace: NAMESPACE },
  spec: { containers: [{ name: 'speaker', image: 'speaker' }] },
}
const READER: readonly KubernetesObject[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: NAMESPACE } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'reader' },
    rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
  } as KubernetesObject,
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: NAMESPACE }],
  } as KubernetesObject,
]
