#!/usr/bin/env node
/** The process `typemetal-controller`. */
import { type ApiClient, type Kind, openStore, type Service } from '@typemetal/cluster'
import {
  checkMetricsFlags,
  createClientMetrics,
  createLogger,
  createRegistry,
  type Logger,
  lookupNamespace,
  registerGuideAliases,
  runProcess,
  startEndpoints,
  StartupError,
} from '@typemetal/cluster/process'
import { parseTlsOptions } from '@typemetal/cluster/tls'
import { type Flags, parseFlags, UsageError } from './flags.js'
import { Candidacy, type CandidacyOptions } from './node/candidacy.js'
import { Controller } from './node/controller.js'
import { createMemberlistSecret } from './node/memberlist-secret.js'
import { startWebhooks, type Webhooks, type WebhooksOptions } from './node/webhooks.js'
import { startPage } from './page/start.js'
import { packageVersion } from './version.js'

const NAME = 'typemetal-controller'
/** Where MetalLB's manifests put everything; beside a folder of manifests nobody says otherwise. */
const USUAL_NAMESPACE = 'metallb-system'

/** All that the controller looks at; on an API server it needs no rights to anything else. */
const KINDS: readonly Kind[] = ['Service', 'Namespace', 'IPAddressPool', 'Community', 'ConfigurationState']

async function main(flags: Flags, signal: AbortSignal): Promise<void> {
  checkFlags(flags)
  const log = createLogger({ level: flags.logLevel })
  const fallback = flags.configDir.length > 0 ? USUAL_NAMESPACE : undefined
  const namespace = lookupNamespace({ flag: flags.namespace, fallback })
  log.info({ version: packageVersion(), namespace }, 'Typemetal controller starting')
  warnOfFlags(flags, log)
  const source = {
    directories: flags.configDir,
    ...(flags.kubeconfig !== undefined && { kubeconfig: flags.kubeconfig }),
  }
  const registry = createRegistry()
  const metrics = createClientMetrics(registry)
  await using store = await openStore({ ...source, component: 'controller', namespace, kinds: KINDS, metrics, log })
  const { lbClass } = flags
  const controller = new Controller({ store, options: { namespace, lbClass }, log, registry })
  registerGuideAliases(registry)
  const candidacy = new Candidacy({ ...electionFlags(flags), namespace, log, registry })
  const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  let webhooks: Webhooks | undefined
  const ready = (): true | string => {
    if (webhooks && webhooks.ready !== true) return webhooks.ready
    return flags.webhookMode === 'onlywebhook' || candidacy.standby || controller.ready
  }
  const { port, healthProbePort } = flags
  const api = (): ApiClient | undefined => store.api
  const services = (): Iterable<Service> => store.snapshot().objects('Service').values()
  await using endpoints = await startEndpoints({ registry, port, healthProbePort, ready, flags, api, log })
  log.debug({ op: 'start', ports: endpoints.ports }, 'serving metrics and probes')
  await using page = await startPage(flags, { namespace, ready, store, controller, candidacy, log })
  if (page) log.info({ op: 'start', url: page.url }, 'serving the status page')
  if (store.api) await Promise.race([store.start(), aborted])
  if (signal.aborted) return
  if (store.api && flags.mlSecretName !== '') {
    const { mlSecretName: name, deployment } = flags
    await createMemberlistSecret({ api: store.api, namespace, name, deployment, log })
  }
  webhooks =
    store.api && flags.webhookMode !== 'disabled'
      ? await startWebhooks({ ...webhookFlags(flags), api: store.api, services, namespace, registry, log })
      : undefined
  await using _ = webhooks
  if (flags.webhookMode === 'onlywebhook') await aborted
  else await candidacy.run(store, signal, (signal, mayWrite) => controller.run(signal, mayWrite))
  log.info({ op: 'shutdown' }, 'Typemetal controller stopped')
}

const electionFlags = (flags: Flags): Pick<CandidacyOptions, 'enabled' | 'name' | 'times'> => ({
  enabled: flags.leaderElect,
  name: flags.leaderElectResourceName,
  times: {
    leaseDuration: flags.leaderElectLeaseDuration,
    renewDeadline: flags.leaderElectRenewDeadline,
    retryPeriod: flags.leaderElectRetryPeriod,
  },
})

const webhookFlags = (
  flags: Flags,
): Pick<WebhooksOptions, 'port' | 'tls' | 'http2' | 'secretName' | 'serviceName' | 'certDir'> => ({
  port: flags.webhookPort,
  http2: flags.webhookHttp2,
  tls: parseTlsOptions({
    minVersion: flags.tlsMinVersion,
    cipherSuites: flags.tlsCipherSuites,
    curvePreferences: flags.tlsCurvePreferences,
  }),
  ...(!flags.disableCertRotation && { secretName: flags.webhookSecret }),
  serviceName: flags.certServiceName,
  certDir: flags.certDir,
})

/** @throws {StartupError} the flags ask for what this version cannot do */
function checkFlags(flags: Flags): void {
  const { configDir, kubeconfig, webhookMode } = flags
  if (configDir.length > 0 && kubeconfig !== undefined) {
    throw new StartupError('--config-dir and --kubeconfig exclude each other: give one of them')
  }
  if (webhookMode === 'onlywebhook' && configDir.length > 0) {
    throw new StartupError('--webhook-mode=onlywebhook leaves nothing to do: with --config-dir there are no webhooks')
  }
  checkMetricsFlags(flags, configDir.length === 0)
}

function warnOfFlags({ ineffective }: Flags, log: Logger): void {
  if (ineffective.length === 0) return
  log.warn({ op: 'flags', flags: ineffective }, 'these flags have no effect in this version')
}

try {
  const flags = parseFlags(process.argv.slice(2))
  await runProcess(signal => main(flags, signal), NAME)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  const stream = error.exitCode === 0 ? process.stdout : process.stderr
  stream.write(`${error.message}\n`)
  process.exitCode = error.exitCode
}
