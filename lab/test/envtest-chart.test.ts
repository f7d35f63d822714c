/** The Helm chart: what it renders for values of many kinds, MetalLB's own included, and what it refuses. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubernetesObject } from '@typemetal/cluster'
import t from 'tap'
import {
  CHART,
  guideValues,
  helm,
  manifest,
  manifests,
  MATRIX,
  NAMESPACE,
  PATIENCE,
  render,
  root,
  type Values,
  wantsHelm,
} from './fixtures/chart.js'

t.setTimeout(PATIENCE)

interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly securityContext: { readonly allowPrivilegeEscalation: boolean; readonly capabilities: object }
}

interface Workload extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number
    readonly selector: { readonly matchLabels: object }
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: { readonly containers: readonly Container[]; readonly [field: string]: unknown }
    }
  }
}

const find = (objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject | undefined =>
  objects.find(object => object.kind === kind && (name === undefined || object.metadata.name === name))
const workload = (objects: readonly KubernetesObject[], kind: 'DaemonSet' | 'Deployment'): Workload => {
  const object = find(objects, kind)
  if (!object) throw new Error(`no ${kind}`)
  return object as Workload
}
const namesOf = (objects: readonly KubernetesObject[], kind: string): readonly string[] =>
  objects.filter(object => object.kind === kind).map(({ metadata }) => metadata.name)
const containerOf = (objects: readonly KubernetesObject[], kind: 'DaemonSet' | 'Deployment'): Container => {
  const [first] = workload(objects, kind).spec.template.spec.containers
  if (!first) throw new Error(`${kind} without a container`)
  return first
}

t.test('helm lint has nothing to say', wantsHelm, async t => {
  for (const [name, values] of Object.entries({ ...MATRIX, 'the guide': guideValues() })) {
    const { stdout, stderr, code } = await helm(['lint', '--strict', CHART], values)
    t.equal(code, 0, name)
    t.notMatch(stdout + stderr, /\[(?:WARNING|ERROR)\]/, `${name}: nothing at all`)
  }
})

t.test('the programs understand every argument that the chart gives them', wantsHelm, async t => {
  for (const [name, values] of Object.entries({ ...MATRIX, 'the guide': guideValues() })) {
    const objects = await render(values)
    for (const [kind, program] of [
      ['DaemonSet', 'speaker'],
      ['Deployment', 'controller'],
    ] as const) {
      if (!find(objects, kind)) continue
      const { args, env = [] } = containerOf(objects, kind)
      const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? '192.0.2.1']))
      t.equal(flagsFault(program, args, given), '', `${name}: ${program} ${args.join(' ')}`)
    }
  }
})

/** What the program's own reader of the command line says against arguments. */
function flagsFault(program: string, args: readonly string[], env: NodeJS.ProcessEnv): string {
  const module = join(root, 'packages', program, 'dist', 'flags.js')
  const script = `import(${JSON.stringify(module)}).then(({ parseFlags }) => parseFlags(${JSON.stringify(args)}))`
  const { stderr } = spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' })
  return stderr
}

