/** The kernel's routing table: writing what a router learned, reading what it forwards by. */
import { run } from '../command.js'
import { messageOf } from '../errors.js'
import type { NetworkNamespace } from '../network-namespace.js'

/** Installs multipath routes through iproute2 in the network namespace this process runs in. Changes of a moment go in one batch. */
export class KernelRoutes {
  readonly #onError: (error: Error) => void
  readonly #wanted = new Map<string, readonly string[]>()
  #writing = false

  constructor(onError: (error: Error) => void) {
    this.#onError = onError
  }

  /** Makes the next hops of a prefix these; none removes the route. Returns at once. */
  set(prefix: string, nextHops: readonly string[]): void {
    this.#wanted.set(prefix, nextHops)
    if (this.#writing) return
    this.#writing = true
    setImmediate(() => void this.#write())
  }

  async #write(): Promise<void> {
    while (this.#wanted.size > 0) {
      const commands = [...this.#wanted].map(([prefix, nextHops]) => routeCommand(prefix, nextHops))
      this.#wanted.clear()
      try {
        // -force: a route that is already gone must not hold up the others
        const { stderr } = await run(['ip', '-force', '-batch', '-'], {
          input: `${commands.join('\n')}\n`,
          check: false,
        })
        const said = stderr.split('\n').filter(line => line && !/No such process|Command failed/.test(line))
        if (said.length > 0) this.#onError(new Error(said.join('; ')))
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error(messageOf(error)))
      }
    }
    this.#writing = false
  }
}

function routeCommand(prefix: string, nextHops: readonly string[]): string {
  if (nextHops.length === 0) return `route delete ${prefix} proto bgp`
  if (nextHops.length === 1) return `route replace ${prefix} proto bgp via ${nextHops[0]}`
  return `route replace ${prefix} proto bgp ${nextHops.map(nextHop => `nexthop via ${nextHop}`).join(' ')}`
}

interface RouteJson {
  readonly gateway?: string
  readonly nexthops?: readonly { readonly gateway?: string }[]
}

/** Next hops by which the kernel of a namespace forwards exactly this prefix, sorted; empty when it has no such route. */
export async function nextHopsOf(namespace: NetworkNamespace, prefix: string): Promise<readonly string[]> {
  const family = prefix.includes(':') ? '-6 ' : ''
  const routes = await namespace.ipJson<readonly RouteJson[]>(`${family}route show exact ${prefix}`)
  const hops = routes.flatMap(route => [route.gateway, ...(route.nexthops ?? []).map(hop => hop.gateway)])
  return hops.filter(hop => hop !== undefined).toSorted()
}
