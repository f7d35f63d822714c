/** A LAN: an Ethernet bridge in a namespace of its own. */
import type { Capture, CaptureOptions } from './capture/capture.js'
import { Host, type HostContext } from './host.js'
import type { NetworkNamespace } from './network-namespace.js'

/** Name of the bridge device in its namespace. */
const DEVICE = 'br0'
const NO_IPV6 = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 }
/** A querier counts once it has waited so long for answers, in hundredths of a second; the kernel's default is 10 s. */
const QUERY_RESPONSE_INTERVAL = 100

/** How a LAN treats its frames. */
export interface BridgeOptions {
  /**
   * Groups go only where somebody has joined them (MLD snooping, RFC 4541), one second after its creation at the earliest; the
   * bridge itself asks for members. @default false: to everybody
   */
  readonly multicastSnooping?: boolean
}

interface ForwardingEntry {
  readonly mac: string
  readonly ifname: string
  readonly state?: string
}

/** One LAN that hosts are plugged into. It has no IPv4 address and forwards at once (no spanning tree). */
export class Bridge implements AsyncDisposable {
  readonly #host: Host
  #ports = 0

  private constructor(
    /** Name given by the user. */
    readonly name: string,
    host: Host,
  ) {
    this.#host = host
  }

  /** Makes the namespace and the bridge in it. */
  static async create(
    name: string,
    namespaceName: string,
    context: HostContext,
    { multicastSnooping = false }: BridgeOptions = {},
  ): Promise<Bridge> {
    const host = await Host.create(name, namespaceName, { sysctls: NO_IPV6 }, context)
    await host.namespace.ip([`link add ${DEVICE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`])
    // An MLD query needs a link-local source, so this one bridge has IPv6.
    if (multicastSnooping) await host.namespace.setSysctls({ [`net.ipv6.conf.${DEVICE}.disable_ipv6`]: 0 })
    await host.namespace.ip([
      `link set ${DEVICE} up`,
      ...(multicastSnooping
        ? [
            `link set ${DEVICE} type bridge mcast_query_response_interval ${QUERY_RESPONSE_INTERVAL}`,
            `link set ${DEVICE} type bridge mcast_snooping 1 mcast_querier 1`,
          ]
        : []),
    ])
    return new Bridge(name, host)
  }

  /**
   * Lays a cable: an interface in a host's namespace, still down, with the other end on this bridge.
   * @returns name of the bridge's port
   */
  async plug(namespace: NetworkNamespace, interfaceName: string, mac: string): Promise<string> {
    const port = this.#nextPort()
    await this.#host.namespace.ip([
      `link add ${port} type veth peer name ${interfaceName} address ${mac} netns ${namespace.name}`,
      `link set ${port} master ${DEVICE} up`,
    ])
    return port
  }

  /** Lays a cable to another bridge: the two are one LAN from now on. @returns name of this bridge's port */
  async join(other: Bridge): Promise<string> {
    const [ours, theirs] = [this.#nextPort(), other.#nextPort()]
    await this.#host.namespace.ip([
      `link add ${ours} type veth peer name ${theirs} netns ${other.#host.namespace.name}`,
      `link set ${ours} master ${DEVICE} up`,
    ])
    await other.#host.namespace.ip([`link set ${theirs} master ${DEVICE} up`])
    return ours
  }

  /** What the bridge has learned: MAC address → the port behind which it was seen last. */
  async forwardingTable(): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await this.#host.exec(['bridge', '-j', 'fdb', 'show', 'br', DEVICE])
    const entries = JSON.parse(stdout) as readonly ForwardingEntry[]
    // Permanent ones are of the ports themselves.
    return new Map(entries.filter(({ state }) => state === undefined || state === '').map(e => [e.mac, e.ifname]))
  }

  /** Writes every frame that crosses the LAN, once, into a pcap file; killing a host does not end it. Resolves when it listens. */
  async capture(file: string, options?: CaptureOptions): Promise<Capture> {
    // without this the bridge shows its own device only what is meant for it
    await this.#host.namespace.ip([`link set ${DEVICE} promisc on`])
    return this.#host.capture(DEVICE, file, options)
  }

  #nextPort(): string {
    return `port${++this.#ports}`
  }

  /** Cuts every cable and deletes the bridge with its namespace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]()
  }
}
