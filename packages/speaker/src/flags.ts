/** The command line of `typemetal-speaker`. */
import { isIP } from 'node:net'
import type { MetricsFlags } from '@typemetal/cluster/process'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { parseDrainCauses } from './drain/node.js'
import { DRAIN_DEFAULTS } from './drain/types.js'
import type { DrainCause } from './drain/types.js'
import { ELECTION_LEVELS } from './election.js'
import type { ElectionLevel } from './election.js'
import { parseGoDuration } from './gossip/config-file.js'
import { GOSSIP_PRESETS } from './gossip/presets.js'
import type { GossipPreset } from './gossip/presets.js'
import { packageVersion } from './version.js'

/** Every flag with its default in place; texts are empty when not given. */
export interface Flags extends MetricsFlags {
  readonly namespace: string
  readonly nodeName: string
  /** The Pod that this process runs in, which owns its statuses. */
  readonly podName: string
  /** Metrics port; 0 = off. */
  readonly port: number
  /** Probes on 127.0.0.1; 0 = off. */
  readonly healthProbePort: number
  /** Status page; 0 = off. */
  readonly statusPort: number
  /** IP address of the status page. */
  readonly statusAddress: string
  readonly logLevel: string
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  readonly electionLevel: ElectionLevel
  readonly configDir: readonly string[]
  readonly kubeconfig: string
  readonly excludeL2File: string
  readonly mlBindaddr: string
  readonly mlBindport: number
  readonly mlSecretKeyPath: string
  readonly mlWanConfig: boolean
  /** How fast gossip is; `undefined` when not given. */
  readonly mlPreset: GossipPreset | undefined
  /** Selects the Pods of all speakers. */
  readonly mlLabels: string
  readonly mlConfigFile: string
  readonly mlJoin: readonly string[]
  /** Milliseconds between two announcements of each layer-2 address; 0 = only when something changes. */
  readonly l2RefreshInterval: number
  /** Unsolicited layer-2 frames a second, on each interface and for each protocol. */
  readonly l2GratuitousRate: number
  /** Whether the layer-2 worker asks the system for precedence. */
  readonly l2RaisePriority: boolean
  /** What makes the node lose its traffic while the process stays. */
  readonly drainOn: ReadonlySet<DrainCause>
  /** What a signal means for peers with graceful restart. */
  readonly drainExit: 'auto' | 'handover' | 'restart'
  /** Milliseconds, as all of these. */
  readonly drainTimeout: number
  readonly drainPeerWait: number
  readonly drainSuccessorWait: number
  /** Flags of MetalLB that were given and mean nothing here, with the reason. */
  readonly ignored: readonly string[]
}

/** Ways to end after reading the command line, as exit code and text. */
export class UsageError extends Error {
  constructor(
    message: string,
    /** 0 for help and version, 2 for a wrong flag, as Go programs do. */
    readonly exitCode: number,
  ) {
    super(message)
  }
}

/** MetalLB's flags that are taken, so that its manifests start, and do nothing. */
const IGNORED: Readonly<Record<string, string>> = {
  host: 'was never used',
  pprofBindAddress: 'Node.js has no pprof; use --cpu-prof or --inspect',
  bgpDebounceTimeout: 'updates are sent at once',
  frrk8sNamespace: 'no FRR is needed',
  frrk8sSecretPassthrough: 'no FRR is needed',
}

/** The same of environment variables. */
const IGNORED_VARIABLES: Readonly<Record<string, string>> = {
  FRR_CONFIG_FILE: 'no FRR is needed',
  FRR_RELOADER_PID_FILE: 'no FRR is needed',
  FRR_LOGGING_LEVEL: 'no FRR is needed; --log-level is for everything',
}
const BGP_TYPE = 'METALLB_BGP_TYPE'
const BGP_TYPES: readonly string[] = ['native', 'frr', 'frr-k8s']

/**
 * Reads the command line; environment variables give defaults. One or two dashes, `--flag value` or `--flag=value`.
 * @param argv without the program's name
 * @throws {UsageError} unknown flag or unusable value; also for `--help`
 */
