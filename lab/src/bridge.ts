/** A LAN: an Ethernet bridge in a namespace of its own. */
import type { Capture, CaptureOptions } from './capture/capture.js'
import { Host, type HostContext } from './host.js'
import type { NetworkNamespace } from './network-namespace.js'

/** Name of the bridge device in its namespace. */
const DEVICE = 'br0'
const NO_IPV6 = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 }

/** One LAN that hosts are plugged into. It has no address and forwards at once (no spanning tree, no multicast snooping). */
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
  static async create(name: string, namespaceName: string, context: HostContext): Promise<Bridge> {
    const host = await Host.create(name, namespaceName, { sysctls: NO_IPV6 }, context)
    await host.namespace.ip([
      `link add ${DEVICE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${DEVICE} up`,
    ])
    return new Bridge(name, host)
  }

  /** Lays a cable: an interface in a host's namespace, still down, with the other end on this bridge. */
  async plug(namespace: NetworkNamespace, interfaceName: string, mac: string): Promise<void> {
    const port = `port${++this.#ports}`
    await this.#host.namespace.ip([
      `link add ${port} type veth peer name ${interfaceName} address ${mac} netns ${namespace.name}`,
      `link set ${port} master ${DEVICE} up`,
    ])
  }

  /** Writes every frame that crosses the LAN, once, into a pcap file; killing a host does not end it. Resolves when it listens. */
  async capture(file: string, options?: CaptureOptions): Promise<Capture> {
    // without this the bridge shows its own device only what is meant for it
    await this.#host.namespace.ip([`link set ${DEVICE} promisc on`])
    return this.#host.capture(DEVICE, file, options)
  }

  /** Cuts every cable and deletes the bridge with its namespace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]()
  }
}
