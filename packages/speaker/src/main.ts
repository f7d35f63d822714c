#!/usr/bin/env node
/** The process `typemetal-speaker`. */
import { Layer2 } from '@typemetal/arp-ndp'
import type { Layer2Options } from '@typemetal/arp-ndp'
import { BgpSpeaker } from '@typemetal/bgp'
import type { Node, OwnerReference, Store } from '@typemetal/cluster'
import {
  checkMetricsFlags,
  createLogger,
  createRegistry,
  lookupNamespace,
  runProcess,
  startEndpoints,
  StartupError,
} from '@typemetal/cluster/process'
import type { CreateEngine } from './announcer/engine.js'
import { LanSegment, addressesByNode } from './announcer/segment.js'
import { systemClock } from './clock.js'
import { UsageError, parseFlags } from './flags.js'
import type { Flags } from './flags.js'
import { PodDirectory } from './gossip/discovery.js'
import { Health } from './health.js'
import type { Logger } from './logger.js'
import { startPage } from './page/start.js'
import { Speaker, internalAddresses } from './speaker.js'
import { readExcludedInterfaces } from './startup/exclude-file.js'
import { startGossip } from './startup/gossip.js'
import { limitCollections } from './startup/heap-growth.js'
import { findOwnPod } from './startup/own-pod.js'
import { tellPrivileges } from './startup/privileges.js'
import { checkSource, createStore } from './startup/store.js'
import { packageVersion } from './version.js'

const NAME = 'typemetal-speaker'

async function main(flags: Flags, signal: AbortSignal): Promise<void> {
  limitCollections()
  const log = createLogger({ level: flags.logLevel })
  const { nodeName: node } = flags
  if (node === '')
    throw new StartupError('the name of this node is unknown: give --node-name, or set METALLB_NODE_NAME')
  checkSource(flags)
  checkMetricsFlags(flags, flags.configDir.length === 0)
  const namespace = lookupNamespace({ flag: flags.namespace, fallback: fallbackNamespace(flags) })
  log.info({ version: packageVersion(), node, namespace }, 'Typemetal speaker starting')
  for (const ignored of flags.ignored) log.warn({ op: 'flags' }, `ignored: ${ignored}`)
  await tellPrivileges(log)

  const excludeInterfaces = await readExcludedInterfaces(flags.excludeL2File)
  const registry = createRegistry()
  await using store = await createStore(flags, namespace, registry, log)
  let directory: PodDirectory | undefined
  const nodes = (): ReadonlyMap<string, Node> => store.snapshot().objects('Node')
  const peers = (): readonly string[] =>
    flags.mlJoin.length > 0
      ? flags.mlJoin
      : (directory?.addresses ?? internalAddresses(nodes(), node, flags.mlBindaddr))
  const segment = new LanSegment({ nodes: () => addressesByNode(nodes(), node) })
  await using ring = await startGossip(flags, peers, log, address => segment.reaches(address))

  let health: Health | undefined
  await using endpoints = await startEndpoints({
    registry,
    port: flags.port,
    healthProbePort: flags.healthProbePort,
    healthHost: '127.0.0.1',
    healthy: () => health?.healthy() ?? true,
    ready: () => health?.ready() ?? 'starting',
    flags,
    api: () => store.api,
    log,
  })
  log.debug({ op: 'start', ports: endpoints.ports }, 'serving metrics and probes')
  const ownerReference = await findOwner(flags, namespace, store, signal, log)
  if (signal.aborted) return
  using pods = ring && createDirectory(flags, namespace, store, log)
  directory = pods
  await Promise.race([directory?.start(), aborted(signal)])
  if (signal.aborted) return
  const speaker = new Speaker({
    node,
    namespace,
    store,
    ring,
    startLayer2: () => Layer2.start({ excludeInterfaces, log, ...layer2Options(flags) }),
    segment,
    createEngine,
    registry,
    ownerReference,
    log,
    lbClass: flags.lbClass,
    ignoreExcludeLb: flags.ignoreExcludeLb,
    electionLevel: flags.electionLevel,
    drainOn: flags.drainOn,
    drainExit: flags.drainExit,
    drain: {
      timeout: flags.drainTimeout,
      peerWait: flags.drainPeerWait,
      successorWait: flags.drainSuccessorWait,
    },
  })
  health = new Health({
    store,
    clock: systemClock,
    ready: () => speaker.ready(),
    passSince: () => speaker.passSince,
    probe: () => speaker.probe(),
  })
  using _ = health
  await using page = await startPage(speaker, flags, () => health?.ready() ?? 'starting', log)
  if (page) log.info({ op: 'start', url: page.url }, 'serving the status page')
  await speaker.run(signal)
}

/** Knows the Pods of the other speakers; `undefined` where there are none, or nobody says which they are. */
function createDirectory(flags: Flags, namespace: string, store: Store, log: Logger): PodDirectory | undefined {
  const { mlLabels: labels, mlJoin, mlBindaddr: bindAddress, nodeName: node } = flags
  if (!store.api || labels === '' || mlJoin.length > 0) return undefined
  return new PodDirectory({ api: store.api, namespace, labels, node, bindAddress, log })
}

/** What the flags say of layer 2, as its worker takes it. */
const layer2Options = ({ l2RefreshInterval, l2GratuitousRate, l2RaisePriority }: Flags): Layer2Options => ({
  gratuitousRate: l2GratuitousRate,
  raisePriority: l2RaisePriority,
  ...(l2RefreshInterval > 0 && { refreshInterval: l2RefreshInterval }),
})

/** Resolves when the signal aborts. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** The own Pod, once the API server has answered. @throws {StartupError} it cannot be had */
async function findOwner(
  { podName }: Flags,
  namespace: string,
  store: Store,
  signal: AbortSignal,
  log: Logger,
): Promise<OwnerReference | undefined> {
  if (!store.api) return undefined
  await Promise.race([store.start(), aborted(signal)])
  if (signal.aborted) return undefined
  if (podName !== '') return findOwnPod(store.api, namespace, podName)
  log.warn({ op: 'start' }, 'no --pod-name: statuses have no owner, and stay when this speaker is gone for good')
  return undefined
}

/** Outside Kubernetes nobody says where the objects live; this is where MetalLB's manifests put them. */
const fallbackNamespace = ({ configDir }: Flags): string | undefined =>
  configDir.length > 0 ? 'metallb-system' : undefined

const createEngine: CreateEngine = options => new BgpSpeaker(options)

try {
  const flags = parseFlags(process.argv.slice(2))
  await runProcess(signal => main(flags, signal), NAME)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  const stream = error.exitCode === 0 ? process.stdout : process.stderr
  stream.write(`${error.message}\n`)
  process.exitCode = error.exitCode
}
