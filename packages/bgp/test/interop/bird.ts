import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, stop, until, type Host } from './namespace.js'
import type { Router, RouterKind, RouterOptions, SeenRoute } from './router.js'

const BIRD = '/usr/sbin/bird'

function configure({ asn, routerId, address, neighbor, holdTime, networks = [] }: RouterOptions): string {
  const statics = (['ipv4', 'ipv6'] as const).map(name => {
    const prefixes = networks.filter(prefix => prefix.includes(':') === (name === 'ipv6'))
    return `protocol static { ${name}; ${prefixes.map(prefix => `route ${prefix} blackhole;`).join(' ')} }`
  })
  const options = [
    `local ${address} as ${asn};`,
    `neighbor ${neighbor.address} as ${neighbor.asn};`,
    'connect delay time 1; connect retry time 1; error wait time 1, 2;',
    ...(neighbor.passive ? ['passive;'] : []),
    ...(neighbor.password ? [`password "${neighbor.password}";`] : []),
    ...(holdTime ? [`hold time ${holdTime};`] : []),
    'ipv4 { import all; export where source = RTS_STATIC; next hop self; import table; };',
    'ipv6 { import all; export where source = RTS_STATIC; next hop self; import table; };',
  ]
  return [
    `router id ${routerId};`,
    'protocol device {}',
    'protocol direct { ipv4; ipv6; }',
    ...statics,
    `protocol bgp typemetal { ${options.join('\n')} }`,
    '',
  ].join('\n')
}

/** `(64512,1) (64512,2)` or `(1, 2, 3)` as `a:b` or `a:b:c`. */
const tuples = (text: string): readonly string[] =>
  [...text.matchAll(/\(([\d, ]+)\)/g)].map(([, inner = '']) => inner.replaceAll(' ', '').replaceAll(',', ':'))

function toSeenRoute(lines: readonly string[]): SeenRoute {
  const attribute = (name: string): string =>
    lines.find(line => line.startsWith(`BGP.${name}:`))?.split(': ', 2)[1] ?? ''
  return {
    nextHop: attribute('next_hop').split(' ', 1)[0] ?? '',
    asPath: attribute('as_path'),
    localPref: Number(attribute('local_pref')),
    communities: [
      ...tuples(attribute('community')),
      ...tuples(attribute('large_community')).map(text => `large:${text}`),
    ],
  }
}

class Bird implements Router {
  readonly #host: Host
  readonly #directory = mkdtempSync(join(tmpdir(), 'tmbgp-bird-'))
  #process: ChildProcess | undefined

  constructor(host: Host, options: RouterOptions) {
    this.#host = host
    writeFileSync(join(this.#directory, 'bird.conf'), configure(options))
  }

  async start(): Promise<void> {
    const d = this.#directory
    this.#process = this.#host.spawn(BIRD, '-f', '-c', join(d, 'bird.conf'), '-s', join(d, 'ctl'), '-P', join(d, 'pid'))
    await until('bird answers', () => this.#birdc('show', 'status').includes('Daemon is up'))
  }

  #birdc(...words: readonly string[]): string {
    return run('birdc', '-s', join(this.#directory, 'ctl'), ...words)
  }

  routes(): ReadonlyMap<string, SeenRoute> {
    const seen = new Map<string, SeenRoute>()
    let lines: string[] = []
    let prefix: string | undefined
    const finish = (): void => {
      if (prefix) seen.set(prefix, toSeenRoute(lines))
    }
    for (const line of this.#birdc('show', 'route', 'all', 'protocol', 'typemetal').split('\n')) {
      const start = /^([\d.a-f:]+\/\d+)\s/.exec(line)
      if (!start) {
        lines.push(line.trim())
        continue
      }
      finish()
      prefix = start[1]
      lines = []
    }
    finish()
    return seen
  }

  isEstablished(): boolean {
    return this.#birdc('show', 'protocols', 'typemetal').includes('Established')
  }

  async restart(): Promise<void> {
    if (this.#process) await stop(this.#process, 'SIGKILL')
    await this.start()
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    if (this.#process) await stop(this.#process)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

export const bird: RouterKind = {
  name: 'BIRD',
  missing: () => (existsSync(BIRD) ? undefined : 'needs BIRD: apt-get install bird2'),
  async start(host, options) {
    const router = new Bird(host, options)
    await router.start()
    return router
  },
}