export function parseFlags(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Flags {
  const text: string[] = []
  try {
    const command = createCommand(env, line => text.push(line))
    command.parse(normalise(argv, command), { from: 'user' })
    return toFlags(command, env)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    throw new UsageError(text.join('').trimEnd() || error.message, error.exitCode === 0 ? 0 : 2)
  }
}

function toFlags(command: Command, env: NodeJS.ProcessEnv): Flags {
  const options = command.opts<Flags & Record<string, unknown>>()
  const flags = Object.entries(IGNORED).filter(([name]) => Boolean(options[name]))
  const variables = Object.entries(IGNORED_VARIABLES).filter(([name]) => Boolean(env[name]))
  const ignored = [
    ...flags.map(([name, why]) => `${flagName(name)}: ${why}`),
    ...variables.map(([name, why]) => `${name}: ${why}`),
    ...bgpType(env[BGP_TYPE]),
  ]
  return { ...options, ignored }
}

/** MetalLB's modes are all one here. @throws {UsageError} there is no such mode */
function bgpType(given: string | undefined): readonly string[] {
  if (!given || given === 'native') return []
  if (!BGP_TYPES.includes(given)) {
    throw new UsageError(`${BGP_TYPE} is "${given}", which is none of ${BGP_TYPES.join(', ')}`, 2)
  }
  return [`${BGP_TYPE}=${given}: the one BGP engine here does what FRR does there`]
}

const flagName = (camelCase: string): string =>
  `--${camelCase.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`

function createCommand(env: NodeJS.ProcessEnv, write: (line: string) => void): Command {
  const command = new Command('typemetal-speaker')
    .version(packageVersion(), '--version', 'print the version')
    .description('Announces the addresses of LoadBalancer Services from this node, by ARP, NDP and BGP.')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write })
    .showHelpAfterError()
    .allowExcessArguments(false)
  const add: Add = (flags, description, fallback) => {
    const option = new Option(flags, description).default(fallback)
    command.addOption(option)
    return option
  }
  addGeneral(add, env)
  addGossip(add, env)
  addLayer2(add)
  addDrain(add)
  addIgnored(add, env)
  return command
}

type Add = (flags: string, description: string, fallback: unknown) => Option

function addGeneral(add: Add, env: NodeJS.ProcessEnv): void {
  add('--namespace <name>', 'namespace of the metallb.io resources', env['METALLB_NAMESPACE'] ?? '')
  add('--node-name <name>', 'name of this node in Kubernetes', env['METALLB_NODE_NAME'] ?? '')
  add('--pod-name <name>', 'own Pod, with which the statuses go', env['METALLB_POD_NAME'] ?? '')
  add('--config-dir <dir>', 'take the cluster from a folder of manifests; repeatable', []).argParser(append)
  add(
    '--kubeconfig <file>',
    'take the cluster from the API server that this file names; default: as kubectl, else the pod',
    '',
  )
  add('--port <port>', 'metrics port, 0 = off', 7472).argParser(port)
  add('--health-probe-port <port>', 'port of /healthz and /readyz on 127.0.0.1, 0 = off', 17472).argParser(port)
  add('--status-port <port>', 'port of a read-only status page, 0 = off', 0).argParser(port)
  add(
    '--status-address <address>',
    'address of the status page; the Pod has the network of its node: 127.0.0.1 is for who is on it, others for all who reach it',
    '127.0.0.1',
  ).argParser(ipAddress)
  add('--tls-min-version <version>', 'of the metrics: VersionTLS12 or VersionTLS13 (the default)', '')
  add('--tls-cipher-suites <list>', 'of the metrics, with TLS 1.2: IANA names', '')
  add('--tls-curve-preferences <list>', 'of the metrics: IANA numbers', '')
  add('--metrics-cert-dir <dir>', 'metrics over TLS, with tls.crt and tls.key of this folder', '')
  add('--metrics-auth', 'metrics for those only whom the API server lets get /metrics', false)
  add('--log-level <level>', 'all, debug, info, warn, error or none', 'info').choices(LOG_LEVELS)
  add('--lb-class <class>', 'handle only Services of this loadBalancerClass', '')
  add('--ignore-exclude-lb', 'announce from nodes labelled exclude-from-external-load-balancers too', false)
  add('--election-level <level>', 'follow the election rules of this MetalLB release', 'main').choices(ELECTION_LEVELS)
  add('--exclude-l2-file <file>', 'interfaces that layer 2 leaves alone', '/etc/metallb/excludel2.yaml')
}

function addGossip(add: Add, env: NodeJS.ProcessEnv): void {
  const bindPort = env['METALLB_ML_BIND_PORT']
  add('--ml-bindaddr <address>', 'gossip on this address; empty = no gossip', env['METALLB_ML_BIND_ADDR'] ?? '')
  add(
    '--ml-bindport <port>',
    'gossip port, the same on all nodes',
    bindPort ? fromEnv('METALLB_ML_BIND_PORT', bindPort, port) : 7946,
  ).argParser(port)
  add('--ml-secret-key-path <dir>', 'folder with the file secretkey', env['METALLB_ML_SECRET_KEY_PATH'] ?? '')
  add('--ml-labels <selector>', 'Pods of all speakers, which are joined', env['METALLB_ML_LABELS'] ?? '')
  add('--ml-wan-config', 'slower gossip for distant nodes: --ml-preset wan', false)
  add('--ml-preset <preset>', 'lan as MetalLB, wan, or fast: dead hosts are found in a second', undefined).choices(
    GOSSIP_PRESETS,
  )
  add('--ml-config-file <file>', 'gossip tuning', '/etc/metallb/memberlist/config.json')
  add('--ml-join <hosts>', 'comma-separated members to join; default: Pods, or InternalIPs of the Nodes', []).argParser(
    list,
  )
}

