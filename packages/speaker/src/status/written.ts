/** What we wrote, until the store shows it: so that nothing is written twice. */
import { isDeepStrictEqual } from 'node:util'
import type { ObjectKey } from '@typemetal/cluster'
import type { ServiceStatusKind, StatusObject } from './objects.js'

/** Kinds that the speaker writes. */
export type StatusKind = ServiceStatusKind | 'ConfigurationState'

/** What one or more status objects are about: one Service and protocol, or the configuration. */
export interface Item {
  readonly kind: StatusKind
  /** Empty for the ConfigurationState. */
  readonly service: ObjectKey
}

/** A write that went well. */
export interface Written {
  readonly item: Item
  /** Milliseconds on the clock. */
  readonly at: number
  /** As we left the object; `undefined`: deleted. */
  readonly now: StatusObject | undefined
  /** The object that we wrote on, where the version that came of it is not known; absent where `now` has it. */
  readonly on?: StatusObject
}

/** Whether what the store shows is our write, or came after it: not what was there before. */
export function isNews({ now, on }: Written, shown: StatusObject | undefined): boolean {
  if (!shown) return true
  const before = on ?? now
  if (shown.metadata.uid !== before?.metadata.uid) return true
  // It may take a while to go, and change meanwhile.
  if (!now) return false
  const [version, ours] = [shown.metadata.resourceVersion ?? '', before?.metadata.resourceVersion ?? '']
  return version === ours ? on === undefined : !isOlder(version, ours)
}

/** Whether what the store shows is what we wrote, to the letter: no reason to look again. */
export function isEcho({ now }: Written, shown: StatusObject | undefined): boolean {
  return now !== undefined && shown !== undefined && isDeepStrictEqual(contentOf(now), contentOf(shown))
}

const contentOf = ({
  metadata: { uid, labels, ownerReferences, deletionTimestamp },
  status,
}: StatusObject): object => ({
  uid,
  labels,
  ownerReferences,
  deletionTimestamp,
  status,
})

/** Versions of one object are numbers that grow, wherever they are numbers. */
function isOlder(a: string, b: string): boolean {
  const comparable = /^\d+$/.test(a) && /^\d+$/.test(b)
  return comparable && (a.length === b.length ? a < b : a.length < b.length)
}
