/** What a Node object says about losing its traffic. */
import type { Node } from '@typemetal/cluster'
import { DRAIN_CAUSES } from './types.js'
import type { DrainCause } from './types.js'

/** Set by an operator on a node that is dead, so that its volumes and pods are freed. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
/** Set by a cloud's node controller when the machine is being turned off. */
const SHUTDOWN = 'node.cloudprovider.kubernetes.io/shutdown'
/** Set by cluster-autoscaler and Karpenter before they remove a node. */
const DISRUPTION: readonly string[] = [
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
  'karpenter.sh/disruption',
]
/** How the kubelet's graceful node shutdown explains that the node is not Ready. */
const SHUTTING_DOWN = 'node is shutting down'

/** Why the node is about to lose its traffic, the most final cause first; `undefined`: it is not. A Node that is gone says nothing. */
export function drainCauseOf(node: Node | undefined, enabled: ReadonlySet<DrainCause>): DrainCause | undefined {
  return node && DRAIN_CAUSES.find(cause => enabled.has(cause) && TESTS[cause](node))
}

/** Whether the node is about to go away for whatever reason: then nothing must wait for the process to come back. */
export const isLeaving = (node: Node | undefined): boolean => drainCauseOf(node, ALL) !== undefined

/** Whether a node can be counted on to announce, where only its object tells: it is Ready, if that is known, and not drained itself. */
export function isServing(node: Node, drainOn: ReadonlySet<DrainCause>): boolean {
  const ready = (node.status?.conditions ?? []).find(({ type }) => type === 'Ready')
  return (ready === undefined || ready.status === 'True') && drainCauseOf(node, drainOn) === undefined
}

/**
 * Names of the nodes that can be counted on to announce, where only their objects tell; the own one is for the caller to leave out.
 * @param hosts addresses at which speakers run; nodes at no such address have none. Where no node is at any of them, they are named
 * in another way, and say nothing
 */
export function servingNodes(
  nodes: ReadonlyMap<string, Node>,
  drainOn: ReadonlySet<DrainCause>,
  hosts: readonly string[] | undefined,
): readonly string[] {
  const serving = [...nodes].filter(([, node]) => isServing(node, drainOn)).map(([name]) => name)
  if (!hosts) return serving
  const known = new Set(hosts)
  const isHost = ({ status }: Node): boolean => (status?.addresses ?? []).some(({ address }) => known.has(address))
  const speakers = new Set([...nodes].filter(([, node]) => isHost(node)).map(([name]) => name))
  return hosts.length > 0 && speakers.size === 0 ? serving : serving.filter(name => speakers.has(name))
}

/**
 * Reads the value of `--drain-on`: causes separated by commas. `drain` stands for `cordon,disruption`, `all` for every one.
 * @throws {RangeError} a word that is none of these
 */
export function parseDrainCauses(text: string): ReadonlySet<DrainCause> {
  const words = text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '' && word !== 'none')
  return new Set(words.flatMap(causesNamed))
}

const ALL: ReadonlySet<DrainCause> = new Set(DRAIN_CAUSES)

const TESTS: Readonly<Record<DrainCause, (node: Node) => boolean>> = {
  cordon: ({ spec }) => spec?.unschedulable === true,
  disruption: node => DISRUPTION.some(key => hasTaint(node, key)),
  'out-of-service': node => hasTaint(node, OUT_OF_SERVICE),
  shutdown: node => hasTaint(node, SHUTDOWN) || isShuttingDown(node),
}

const hasTaint = ({ spec }: Node, key: string): boolean => (spec?.taints ?? []).some(taint => taint.key === key)

function isShuttingDown({ status }: Node): boolean {
  const conditions: readonly { readonly type: string; readonly status: string; readonly message?: string }[] =
    status?.conditions ?? []
  return conditions.some(c => c.type === 'Ready' && c.status !== 'True' && c.message === SHUTTING_DOWN)
}

function causesNamed(word: string): readonly DrainCause[] {
  if (word === 'all') return DRAIN_CAUSES
  if (word === 'drain') return ['cordon', 'disruption']
  const cause = DRAIN_CAUSES.find(cause => cause === word)
  if (cause) return [cause]
  throw new RangeError(`"${word}" is none of ${DRAIN_CAUSES.join(', ')}, drain, all, none`)
}
