/** Messages in any octets: first the two octets of what was negotiated, then one message. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  asPathLength,
  createNotification,
  decodeMessage,
  decodeNlri,
  encodeMessage,
  encodeNotification,
  Framer,
  messageLimit,
  MessageType,
  nlriFormat,
  updateChanges,
  WireError,
  type FamilyName,
  type Message,
  type MessageContext,
  type Nlri,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { createUpdateScan, scanUpdate, type UpdateScanRules } from '../../dist/wire/scan-update.js'
import { anyContext, anyMessage } from '../messages.js'
import { contextOf, hex, VECTORS } from '../octets.js'
import { OctetSource, readContext, writeContext } from './octet-source.js'
import type { FuzzTarget } from '@typemetal/lab'

const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap(part => [...part]))

let inputs: readonly Uint8Array[] | undefined

/** Messages of all types with contexts that fit them, the vectors among them. */
function messageInputs(): readonly Uint8Array[] {
  if (inputs) return inputs
  const drawn = fc.sample(
    anyContext.chain(context => fc.tuple(fc.constant(context), anyMessage(context))),
    { seed: 1, numRuns: 300 },
  )
  const made = drawn.flatMap(([context, message]) => {
    try {
      return [joined(writeContext(context), encodeMessage(message, context))]
    } catch (error) {
      assert.ok(error instanceof RangeError, 'only what does not fit a message')
      return []
    }
  })
  const vectors = VECTORS.map(vector => joined(writeContext(contextOf(vector)), hex(vector.hex)))
  inputs = [...vectors, ...made]
  return inputs
}

/** Whole messages, without what was negotiated. */
export const wholeMessages = (): readonly Uint8Array[] => messageInputs().map(input => input.subarray(2))

/** What the octets are, or the fault that they have: nothing else may come out. */
function decodeOrFault(octets: Uint8Array, context: MessageContext): Message | WireError {
  try {
    return decodeMessage(octets, context)
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
}

/** A fault points into the message and has a NOTIFICATION that can be sent. */
function checkFault(fault: WireError, octets: Uint8Array): void {
  assert.ok(fault.offset >= 0 && fault.offset <= octets.length, `offset ${fault.offset} of ${octets.length}`)
  const [code, subcode] = fault.notification
  assert.ok([1, 2, 3, 7].includes(code) && subcode >= 0 && subcode <= 11, `${code}/${subcode}`)
  encodeNotification(createNotification(fault))
}

export const DECODE: FuzzTarget = {
  name: 'decode',
  claim: 'a message is read, or has a WireError with a NOTIFICATION of RFC 4271 section 6; it is not written into',
  corpus: messageInputs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const context = readContext(source)
      const octets = source.rest()
      const before = octets.slice()
      const message = decodeOrFault(octets, context)
      assert.deepEqual(octets, before)
      if (message instanceof WireError) {
        checkFault(message, octets)
        assert.equal(message.disposition, 'session-reset')
        return
      }
      if (message.type !== 'update') return
      for (const fault of message.faults ?? []) {
        checkFault(fault, octets)
        assert.notEqual(fault.disposition, 'session-reset', 'what resets the session is thrown')
      }
    },
  }),
}

function withoutFaults(message: Message): Message {
  if (message.type !== 'update') return message
  const { faults: _, ...rest } = message
  return rest
}

export const IDENTITY: FuzzTarget = {
  name: 'identity',
  claim: 'what was read can be written, and reads the same again; what was written is written the same again',
  corpus: messageInputs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const context = readContext(source)
      const message = decodeOrFault(source.rest(), context)
      if (message instanceof WireError) return
      const kept = withoutFaults(message)
      const octets = encodeMessage(kept, context)
      const again = decodeMessage(octets, context)
      assert.deepEqual(again, kept)
      assert.deepEqual(encodeMessage(again, context), octets)
    },
  }),
}

const BOTH: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']
const plain = (list: readonly Nlri[]): readonly Nlri[] =>
  list.map(({ length, prefix, pathId }) => ({
    length,
    prefix: Uint8Array.from(prefix),
    ...(pathId !== undefined && { pathId }),
  }))

/** What the scan has found must be what the decoder finds. */
function compareScan(octets: Uint8Array, context: MessageContext, rules: UpdateScanRules): void {
  const scan = createUpdateScan()
  if (!scanUpdate(octets, 0, octets.length, rules, scan)) return
  const update = decodeMessage(octets, context) as UpdateMessage
  assert.deepEqual(update.faults, undefined, 'the quick way takes nothing that has a fault')
  const list = (name: FamilyName, at: number, end: number): readonly Nlri[] =>
    plain(decodeNlri(octets.subarray(at, end), nlriFormat(name, context)))
  assert.deepEqual(list('ipv4-unicast', scan.withdrawnAt, scan.withdrawnEnd), plain(update.withdrawnRoutes))
  assert.deepEqual(list('ipv4-unicast', scan.nlriAt, scan.nlriEnd), plain(update.nlri))
  const { mpReachNlri: reach, mpUnreachNlri: unreach } = update.pathAttributes
  assert.equal(scan.reachAfi, reach?.afi ?? 0)
  assert.equal(scan.unreachAfi, unreach?.afi ?? 0)
  if (reach) {
    assert.deepEqual(list('ipv6-unicast', scan.reachNlriAt, scan.reachNlriEnd), plain(reach.nlri))
    const nextHop = octets.subarray(scan.reachNextHopAt, scan.reachNextHopAt + scan.reachNextHopLength)
    assert.deepEqual(Uint8Array.from(nextHop), Uint8Array.from(reach.nextHop))
  }
  if (unreach) {
    const name = unreach.afi === 1 ? 'ipv4-unicast' : 'ipv6-unicast'
    assert.deepEqual(list(name, scan.unreachNlriAt, scan.unreachNlriEnd), plain(unreach.withdrawnRoutes))
  }
  compareFacts(scan.facts, update)
  assert.ok(updateChanges(update).length > 0, 'End-of-RIB is not for the quick way')
}

