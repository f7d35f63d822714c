/** Secrets in the place of those that are not there to be read. */
import type { Secret, Snapshot } from '@typemetal/cluster'
import { overlay } from './overlay.js'

/** A snapshot whose peers all find their Secrets, and the names of those that were made up. */
export interface StandIns {
  readonly snapshot: Snapshot
  /** Sorted. */
  readonly missing: readonly string[]
}

/** Makes up the Secrets that BGPPeers name and that are not there: their content decides nothing but the content of a TCP option. */
export function withStandIns(snapshot: Snapshot, namespace: string): StandIns {
  const wanted = [...snapshot.objects('BGPPeer').values()].map(({ spec }) => spec?.passwordSecret?.name)
  const present = snapshot.objects('Secret')
  const missing = [...new Set(wanted.filter(isText).filter(name => !present.has(`${namespace}/${name}`)))].toSorted()
  if (missing.length === 0) return { snapshot, missing }
  const secrets = new Map(missing.map(name => [`${namespace}/${name}`, standIn(name, namespace)]))
  const top: Snapshot = {
    objects: kind => (kind === 'Secret' ? secrets : new Map<string, Secret>()) as unknown as ReadonlyMap<string, never>,
    endpointSlicesOf: () => [],
    faults: [],
  }
  return { snapshot: overlay(snapshot, top, { prune: false }), missing }
}

const standIn = (name: string, namespace: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'kubernetes.io/basic-auth',
  data: { password: 'Pw==' },
})

const isText = (text: string | undefined): text is string => text !== undefined && text !== ''
