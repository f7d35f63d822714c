import type { KubernetesObject } from '../resources/core.js'
import type { KeepRules, Kind } from './store.js'

/** What the rules keep of an object. */
export function keepObject(rules: KeepRules, kind: Kind, object: KubernetesObject): KubernetesObject {
  // A kind's rule is asked about objects of that kind alone.
  const rule: ((object: never) => KubernetesObject) | undefined = rules[kind]
  return rule ? rule(object as never) : object
}
