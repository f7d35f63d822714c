import {
  type Config,
  type ConfigError,
  type Pool,
  type Snapshot,
  buildConfig,
  configResources,
} from '@typemetal/cluster'

/** Kinds that only speakers use: what is wrong with them does not stop the controller. */
const SPEAKERS_ONLY: ReadonlySet<string> = new Set(['BGPPeer', 'BFDProfile', 'BGPAdvertisement', 'L2Advertisement'])

/** What became of a look at the newest configuration. */
export interface Judgement {
  /** The pools in force are not what they were. */
  readonly changed: boolean
  /** The errors are not what they were. */
  readonly news: boolean
}

/** Keeps the last good configuration in force while the newest has errors. */
export class Configuration {
  readonly #namespace: string
  #inForce: Config | undefined
  #fingerprint: string | undefined
  #errors: readonly ConfigError[] = []

  /** @param namespace where `metallb.io` objects live */
  constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** The newest configuration that had no errors; `undefined` before the first. */
  get inForce(): Config | undefined {
    return this.#inForce
  }

  /** Everything that keeps the newest configuration from being in force; empty when it is. */
  get errors(): readonly ConfigError[] {
    return this.#errors
  }

  /** Reads the configuration again. One that is equal to the one in force takes no effect, but it does end the errors. */
  judge(snapshot: Snapshot): Judgement {
    const resources = configResources(snapshot)
    const faults = (resources.faults ?? []).filter(({ kind }) => !SPEAKERS_ONLY.has(kind))
    const { config, errors = [] } = buildConfig(
      { ...resources, faults },
      { component: 'controller', namespace: this.#namespace },
    )
    const news = JSON.stringify(errors) !== JSON.stringify(this.#errors)
    this.#errors = errors
    if (!config) return { changed: false, news }
    const fingerprint = JSON.stringify([...config.pools.values()].map(essence))
    const changed = fingerprint !== this.#fingerprint
    if (changed) this.#inForce = config
    this.#fingerprint = fingerprint
    return { changed, news }
  }
}

/** All of a pool that the allocator looks at. */
function essence({ name, blocks, autoAssign, avoidBuggyIPs, serviceAllocation: rule }: Pool): unknown {
  // A number beyond 2^53 comes as a bigint, which JSON has no word for.
  const allocation = rule && [
    String(rule.priority),
    rule.namespaces && [...rule.namespaces].toSorted(),
    rule.serviceSelectors,
  ]
  return [name, blocks.map(({ cidr }) => cidr), autoAssign, avoidBuggyIPs, allocation ?? null]
}
