#!/usr/bin/env node
/** The process `typemetal-speaker`. */
import { Layer2 } from '@typemetal/arp-ndp'
import { BgpSpeaker } from '@typemetal/bgp'
import type { OwnerReference, Store } from '@typemetal/cluster'
import {
  checkMetricsFlags,
  createLogger,
  lookupNamespace,
  runProcess,
  startEndpoints,
  StartupError,
} from '@typemetal/cluster/process'
import { Registry, collectDefaultMetrics } from 'prom-client'
import type { CreateEngine } from './announcer/engine.js'
import { systemClock } from './clock.js'
import { UsageError, parseFlags } from './flags.js'
import type { Flags } from './flags.js'
import { Health } from './health.js'
import type { Logger } from './logger.js'
import { Speaker, internalAddresses } from './speaker.js'
import { readExcludedInterfaces } from './startup/exclude-file.js'
import { startGossip } from './startup/gossip.js'
import { findOwnPod } from './startup/own-pod.js'
import { checkSource, createStore } from './startup/store.js'
import { packageVersion } from './version.js'

const NAME = 'typemetal-speaker'

async function main(flags: Flags, signal: AbortSignal): Promise<void> {
  const log = createLogger({ level: flags.logLevel })
  const { nodeName: node } = flags
  if (node === '')
    throw new StartupError('the name of this node is unknown: give --node-name, or set METALLB_NODE_NAME')
  checkSource(flags)
  checkMetricsFlags(flags, flags.configDir.length === 0)
  const namespace = lookupNamespace({ flag: flags.namespace, fallback: fallbackNamespace(flags) })
  log.info({ version: packageVersion(), node, namespace }, 'Typemetal speaker starting')
  for (const ignored of flags.ignored) log.warn({ op: 'flags' }, `ignored: ${ignored}`)

  const excludeInterfaces = await readExcludedInterfaces(flags.excludeL2File)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  await using store = await createStore(flags, namespace, registry, log)
  const peers = (): readonly string[] =>
    flags.mlJoin.length > 0 ? flags.mlJoin : internalAddresses(store.snapshot().objects('Node'), node, flags.mlBindaddr)
  await using ring = await startGossip(flags, peers, log)

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
  const speaker = new Speaker({
    node,
    namespace,
    store,
    ring,
    startLayer2: () => Layer2.start({ excludeInterfaces, log }),
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
  await speaker.run(signal)
}

/** The own Pod, once the API server has answered. @throws {StartupError} it cannot be had */
async function findOwner(
  { podName }: Flags,
  namespace: string,
  store: Store,
  signal: AbortSignal,
  log: Logger,
): Promise<OwnerReference | undefined> {
  if (!store.api) return undefined
  const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([store.start(), aborted])
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
