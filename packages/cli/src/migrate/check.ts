/** Can this MetalLB install be replaced as it stands, and how? Pure. */
import { formatConfigError } from '@typemetal/cluster'
import type { Snapshot } from '@typemetal/cluster'
import { peerLimits, plan } from '@typemetal/speaker'
import type { Cluster } from '../source/cluster.js'
import { electionLevelOf, flagOf, type Install } from './install.js'
import { migrationSteps } from './steps.js'

/** One thing that was looked at. `blocker`: must be dealt with first; `change`: behaves otherwise afterwards. */
export interface Finding {
  readonly verdict: 'good' | 'change' | 'blocker'
  /** Object or part that it is about. */
  readonly subject: string
  readonly text: string
}

/** What was found, and what to do, in order. */
export interface Migration {
  readonly findings: readonly Finding[]
  readonly steps: readonly string[]
}

const good = (subject: string, text: string): Finding => ({ verdict: 'good', subject, text })
const change = (subject: string, text: string): Finding => ({ verdict: 'change', subject, text })
const blocker = (subject: string, text: string): Finding => ({ verdict: 'blocker', subject, text })

/** Looks at everything. @param namespace MetalLB's */
export function checkInstall(install: Install, cluster: Cluster, namespace: string): Migration {
  const nodes = [...cluster.snapshot.objects('Node').keys()].toSorted()
  const findings = [
    ...versionFindings(install),
    ...modeFindings(install),
    ...configurationFindings(install, cluster),
    ...featureFindings(cluster),
    ...secretFindings(cluster.snapshot, namespace, install.gossipSecret),
    ...flagFindings(install),
  ]
  return { findings, steps: migrationSteps(install, nodes, namespace) }
}

function versionFindings({ controller, speaker }: Install): readonly Finding[] {
  const found = [
    ...(controller
      ? [good(`Deployment ${controller.name}`, `runs ${controller.image}`)]
      : [blocker('controller', 'no Deployment of MetalLB was found: is it in another namespace (--namespace)?')]),
    ...(speaker
      ? [good(`DaemonSet ${speaker.name}`, `runs ${speaker.image}`)]
      : [blocker('speaker', 'no DaemonSet of MetalLB was found: is it in another namespace (--namespace)?')]),
  ]
  const version = speaker?.version
  const level = electionLevelOf(version)
  if (!speaker) return found
  if (level === undefined)
    return [
      ...found,
      change(
        'election',
        'the version is not in the image’s tag: start our speakers with the --election-level of its release while both run',
      ),
    ]
  const [, minor = 0] = (version ?? '').split('.').map(Number)
  const old = level !== 'main' && minor < 14
  return [
    ...found,
    level === 'main'
      ? good('election', `MetalLB ${version} elects as our speakers do by default`)
      : change(
          'election',
          `while both run start our speakers with --election-level ${level}, as MetalLB ${version} elects`,
        ),
    ...(old
      ? [
          blocker(
            'gossip',
            `MetalLB ${version} has a gossip key of another length than those since 0.14: update MetalLB first, so that both are in one ring`,
          ),
        ]
      : []),
    ...(minor < 13
      ? [
          blocker(
            'configuration',
            `MetalLB ${version} is configured by a ConfigMap: convert it first (typemetal migrate convert)`,
          ),
        ]
      : []),
  ]
}

function modeFindings({ speaker, mode, ownConfigurations, otherConfigurations }: Install): readonly Finding[] {
  const found: Finding[] = []
  if (speaker)
    found.push(
      mode === 'native'
        ? good('BGP', 'mode native: one process speaks BGP, as ours does')
        : change(
            'BGP',
            `mode ${mode}: our speaker needs no FRR; sessions of a node go down and come up once, when it is moved`,
          ),
    )
  if (mode === 'frr-k8s')
    found.push(
      change(
        'FRRConfigurations',
        `${ownConfigurations.length} are MetalLB's own: delete each after its node was moved, or FRR keeps the sessions`,
      ),
    )
  if (otherConfigurations.length > 0) {
    found.push(
      blocker(
        'FRRConfigurations',
        `${otherConfigurations.join(', ')} are not MetalLB's: raw FRR configuration, received routes and peers in them have no equal here; keep frr-k8s for them, with other peers than ours`,
      ),
    )
  }
  return found
}

