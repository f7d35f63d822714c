import { isIP } from 'node:net'
import { parseDuration } from '@typemetal/cluster'
import type { MetricsFlags } from '@typemetal/cluster/process'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Milliseconds } from './node/clock.js'
import { packageVersion } from './version.js'

/** What the command line says. */
export interface Flags extends MetricsFlags {
  /** Metrics; 0 = off. */
  readonly port: number
  /** Health and readiness; 0 = off. */
  readonly healthProbePort: number
  /** Status page; 0 = off. */
  readonly statusPort: number
  /** IP address of the status page. */
  readonly statusAddress: string
  readonly namespace?: string
  readonly logLevel: string
  readonly lbClass: string
  /** Folders of manifests. */
  readonly configDir: readonly string[]
  readonly kubeconfig?: string
  readonly webhookMode: 'enabled' | 'disabled' | 'onlywebhook'
  readonly webhookPort: number
  /** The webhooks speak HTTP/2 too. */
  readonly webhookHttp2: boolean
  /** Secret of the webhooks' certificates. */
  readonly webhookSecret: string
  /** Service by which the API server calls the webhooks. */
  readonly certServiceName: string
  /** Where others put the certificates, as `tls.crt` and `tls.key`. */
  readonly certDir: string
  /** The certificates are not ours to make. */
  readonly disableCertRotation: boolean
  /** Secret to make for the gossip of the speakers; empty: none. */
  readonly mlSecretName: string
  /** Deployment that owns that Secret. */
  readonly deployment: string
  /** Whether several controllers may run, of which one leads. */
  readonly leaderElect: boolean
  /** Name of the Lease. */
  readonly leaderElectResourceName: string
  readonly leaderElectLeaseDuration: Milliseconds
  readonly leaderElectRenewDeadline: Milliseconds
  readonly leaderElectRetryPeriod: Milliseconds
  /** Flags of MetalLB's controller that were given and do nothing here yet. */
  readonly ineffective: readonly string[]
}

