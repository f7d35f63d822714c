// `npm run manifests`: renders the chart into deploy/manifests, for `kubectl apply`, and the alerts into deploy/observability, for a
// Prometheus without its operator. `--check`: writes nothing, code 1 when the files are not those.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseAllDocuments, stringify } from 'yaml'
import { fail, phase, root } from './prepare.mjs'

const NAMESPACE = 'metallb-system'
const HEAD = '# Rendered from deploy/chart by `npm run manifests`; change it there.\n'
const YAML = { lineWidth: 0 }
/** The system lets only privileged Pods have the node's network and NET_RAW. */
const level = 'pod-security.kubernetes.io/'
const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: NAMESPACE,
    labels: { [`${level}enforce`]: 'privileged', [`${level}audit`]: 'privileged', [`${level}warn`]: 'privileged' },
  },
}
const prometheus = { serviceAccount: 'prometheus-k8s', namespace: 'monitoring' }

/** File → values of the chart. */
const MANIFESTS = {
  'typemetal.yaml': {},
  'typemetal-nonroot.yaml': { speaker: { securityContext: { runAsNonRoot: true, runAsUser: 1000 } } },
  'typemetal-prometheus.yaml': {
    prometheus: {
      ...prometheus,
      serviceMonitor: { enabled: true, interval: '30s' },
      prometheusRule: { enabled: true },
    },
  },
}

const { values: options } = (() => {
  try {
    return parseArgs({ options: { check: { type: 'boolean', default: false } } })
  } catch (error) {
    return fail(`${error.message}; usage: npm run manifests -- [--check]`)
  }
})()

if (!options.check) phase('TypeScript', join(root, 'node_modules', '.bin', 'tsc'), ['-b', 'lab'])
const { helmBinary } = await import('../lab/dist/kubernetes/helm.js')
const found = await helmBinary()
if ('missing' in found) fail(`no helm: ${found.missing}`)

const files = new Map(
  Object.entries(MANIFESTS).map(([name, values]) => {
    const documents = [namespace, ...render({ naming: 'plain', crds: { keep: false }, ...values })]
    return [join('deploy', 'manifests', name), HEAD + documents.map(each => stringify(each, YAML)).join('---\n')]
  }),
)
const [rule] = render({ prometheus: { prometheusRule: { enabled: true } } }, [
  '--show-only',
  'templates/prometheusrule.yaml',
])
files.set(join('deploy', 'observability', 'alerts.yaml'), HEAD + stringify(rule.spec, YAML))

const different = [...files].filter(
  ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
)
if (options.check) {
  if (different.length > 0)
    fail(`${different.map(([path]) => path).join(', ')}: not what the chart renders; run npm run manifests`)
} else {
  for (const [path, text] of different) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}
console.log(`${files.size} files${different.length === 0 ? ', up to date' : ''}`)

/** Objects of the chart, with a blank home for helm. */
function render(values, args = []) {
  const home = mkdtempSync(join(tmpdir(), 'typemetal-helm-'))
  try {
    writeFileSync(join(home, 'values.yaml'), JSON.stringify(values))
    const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home }
    const chart = join(root, 'deploy', 'chart')
    const argv = ['template', 'metallb', chart, '-n', NAMESPACE, '-f', join(home, 'values.yaml'), ...args]
    const { stdout, stderr, status } = spawnSync(found.helm, argv, {
      encoding: 'utf8',
      env,
      maxBuffer: 64 * 1024 * 1024,
    })
    if (status !== 0) fail(stderr)
    const documents = parseAllDocuments(stdout)
    const unusual = documents.flatMap(document => document.errors)
    if (unusual.length > 0) fail(`the chart renders what is no YAML: ${unusual[0].message}`)
    return documents.map(document => document.toJS()).filter(object => object !== null)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