t.test("objects are called as by MetalLB's chart, or as in its manifests", wantsHelm, async t => {
  const names = async (values: Values, release: string): Promise<readonly string[]> =>
    (await render(values, { release }))
      .filter(({ kind }) => ['DaemonSet', 'Deployment', 'ClusterRole', 'ValidatingWebhookConfiguration'].includes(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      .toSorted((a, b) => (a < b ? -1 : 1))
  const called = (prefix: string, role: string): readonly string[] => [
    `ClusterRole ${role}:controller`,
    `ClusterRole ${role}:speaker`,
    `DaemonSet ${prefix}speaker`,
    `Deployment ${prefix}controller`,
    'ValidatingWebhookConfiguration metallb-webhook-configuration',
  ]
  t.same(await names({}, 'metallb'), called('metallb-', 'metallb'))
  t.same(await names({}, 'edge'), called('edge-metallb-', 'edge-metallb'))
  t.same(await names({}, 'typemetal'), called('typemetal-', 'typemetal'))
  t.same(await names({ nameOverride: 'lb' }, 'edge'), called('edge-lb-', 'edge-lb'))
  t.same(await names({ fullnameOverride: 'own' }, 'edge'), called('own-', 'own'))
  t.same(await names({ naming: 'plain' }, 'any'), called('', NAMESPACE))

  const { spec } = workload(await render(), 'DaemonSet')
  t.same(spec.selector.matchLabels, {
    'app.kubernetes.io/name': 'metallb',
    'app.kubernetes.io/instance': 'metallb',
    'app.kubernetes.io/component': 'speaker',
  })
  const plain = workload(await render({ naming: 'plain' }), 'DaemonSet')
  t.same(plain.spec.selector.matchLabels, { app: 'metallb', component: 'speaker' })
})

t.test('names that refer to each other agree, and everything is in the namespace', wantsHelm, async t => {
  for (const values of [{}, { naming: 'plain' }, { fullnameOverride: 'own', speaker: { secretName: 'key' } }]) {
    const objects = await render(values, { namespace: 'elsewhere' })
    const rest = objects.filter(({ kind }) => !kind.startsWith('CustomResource'))
    t.notMatch(JSON.stringify(rest), /metallb-system/, 'no other namespace is named')
    const { env = [] } = containerOf(objects, 'Deployment')
    const value = (name: string): string | undefined => env.find(each => each.name === name)?.value
    t.equal(value('METALLB_DEPLOYMENT'), workload(objects, 'Deployment').metadata.name)
    const volumes = workload(objects, 'DaemonSet').spec.template.spec['volumes']
    t.match(volumes, [{ secret: { secretName: value('METALLB_ML_SECRET_NAME') } }])
    for (const kind of ['RoleBinding', 'ClusterRoleBinding'] as const) {
      for (const object of objects.filter(each => each.kind === kind)) {
        const { roleRef, subjects } = object as unknown as {
          readonly roleRef: { readonly name: string }
          readonly subjects: readonly { readonly name: string; readonly namespace: string }[]
        }
        t.ok(namesOf(objects, kind.replace('Binding', '')).includes(roleRef.name), `${kind} of ${roleRef.name}`)
        t.ok(subjects.every(({ namespace }) => namespace === 'elsewhere'))
        t.ok(subjects.every(({ name }) => namesOf(objects, 'ServiceAccount').includes(name)))
      }
    }
    const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet') as Workload[]
    const accounts = workloads.map(({ spec }) => String(spec.template.spec['serviceAccountName']))
    t.same(
      accounts.filter(name => !namesOf(objects, 'ServiceAccount').includes(name)),
      [],
    )
    for (const { spec } of workloads) t.match(spec.template.metadata.labels, spec.selector.matchLabels)
  }
})

t.test('rights, definitions and webhooks are those of deploy/, not copies', wantsHelm, async t => {
  const objects = await render({ naming: 'plain', crds: { keep: false } })
  const without = (object: KubernetesObject): KubernetesObject => {
    const { labels: _, ...metadata } = object.metadata
    return { ...object, metadata }
  }
  const same = (wanted: readonly KubernetesObject[]): void => {
    t.ok(wanted.length > 0)
    for (const object of wanted) {
      const rendered = find(objects, object.kind, object.metadata.name)
      t.same(rendered && without(rendered), object, `${object.kind} ${object.metadata.name}`)
    }
  }
  same(manifests('deploy/crds'))
  same(manifests('deploy/rbac'))
  same(manifest('deploy/webhooks/validating-webhook-configuration.yaml'))
})

t.test('speakers have NET_RAW and nothing else; who is not root gets it from the file', wantsHelm, async t => {
  const asRoot = await render()
  t.match(containerOf(asRoot, 'DaemonSet'), {
    image: /^typemetal\/speaker:\d+\.\d+\.\d+$/,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
    },
  })
  t.same(containerOf(asRoot, 'Deployment').securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  for (const securityContext of [{ runAsUser: 1000 }, { runAsNonRoot: true }]) {
    t.match(containerOf(await render({ speaker: { securityContext } }), 'DaemonSet'), {
      image: /^typemetal\/speaker:\d+\.\d+\.\d+-nonroot$/,
      securityContext: { allowPrivilegeEscalation: true, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
    })
  }
  const bgpAlone = containerOf(await render({ speaker: { capabilities: [] } }), 'DaemonSet')
  t.same(bgpAlone.securityContext.capabilities, { drop: ['ALL'] })
  const tagged = await render({ speaker: { securityContext: { runAsUser: 1000 }, image: { tag: 'mine' } } })
  t.equal(containerOf(tagged, 'DaemonSet').image, 'typemetal/speaker:mine')
})

t.test('two controllers, never both gone; speakers have the time for a drain', wantsHelm, async t => {
  const objects = await render()
  t.equal(workload(objects, 'Deployment').spec.replicas, 2)
  t.match(find(objects, 'PodDisruptionBudget'), { spec: { maxUnavailable: 1 } })
  t.notOk(find(await render({ controller: { replicas: 1 } }), 'PodDisruptionBudget'), 'one alone could never move')
  const { spec } = workload(objects, 'DaemonSet').spec.template
  t.match(spec, { hostNetwork: true, terminationGracePeriodSeconds: 30, priorityClassName: 'system-node-critical' })
})

t.test("the guide's values file works as it is, and is told what of it does nothing", wantsHelm, async t => {
  const objects = await render(guideValues())
  t.match(containerOf(objects, 'DaemonSet').image, /^typemetal\/speaker:.*-nonroot$/, "MetalLB's image is not run")
  t.match(workload(objects, 'DaemonSet').spec.template.spec, {
    nodeSelector: { 'node-role.kubernetes.io/worker': 'true' },
    containers: [{ resources: { limits: { memory: '256Mi' } }, imagePullPolicy: 'IfNotPresent' }],
    volumes: [{ secret: { secretName: 'memberlist' } }],
  })
  t.equal(namesOf(objects, 'DaemonSet').length, 1, 'no FRR anywhere')
  const { stdout } = await helm(['install', 'metallb', CHART, '--dry-run=client', '-n', NAMESPACE], guideValues())
  for (const line of [
    /controller\.image: \S+metallb\/controller:v0\.13\.12 is MetalLB's; typemetal\/controller:\S+ runs instead/,
    /speaker\.frr: BGP and BFD are built in/,
    /speaker\.prometheus: see prometheus\.metricsPort/,
    /replicaCount: see controller\.replicas/,
    /networkPolicy: see networkpolicies/,
    /serviceMonitor: see prometheus\.serviceMonitor/,
  ]) {
    t.match(stdout, line)
  }
  const { stdout: usual } = await helm(['install', 'metallb', CHART, '--dry-run=client', '-n', NAMESPACE])
  t.notMatch(usual, /These values have no effect/)
})

t.test('the status page is off, and on 127.0.0.1 of every Pod when it is on', wantsHelm, async t => {
  for (const kind of ['DaemonSet', 'Deployment'] as const) {
    const argsOf = async (values: Values): Promise<readonly string[]> => containerOf(await render(values), kind).args
    t.notMatch((await argsOf({})).join(' '), /--status/)
    const args = await argsOf({ statusPage: { enabled: true, port: 7480 } })
    t.same(
      args.filter(arg => arg.startsWith('--status')),
      ['--status-port=7480'],
      'without an address it is the loopback one',
    )
  }
  const { stdout } = await helm(['install', 'metallb', CHART, '--dry-run=client', '-n', NAMESPACE], {
    statusPage: { enabled: true },
  })
  t.match(stdout, /port-forward deploy\/metallb-controller 7476/)
})

t.test('probes are asked where they are answered, metrics as they are served', wantsHelm, async t => {
  const readiness = { livenessProbe: { enabled: false }, readinessProbe: { port: 18000 } }
  const objects = await render({ controller: readiness, speaker: readiness })
  for (const kind of ['DaemonSet', 'Deployment'] as const) {
    t.match(containerOf(objects, kind), { readinessProbe: { httpGet: { port: 18000 } } })
    t.ok(containerOf(objects, kind).args.includes('--health-probe-port=18000'), kind)
  }

  const prometheus = { metricsAuth: false, rbacPrometheus: false, scrapeAnnotations: true }
  const values = { tls: { speakerMetricsTLSSecret: 'certificate' } }
  const schemes = async (monitor: object): Promise<readonly unknown[]> => {
    const rendered = await render({ ...values, prometheus: { ...prometheus, ...monitor } })
    const monitors = rendered.filter(({ kind }) => kind.endsWith('Monitor'))
    return [...monitors, workload(rendered, 'Deployment'), workload(rendered, 'DaemonSet')].map(
      object => /scheme"?: ?"(https?)"/.exec(JSON.stringify(object))?.[1],
    )
  }
  const [plain, secure] = ['http', 'https']
  t.same(await schemes({ podMonitor: { enabled: true } }), [plain, secure, plain, secure])
  t.same(await schemes({ serviceMonitor: { enabled: true } }), [plain, secure, plain, secure])
})

t.test('values that cannot work are refused with what to do', wantsHelm, async t => {
  const monitor = { enabled: true }
  const cases: readonly (readonly [values: Values, said: RegExp])[] = [
    [{ configInline: { 'address-pools': [] } }, /typemetal migrate/],
    [{ prometheus: { podMonitor: monitor, serviceMonitor: monitor } }, /exclude each other/],
    [{ prometheus: { podMonitor: monitor } }, /prometheus\.serviceAccount is needed/],
    [{ prometheus: { serviceMonitor: monitor, serviceAccount: 'x' } }, /prometheus\.namespace is needed/],
    [{ speaker: { nodeSelector: { a: 'b' }, memberlist: { enabled: false } } }, /needs speaker\.memberlist\.enabled/],
    [{ controller: { readinessProbe: { port: 1 } } }, /must be the same/],
    [{ speaker: { drain: { timeout: '40s' } } }, /must be longer than speaker\.drain\.timeout/],
    [{ speaker: { drain: { timeout: '0.5m' } } }, /must be longer than speaker\.drain\.timeout/],
    [{ speaker: { drain: { timeout: '29s1000ms' } } }, /must be longer than speaker\.drain\.timeout/],
    [{ statusPage: { enabled: true, port: 9120 } }, /statusPage\.port \(9120\) is prometheus\.metricsPort, too/],
    [{ statusPage: { enabled: true, port: 7946 } }, /speaker\.memberlist\.mlBindPort/],
    // by values.schema.json
    [{ speaker: { drain: { on: ['sometimes'] } } }, /speaker[./]drain[./]on/],
    [{ speaker: { logLevel: 'loud' } }, /speaker[./]logLevel/],
    [{ controller: { webhookMode: 'sometimes' } }, /controller[./]webhookMode/],
    [{ prometheus: { metricsPort: 70000 } }, /metricsPort/],
    [{ speaker: { livenessProbe: { periodSeconds: 'often' } } }, /periodSeconds/],
    [{ controller: { image: { pullPolicy: 'Mostly' } } }, /pullPolicy/],
    [{ naming: 'mine' }, /naming/],
    [{ statusPage: { port: 0 } }, /statusPage[./]port/],
    [{ speaker: { tolerations: 'all' } }, /tolerations/],
  ]
  for (const [values, said] of cases) {
    const { stderr, code } = await helm(['template', 'metallb', CHART], values)
    t.not(code, 0, JSON.stringify(values))
    t.match(stderr, said)
  }
})

t.test('what helm packs is whole: links into deploy/ are followed', wantsHelm, async t => {
  const folder = t.testdir()
  t.equal((await helm(['package', CHART, '--destination', folder])).code, 0)
  const { version } = JSON.parse(readFileSync(join(root, 'packages', 'speaker', 'package.json'), 'utf8')) as {
    readonly version: string
  }
  const packed = await helm(['template', 'metallb', join(folder, `typemetal-${version}.tgz`), '-n', NAMESPACE])
  const direct = await helm(['template', 'metallb', CHART, '-n', NAMESPACE])
  t.equal(packed.stdout, direct.stdout)
  t.match(packed.stdout, /kind: CustomResourceDefinition/)
})

t.test('the manifests and the alerts are what the chart renders (npm run manifests)', wantsHelm, async t => {
  const script = join(root, 'scripts', 'manifests.mjs')
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.match(stdout, /^4 files, up to date$/m)
})