function configurationFindings({ oldConfig }: Install, { snapshot, result }: Cluster): readonly Finding[] {
  const counts = (
    ['IPAddressPool', 'L2Advertisement', 'BGPAdvertisement', 'BGPPeer', 'BFDProfile', 'Community'] as const
  )
    .map(kind => `${snapshot.objects(kind).size} ${kind}`)
    .join(', ')
  return [
    ...(oldConfig
      ? [
          change(
            'ConfigMap config',
            'is of before 0.13 and read by nobody any more: convert it (typemetal migrate convert) or delete it',
          ),
        ]
      : []),
    result.config
      ? good('configuration', `is taken as it is: ${counts}`)
      : blocker('configuration', 'would not be taken'),
    ...(result.errors ?? []).map(error => blocker('configuration', formatConfigError(error))),
  ]
}

/** What peers ask for and our speaker has not; once for each peer. */
function featureFindings({ snapshot, result: { config } }: Cluster): readonly Finding[] {
  if (!config) return []
  const found = new Map<string, Finding>()
  for (const name of snapshot.objects('Node').keys()) {
    for (const session of plan(snapshot, config, name, undefined).sessions.values()) {
      for (const { field, reason, notOpened } of peerLimits(session)) {
        found.set(
          `${session.name} ${field}`,
          (notOpened ? blocker : change)(`BGPPeer ${session.name}`, `${field}: ${reason}`),
        )
      }
    }
  }
  return [...found.values()]
}

function secretFindings(snapshot: Snapshot, namespace: string, gossip: string): readonly Finding[] {
  const wanted = [...snapshot.objects('BGPPeer').values()].flatMap(({ spec }) => spec.passwordSecret?.name ?? [])
  const missing = wanted.filter(name => name !== '' && !snapshot.objects('Secret').has(`${namespace}/${name}`))
  return [
    ...[...new Set(missing)].map(name =>
      blocker(`Secret ${namespace}/${name}`, 'is named by a BGPPeer and is not there'),
    ),
    ...(wanted.length > 0 && missing.length === 0 ? [good('Secrets', 'the passwords of all peers are there')] : []),
    snapshot.objects('Secret').has(`${namespace}/${gossip}`)
      ? good(`Secret ${namespace}/${gossip}`, 'is the key of the gossip ring; our speakers join with the same')
      : change(
          `Secret ${namespace}/${gossip}`,
          'is not there, or cannot be read: without it the speakers of both kinds form no common ring',
        ),
  ]
}

function flagFindings(install: Install): readonly Finding[] {
  const { speaker, lbClass } = install
  const found: Finding[] = []
  if (lbClass !== '') found.push(good('--lb-class', `${lbClass}: give the same to our processes`))
  if (flagOf(speaker, 'ignore-exclude-lb')) found.push(good('--ignore-exclude-lb', 'give it to our speakers, too'))
  if (!speaker) return found
  const port = flagOf(speaker, 'port')
  if (port !== '7472')
    found.push(
      change(
        'metrics',
        `are on port ${port ?? '9120'}, with TLS and a token since 0.16; ours are on 7472 without, unless --port, TLS flags and --metrics-auth say otherwise`,
      ),
    )
  if (speaker.env.get('METALLB_ML_BIND_ADDR') === undefined)
    found.push(
      change(
        'gossip',
        'METALLB_ML_BIND_ADDR is not set by a plain value: give our speakers the address of the Pod, as MetalLB has it',
      ),
    )
  return found
}