/** The command line cannot be understood, or only asks for help; the message is what to print. */
export class UsageError extends Error {
  /** 0 for help, 2 for a wrong flag, as Go programs do. */
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Taken so that MetalLB's manifests start this program too; each will get its meaning with the feature it belongs to. */
const INEFFECTIVE: readonly (readonly [flag: string, description: string])[] = [
  ['--pod-name <name>', 'own Pod'],
  ['--pprof-bind-address <address>', 'profiling endpoint'],
]

/** What commander makes of the options; keys are the flags in camelCase. */
interface RawOptions extends Omit<Flags, 'ineffective'> {
  readonly [flag: string]: unknown
}

/**
 * Reads the command line. Flags may be written with one dash or two, as Go programs allow.
 *
 * @param argv without the interpreter and the script
 * @throws {UsageError} unknown flag or bad value (exit code 2), `--help` (0)
 */
export function parseFlags(argv: readonly string[]): Flags {
  const printed: string[] = []
  const command = buildCommand(text => printed.push(text))
  try {
    command.parse(argv.map(withTwoDashes), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    throw new UsageError(printed.join('').trimEnd() || error.message, error.exitCode === 0 ? 0 : 2)
  }
  const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli')
  const ineffective = new Set(INEFFECTIVE.map(([flag]) => longName(flag)))
  return {
    ...command.opts<RawOptions>(),
    ineffective: given.map(({ long }) => long ?? '').filter(long => ineffective.has(long)),
  }
}

function buildCommand(print: (text: string) => void): Command {
  const command = new Command('typemetal-controller')
    .description('Gives Services of type LoadBalancer their addresses.')
    .option(
      '--config-dir <dir>',
      'folder of manifests to work on instead of the Kubernetes API; may be repeated',
      collect,
      [],
    )
    .option(
      '--kubeconfig <file>',
      'Kubernetes API to work on (default: as kubectl finds it, else the cluster this runs in)',
    )
    .option('--namespace <name>', 'where metallb.io objects live (default: $METALLB_NAMESPACE, then the Pod’s own)')
    .option(
      '--lb-class <list>',
      'loadBalancerClass values to serve, separated by commas (default: Services without one)',
      '',
    )
    .option(
      '--leader-elect [bool]',
      'be one of several controllers, of which one leads; on the API only',
      parseBoolean,
      true,
    )
    .option('--leader-elect-resource-name <name>', 'Lease by which they elect', 'typemetal-controller')
    .addOption(time('--leader-elect-lease-duration', 'how long a silent leader is respected', 15))
    .addOption(time('--leader-elect-renew-deadline', 'how long a leader goes on without the API', 10))
    .addOption(time('--leader-elect-retry-period', 'how often the leader renews and the others look', 2))
    .option('--port <port>', 'metrics; 0 = off', parsePort, 7472)
    .option('--health-probe-port <port>', '/healthz and /readyz; 0 = off', parsePort, 17472)
    .option('--status-port <port>', 'port of a read-only status page, 0 = off', parsePort, 0)
    .option(
      '--status-address <address>',
      'address of the status page; others than 127.0.0.1 are open to all who reach the Pod',
      parseAddress,
      '127.0.0.1',
    )
    .option('--log-level <level>', 'all, debug, info, warn, error or none', 'info')
    .addOption(
      new Option('--webhook-mode <mode>', 'onlywebhook gives no addresses')
        .choices(['enabled', 'disabled', 'onlywebhook'])
        .default('enabled'),
    )
    .option('--tls-min-version <version>', 'of webhooks and metrics: VersionTLS12 or VersionTLS13 (the default)', '')
    .option('--tls-cipher-suites <list>', 'of webhooks and metrics, with TLS 1.2: IANA names', '')
    .option('--tls-curve-preferences <list>', 'of webhooks and metrics: IANA numbers', '')
    .option('--metrics-cert-dir <dir>', 'metrics over TLS, with tls.crt and tls.key of this folder', '')
    .option(
      '--metrics-auth [bool]',
      'metrics for those only whom the API server lets get /metrics',
      parseBoolean,
      false,
    )
    .option('--webhook-port <port>', 'where the API server asks about metallb.io objects', parsePort, 9443)
    .option('--webhook-http2 [bool]', 'webhooks over HTTP/2 too', parseBoolean, false)
    .option('--webhook-secret <name>', 'Secret of the webhooks’ certificates', 'metallb-webhook-cert')
    .option('--cert-service-name <name>', 'Service that the API server calls', 'metallb-webhook-service')
    .option('--disable-cert-rotation [bool]', 'others make the certificates, in --cert-dir', parseBoolean, false)
    .option('--cert-dir <dir>', 'with tls.crt and tls.key', '/tmp/k8s-webhook-server/serving-certs')
    .addOption(
      new Option('--ml-secret-name <name>', 'Secret to make for the speakers’ gossip; none when empty')
        .env('METALLB_ML_SECRET_NAME')
        .default(''),
    )
    .addOption(new Option('--deployment <name>', 'owner of that Secret').env('METALLB_DEPLOYMENT').default(''))
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .showHelpAfterError()
    .configureOutput({ writeOut: print, writeErr: print })
    .exitOverride()
  for (const [flag, description] of INEFFECTIVE) command.option(flag, `${description} (no effect yet)`)
  return command
}

/** `-port=1` → `--port=1`. */
const withTwoDashes = (argument: string): string => (/^-[a-z][a-z0-9-]/.test(argument) ? `-${argument}` : argument)

const longName = (flag: string): string => flag.split(' ')[0] ?? flag

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** `--flag`, `--flag=true` and so on, as Go programs take them. */
function parseBoolean(text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false
  throw new InvalidArgumentError('It must be true or false.')
}

/** @param seconds of the default */
const time = (flag: string, description: string, seconds: number): Option =>
  new Option(`${flag} <time>`, description).argParser(parseTime).default(seconds * 1000, `${seconds}s`)

function parseTime(text: string): Milliseconds {
  const seconds = parseDuration(text)
  if (seconds !== undefined && seconds > 0) return seconds * 1000
  throw new InvalidArgumentError('It must be a time such as 15s.')
}

function parseAddress(text: string): string {
  if (isIP(text) !== 0) return text
  throw new InvalidArgumentError('It must be an IP address.')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port
  throw new InvalidArgumentError('It must be a port number, 0 to 65535.')
}
