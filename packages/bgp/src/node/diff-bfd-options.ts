import { BFD_DEFAULTS, type BfdPeerOptions } from './bfd-options.js'
import { isEqual } from './equal.js'

type Whole = { readonly [K in keyof BfdPeerOptions]-?: BfdPeerOptions[K] | undefined }

function withDefaults(options: BfdPeerOptions): Whole {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...BFD_DEFAULTS, ...(Object.fromEntries(given) as BfdPeerOptions) }
}

/** What a change of a peer's BFD options does to its BGP session, and why; `undefined` where nothing has changed. */
export function diffBfdOptions(
  a: BfdPeerOptions | undefined,
  b: BfdPeerOptions | undefined,
): { readonly effect: 'live' | 'reset'; readonly why: string } | undefined {
  if ((a?.strict ?? false) !== (b?.strict ?? false)) {
    return {
      effect: 'reset',
      why: 'strict mode is agreed on in the OPEN messages, which are exchanged once a session',
    }
  }
  if (!a || !b) return a === b ? undefined : { effect: 'live', why: b ? BEGINS : ENDS }
  const [from, to] = [withDefaults(a), withDefaults(b)]
  if (isEqual(from, to)) return undefined
  if (from.multihop !== to.multihop) return { effect: 'live', why: MOVES }
  return { effect: 'live', why: isEqual({ ...from, holdTime: 0 }, { ...to, holdTime: 0 }) ? WAITS : POLLS }
}

const BEGINS = 'the path is watched from now on, and the session that stands ends when it was Up and fails'
const ENDS = 'what we switch off ourselves says nothing of the path (RFC 5882 section 3.2)'
const MOVES = 'another BFD session takes the place of this one, and BGP does not end with what we end ourselves'
const WAITS = 'it counts when BFD is next waited for'
const POLLS = 'BFD tells the neighbour by a Poll Sequence and stays Up meanwhile (RFC 5880 section 6.8.3)'