function addLayer2(add: Add): void {
  add('--l2-refresh-interval <duration>', 'announce layer-2 addresses again and again, 1s or more; 0 = on change', 0)
    .argParser(refreshInterval)
    .default(0, '0')
  add('--l2-gratuitous-rate <frames>', 'most unsolicited frames a second, 1 to 200000', 200_000).argParser(frameRate)
  add('--no-l2-raise-priority', 'leave the layer-2 worker at the priority of the process', undefined)
}

/** @throws {InvalidArgumentError} more than nothing and less than a second */
function refreshInterval(value: string): number {
  const ms = duration(value)
  if (ms !== 0 && (ms < 1_000 || ms > 0x7fff_ffff)) throw new InvalidArgumentError('must be 0, or from 1s to 596h.')
  return ms
}

function frameRate(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || number > 200_000)
    throw new InvalidArgumentError('must be from 1 to 200000.')
  return number
}

function addDrain(add: Add): void {
  const { timeout, peerWait, successorWait } = DRAIN_DEFAULTS
  add('--drain-on <causes>', 'let the node go on cordon, disruption, out-of-service, shutdown; drain, all', new Set())
    .argParser(causes)
    .default(new Set(), 'none')
  add('--drain-exit <what>', 'what a signal is to peers with graceful restart', 'auto').choices(DRAIN_EXITS)
  const time = (flag: string, description: string, ms: number): Option =>
    add(`${flag} <duration>`, description, ms)
      .argParser(duration)
      .default(ms, `${ms / 1000}s`)
  time('--drain-timeout', 'longest drain; less than terminationGracePeriodSeconds', timeout)
  time('--drain-peer-wait', 'what routers get to prefer others before routes are withdrawn', peerWait)
  time('--drain-successor-wait', 'longest wait until another node is heard announcing an address', successorWait)
}

const DRAIN_EXITS: readonly string[] = ['auto', 'handover', 'restart']

function addIgnored(add: Add, env: NodeJS.ProcessEnv): void {
  add('--host <address>', 'accepted, ignored', '')
  add('--pprof-bind-address <address>', 'accepted, ignored', '')
  const debounce = env['METALLB_BGP_DEBOUNCE_TIMEOUT'] ?? ''
  const milli = fromEnv('METALLB_BGP_DEBOUNCE_TIMEOUT', debounce, milliseconds)
  add('--bgp-debounce-timeout <ms>', 'accepted, ignored', milli).argParser(milliseconds)
  add('--frrk8s-namespace <name>', 'accepted, ignored', env['FRRK8S_NAMESPACE'] ?? '')
  add('--frrk8s-secret-passthrough', 'accepted, ignored', false)
}

const LOG_LEVELS: readonly string[] = ['all', 'debug', 'info', 'warn', 'error', 'none']

const append = (value: string, previous: unknown): string[] => [...(previous as string[]), value]

const list = (value: string): string[] =>
  value
    .split(',')
    .map(host => host.trim())
    .filter(host => host !== '')

/** Reads what a variable of the environment says. @throws {InvalidArgumentError} it names the variable and its value */
function fromEnv<T>(name: string, value: string, read: (value: string) => T): T {
  try {
    return read(value)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgumentError(`${name} ${JSON.stringify(value)} ${error.message}`)
  }
}

function port(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65535) throw new InvalidArgumentError('must be a port, 0 to 65535.')
  return number
}

function ipAddress(value: string): string {
  if (isIP(value) === 0) throw new InvalidArgumentError('must be an IP address.')
  return value
}

/** Checked as MetalLB does, though it means nothing: a manifest that is wrong there is wrong here. */
function milliseconds(value: string): string {
  if (value !== '' && !(/^\d+$/.test(value) && Number(value) > 0)) {
    throw new InvalidArgumentError('must be a number of milliseconds above 0.')
  }
  return value
}

function causes(value: string): ReadonlySet<DrainCause> {
  try {
    return parseDrainCauses(value)
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
}

function duration(value: string): number {
  try {
    const ms = parseGoDuration(value)
    if (ms >= 0) return ms
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
  throw new InvalidArgumentError('must not be negative.')
}

/** Go's spelling into commander's: `-flag` into `--flag`, `--bool=true` into `--bool`, `--bool=false` left out. */
function normalise(argv: readonly string[], command: Command): string[] {
  return argv.flatMap(argument => {
    const match = /^--?([a-z][a-z0-9-]+)(?:=(.*))?$/s.exec(argument)
    if (!match) return [argument]
    const [, name, value] = match
    const option = command.options.find(({ long }) => long === `--${name}`)
    if (!option?.isBoolean() || value === undefined) return [`--${name}${value === undefined ? '' : `=${value}`}`]
    if (/^(?:1|t|true)$/i.test(value)) return [`--${name}`]
    return /^(?:0|f|false)$/i.test(value) ? [] : [argument]
  })
}
