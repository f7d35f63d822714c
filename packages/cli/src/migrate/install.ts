/** What a MetalLB install looks like, read from its workloads. Pure. */
import { type Fields, fieldsOf, groupOf, listOf, type RawList, type RawObject, textOf, textsOf } from './objects.js'

/** How MetalLB speaks BGP. */
export type BGPMode = 'native' | 'frr' | 'frr-k8s'

/** One of its workloads. */
export interface Workload {
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly image: string
  /** Of the image's tag; absent when it is none. */
  readonly version?: string
  readonly args: readonly string[]
  readonly env: ReadonlyMap<string, string>
  readonly containers: readonly string[]
}

/** Everything that moving depends on. */
export interface Install {
  readonly controller?: Workload
  readonly speaker?: Workload
  readonly mode: BGPMode
  /** FRRConfigurations that MetalLB makes for itself, and those of others. */
  readonly ownConfigurations: readonly string[]
  readonly otherConfigurations: readonly string[]
  /** Value of `--lb-class`. */
  readonly lbClass: string
  /** Name of the Secret with the key of the gossip: the chart puts the release before `memberlist`. */
  readonly gossipSecret: string
  /** A ConfigMap of before 0.13 is still there. */
  readonly oldConfig: boolean
  readonly objects: readonly RawObject[]
}

/** What {@link readInstall} wants of an API server. */
export const installLists = (namespace: string): readonly RawList[] => [
  { path: `/apis/apps/v1/namespaces/${namespace}/daemonsets`, apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { path: `/apis/apps/v1/namespaces/${namespace}/deployments`, apiVersion: 'apps/v1', kind: 'Deployment' },
  { path: `/api/v1/namespaces/${namespace}/configmaps`, apiVersion: 'v1', kind: 'ConfigMap' },
  {
    path: '/apis/frrk8s.metallb.io/v1beta1/frrconfigurations',
    apiVersion: 'frrk8s.metallb.io/v1beta1',
    kind: 'FRRConfiguration',
  },
]

/** Finds MetalLB among objects. */
export function readInstall(objects: readonly RawObject[]): Install {
  const workloads = objects.filter(({ kind }) => kind === 'DaemonSet' || kind === 'Deployment').flatMap(workloadsOf)
  const controller = workloads.find(({ kind, image }) => kind === 'Deployment' && /controller/.test(image))
  const speaker = workloads.find(({ kind, image }) => kind === 'DaemonSet' && /speaker/.test(image))
  const configurations = objects.filter(
    object => object.kind === 'FRRConfiguration' && groupOf(object) === 'frrk8s.metallb.io',
  )
  // MetalLB names its own after the node, `metallb-NODE`, and selects that node alone.
  const own = configurations.filter(({ name, spec }) => name.startsWith('metallb-') && hostnameOf(spec) !== undefined)
  return {
    ...(controller && { controller }),
    ...(speaker && { speaker }),
    mode: modeOf(speaker),
    ownConfigurations: own.map(({ name }) => name),
    otherConfigurations: configurations.filter(object => !own.includes(object)).map(({ name }) => name),
    lbClass: flagOf(speaker, 'lb-class') ?? flagOf(controller, 'lb-class') ?? '',
    gossipSecret: flagOf(controller, 'ml-secret-name') || controller?.env.get('METALLB_ML_SECRET_NAME') || 'memberlist',
    oldConfig: objects.some(
      ({ kind, name, data }) => kind === 'ConfigMap' && name === 'config' && data['config'] !== undefined,
    ),
    objects,
  }
}

const hostnameOf = (spec: Fields): string | undefined =>
  textOf(fieldsOf(fieldsOf(spec, 'nodeSelector'), 'matchLabels'), 'kubernetes.io/hostname')

function workloadsOf(object: RawObject): readonly Workload[] {
  const { kind, name, namespace, spec } = object
  const containers = listOf(fieldsOf(fieldsOf(spec, 'template'), 'spec'), 'containers')
  const main = containers.find(each => /^(?:speaker|controller)$|metallb/.test(textOf(each, 'name') ?? ''))
  if (!main) return []
  const image = textOf(main, 'image') ?? ''
  const [, version] = /:v?(\d+\.\d+(?:\.\d+)?)/.exec(image) ?? []
  return [
    {
      kind,
      name,
      namespace,
      image,
      ...(version !== undefined && { version }),
      args: textsOf(main, 'args'),
      env: new Map(listOf(main, 'env').map(entry => [textOf(entry, 'name') ?? '', textOf(entry, 'value') ?? ''])),
      containers: containers.map(each => textOf(each, 'name') ?? ''),
    },
  ]
}

/** Value of a flag of a workload, with one dash or two, in one word or two; `true` where it has none. */
export function flagOf(workload: Workload | undefined, name: string): string | undefined {
  const { args = [] } = workload ?? {}
  const at = args.findLastIndex(arg => new RegExp(`^--?${name}(?:=|$)`).test(arg))
  const [found, next] = at < 0 ? [] : args.slice(at, at + 2)
  if (found === undefined) return undefined
  if (found.includes('=')) return found.slice(found.indexOf('=') + 1)
  return next === undefined || next.startsWith('-') ? 'true' : next
}

function modeOf(speaker: Workload | undefined): BGPMode {
  const said = speaker?.env.get('METALLB_BGP_TYPE')
  if (said === 'frr' || said === 'frr-k8s') return said
  return speaker?.containers.includes('frr') ? 'frr' : 'native'
}

/** The `--election-level` that agrees with a MetalLB release; `undefined` when the release is unknown. */
export function electionLevelOf(version: string | undefined): '0.15' | '0.16' | 'main' | undefined {
  const [major, minor] = (version ?? '').split('.').map(Number)
  if (major === undefined || minor === undefined || Number.isNaN(minor)) return undefined
  if (major > 0 || minor > 16) return 'main'
  return minor === 16 ? '0.16' : '0.15'
}
