import type { BFDProfile } from '../resources/metallb.js'
import type { BFDProfileConfig } from './config.js'

/** Profiles by name; their ranges are the schema's. */
export function buildBFDProfiles(profiles: readonly BFDProfile[]): ReadonlyMap<string, BFDProfileConfig> {
  return new Map(
    profiles.map(({ metadata: { name }, spec }) => [name, { echoMode: false, passiveMode: false, ...spec, name }]),
  )
}
