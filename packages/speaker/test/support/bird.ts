/** BIRD in a host of the lab, with whatever configuration a test needs. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '@typemetal/lab'
import type { Host } from '@typemetal/lab'
import { ROUTER, type BgpWorld } from './bgp-world.js'

/** Why BIRD cannot be used here; `undefined` when it can. */
export const missingBird = (): string | undefined =>
  existsSync('/usr/sbin/bird') ? undefined : 'needs BIRD: apt install bird2'

/** One route as `show route all` tells it. */
export interface BirdRoute {
  readonly nextHop: string
  readonly asPath: string
  readonly localPref: string
  /** Standard ones as `a:b`, then large ones as `large:a:b:c`. */
  readonly communities: readonly string[]
}

/** BIRD 2. */
export class Bird {
  readonly #host: Host
  readonly #socket: string

  private constructor(host: Host, socket: string) {
    this.#host = host
    this.#socket = socket
  }

  /** Starts it on the router of a world, with these protocols, and waits until it answers. */
  static async start({ router: host, directory }: BgpWorld, ...protocols: readonly string[]): Promise<Bird> {
    await mkdir(directory, { recursive: true })
    const [file, socket, pid] = ['bird.conf', 'bird.ctl', 'bird.pid'].map(name => join(directory, name))
    if (!file || !socket || !pid) throw new RangeError(directory)
    await writeFile(file, [`router id ${ROUTER};`, 'protocol device {}', ...protocols, ''].join('\n'))
    host.spawn(['/usr/sbin/bird', '-f', '-c', file, '-s', socket, '-P', pid], { name: 'bird' })
    const bird = new Bird(host, socket)
    await until('BIRD to answer', async () =>
      (await bird.ask('show status')).includes('Daemon is up') ? true : undefined,
    )
    return bird
  }

  /** What its command line answers. */
  async ask(command: string): Promise<string> {
    const { stdout } = await this.#host.exec(['/usr/sbin/birdc', '-s', this.#socket, command], { check: false })
    return stdout
  }

  /** The route to a prefix; `undefined` when there is none. */
  async route(prefix: string): Promise<BirdRoute | undefined> {
    const text = await this.ask(`show route for ${prefix} all`)
    if (!text.includes(prefix)) return undefined
    const value = (name: string): string => new RegExp(`BGP\\.${name}: (.*)`).exec(text)?.[1]?.trim() ?? ''
    const triples = (name: string): readonly string[] =>
      [...value(name).matchAll(/\(([\d, ]+)\)/g)].map(([, numbers = '']) => numbers.split(/,\s*/).join(':'))
    return {
      nextHop: value('next_hop'),
      asPath: value('as_path'),
      localPref: value('local_pref'),
      communities: [...triples('community'), ...triples('large_community').map(text => `large:${text}`)],
    }
  }

  /** Waits for a route, and for what a test wants of it. */
  learned(prefix: string, fits: (route: BirdRoute) => boolean = () => true): Promise<BirdRoute> {
    return until(
      `a route to ${prefix}`,
      async () => {
        const route = await this.route(prefix)
        return route && fits(route) ? route : undefined
      },
      { timeout: 60_000 },
    )
  }
}