function compareFacts(
  facts: ReturnType<typeof createUpdateScan>['facts'],
  { pathAttributes: all }: UpdateMessage,
): void {
  if (all.origin !== undefined) assert.equal(facts.origin, all.origin)
  assert.equal(facts.asPathLength, asPathLength(all.asPath ?? []))
  assert.equal(facts.localPref, all.localPref ?? 0)
  assert.equal(facts.multiExitDisc, all.multiExitDisc ?? 0)
  assert.equal(facts.originatorId, all.originatorId ?? 0)
  assert.equal(facts.clusterLength, all.clusterList?.length ?? 0)
  const [first] = all.asPath ?? []
  assert.equal(facts.neighborAs, first?.type === 2 ? first.asns[0] : 0)
  const own = (all.asPath ?? []).flatMap(({ asns }) => asns).filter(asn => asn === OURS.asn)
  assert.equal(facts.ownAs, own.length)
  const reflected = all.originatorId === OURS.bgpIdentifier || (all.clusterList?.includes(OURS.clusterId) ?? false)
  assert.equal(facts.reflected, reflected)
}

/** Numbers that the arbitraries are likely to hit once mutated. */
const OURS = { asn: 1, bgpIdentifier: 1, clusterId: 1 }

export const SCAN: FuzzTarget = {
  name: 'scan',
  claim: 'an UPDATE that the quick way takes is one without fault, and says to it what it says to the decoder',
  corpus: messageInputs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const { confederation: _, ...context } = { ...readContext(source), fourOctetAs: true }
      const octets = source.rest()
      if (octets.length < 23 || octets[18] !== MessageType.Update) return
      // The framer gives whole messages only.
      const whole = octets.slice(0, messageLimit(context))
      whole.fill(0xff, 0, 16)
      whole.set([whole.length >> 8, whole.length], 16)
      const addPath = context.addPath ?? []
      const [ipv4, ipv6, ipv4AddPath, ipv6AddPath] = [...BOTH.map(() => true), ...BOTH.map(f => addPath.includes(f))]
      compareScan(whole, context, {
        ...OURS,
        internal: context.internal,
        ipv4: ipv4!,
        ipv6: ipv6!,
        ipv4AddPath: ipv4AddPath!,
        ipv6AddPath: ipv6AddPath!,
      })
    },
  }),
}

/** The messages of a stream as hexadecimal text, and the fault that ended it. */
function readStream(
  pieces: Iterable<Uint8Array>,
  limit: number,
  inRuns: (index: number) => boolean,
): readonly string[] {
  const framer = new Framer()
  const found: string[] = []
  try {
    let index = 0
    for (const piece of pieces) {
      framer.push(piece)
      for (;;) {
        const run = inRuns(index++) ? framer.nextRun(MessageType.Update, limit) : undefined
        const octets = run ?? framer.next(limit)
        if (!octets) break
        for (let at = 0; at < octets.length;) {
          const end = at + ((octets[at + 16]! << 8) | octets[at + 17]!)
          assert.ok(end <= octets.length && end - at >= 19, 'whole messages')
          found.push(Buffer.from(octets.subarray(at, end)).toString('hex'))
          at = end
        }
      }
    }
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    found.push(`${error.notification.join('/')} ${Buffer.from(error.data).toString('hex')}`)
  }
  return found
}

function* cut(octets: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const size = sizes[turn % sizes.length]!
    // A view of its own, so that nobody can read beyond it.
    yield octets.slice(at, at + size)
    at += size
  }
}

export const FRAMER: FuzzTarget = {
  name: 'framer',
  claim: 'a stream falls into the same messages, and ends in the same fault, however TCP cuts it',
  corpus: () => {
    const messages = wholeMessages()
    return messages.map((octets, i) =>
      joined([i % 256, i % 7, i % 31, i % 5], octets, messages[(i * 7) % messages.length]!),
    )
  },
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const kind = source.uint8()
      const odd = [source.uint8(), source.uint8(), source.uint8()]
      const limit = messageLimit({ fourOctetAs: true, internal: true, extendedMessage: (kind & 1) !== 0 })
      const stream = source.rest()
      const whole = readStream([stream], limit, () => false)
      const sizes = odd.map(size => 1 + size * (kind & 2 ? 1 : 40))
      assert.deepEqual(
        readStream(cut(stream, sizes), limit, index => ((kind >> (index % 6)) & 4) !== 0),
        whole,
      )
      assert.deepEqual(
        readStream([stream], limit, () => true),
        whole,
      )
    },
  }),
}
