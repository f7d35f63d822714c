/** Runs files of the shape of `test/vectors/memberlist.json` against the codec; see `npm run vectors:memberlist`. */
import assert from 'node:assert/strict'
import { aesGcm } from '@typemetal/memberlist'
import { pushPullScale, remainingSuspicion, retransmitLimit, suspicionTimeout } from '@typemetal/memberlist/swim'
import * as wire from '@typemetal/memberlist/wire'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Fields = Readonly<Record<string, Json>>

/** One vector, loosely: the runner checks what it uses. */
type Vector = Fields & { readonly kind?: string; readonly name?: string; readonly hex?: string }

export interface VectorFile {
  readonly generated?: readonly Vector[]
  readonly decodeTolerance?: readonly Vector[]
  readonly formulas?: Readonly<Record<string, Json>>
  readonly sessions?: readonly {
    readonly name: string
    readonly key: string | null
    readonly events: readonly Vector[]
  }[]
}

export interface VectorResult {
  readonly passed: number
  readonly failures: readonly { readonly name: string; readonly reason: string }[]
}

/** Runs every vector of a file. */
export function runVectors(file: VectorFile): VectorResult {
  const failures: { name: string; reason: string }[] = []
  let passed = 0
  const run = (name: string, check: () => void): void => {
    try {
      check()
      passed++
    } catch (error) {
      failures.push({
        name,
        reason: error instanceof Error ? error.message.split('\n').slice(0, 6).join(' ') : String(error),
      })
    }
  }
  file.generated?.forEach((v, i) => run(v.name ?? `generated ${i}`, () => checkGenerated(v)))
  file.decodeTolerance?.forEach((v, i) => run(`decodeTolerance ${i}: ${v.name}`, () => checkTolerance(v)))
  for (const [name, value] of Object.entries(file.formulas ?? {}))
    run(`formula ${name}`, () => checkFormula(name, value))
  for (const session of file.sessions ?? []) {
    session.events.forEach((event, i) => run(`session ${session.name} event ${i}`, () => checkEvent(event)))
  }
  return { passed, failures }
}

// ---- octets and fields -------------------------------------------------------------------------------------------

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')
const octets = (text: Json | undefined): Uint8Array => {
  assert.equal(typeof text, 'string', 'hex string expected in the vector')
  return Uint8Array.from(Buffer.from(text as string, 'hex'))
}
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [])
const record = (value: Json | undefined): Fields => (value ?? {}) as Fields

/** Go's `SeqNo` is our `seqNo`; `hex:` is an octet string, null is nil. */
function fromFields(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key[0]!.toLowerCase() + key.slice(1),
      value === null
        ? undefined
        : typeof value === 'string' && value.startsWith('hex:')
          ? octets(value.slice(4))
          : value,
    ]),
  )
}

function toFields(value: object): Fields {
  return Object.fromEntries(
    Object.entries(value).map(([key, v]) => [
      key[0]!.toUpperCase() + key.slice(1),
      v === undefined ? null : v instanceof Uint8Array ? `hex:${hex(v)}` : (v as Json),
    ]),
  )
}

interface Codec {
  readonly encode: (value: never) => Uint8Array
  readonly decode: (message: Uint8Array) => object
}
const reader = (message: Uint8Array): wire.Reader => new wire.Reader(message, 1)
const CODECS: Readonly<Record<string, Codec>> = {
  ping: { encode: wire.encodePing, decode: wire.decodePing },
  indirectPingReq: { encode: wire.encodeIndirectPing, decode: wire.decodeIndirectPing },
  ackResp: { encode: wire.encodeAck, decode: wire.decodeAck },
  nackResp: { encode: wire.encodeNack, decode: wire.decodeNack },
  errResp: { encode: wire.encodeErrorResponse, decode: wire.decodeErrorResponse },
  suspect: { encode: wire.encodeSuspect, decode: wire.decodeSuspect },
  dead: { encode: wire.encodeDead, decode: wire.decodeDead },
  alive: { encode: wire.encodeAlive, decode: wire.decodeAlive },
  pushPullHeader: { encode: notAlone, decode: m => wire.readPushPullHeader(reader(m)) },
  pushNodeState: { encode: notAlone, decode: m => wire.readPushNodeState(reader(m)) },
}
const STRUCT_OF_TYPE: Readonly<Record<string, string>> = {
  ping: 'ping',
  indirectPing: 'indirectPingReq',
  ack: 'ackResp',
  nack: 'nackResp',
  error: 'errResp',
  suspect: 'suspect',
  dead: 'dead',
  alive: 'alive',
}

function notAlone(): never {
  throw new Error('this struct is not encoded alone')
}

function codec(name: string): Codec {
  const found = CODECS[name]
  assert.ok(found, `unknown struct ${name}`)
  return found
}

// ---- generated ---------------------------------------------------------------------------------------------------

function checkGenerated(v: Vector): void {
  switch (v.kind) {
    case 'message':
      return v['struct'] === undefined
        ? checkUserPacket(v)
        : checkStruct(text(v['struct']), record(v['fields']), octets(v.hex))
    case 'compound':
      assert.equal(hex(wire.encodeCompound(list(v['parts']).map(octets))), v.hex, 'encoding')
      return checkCompound(v, 'parts', 0)
    case 'compound-truncated':
      return checkCompound(v, 'partsDelivered', Number(v['truncated']))
    case 'crc':
      assert.equal(wire.crc32(octets(v['inner'])).toString(16).padStart(8, '0'), v['crc32'])
      assert.equal(hex(wire.encodeCrc(octets(v['inner']))), v.hex, 'encoding')
      return assert.equal(hex(wire.decodeCrc(octets(v.hex))), v['inner'], 'decoding')
    case 'compress':
      assert.equal(hex(wire.lzwEncode(octets(v['inner']))), v['lzw'], 'LZW')
      assert.equal(hex(wire.encodeCompress(octets(v['inner']))), v.hex, 'encoding')
      return assert.equal(hex(wire.decodeCompress(octets(v.hex), 1 << 20)), v['inner'], 'decoding')
    case 'encrypted-packet':
      return checkEncryptedPacket(v)
    case 'stream':
      return checkStream(v)
    case 'encrypted-stream':
      return checkEncryptedStream(v)
    default:
      throw new Error(`unknown kind ${v.kind}`)
  }
}

function checkStruct(struct: string, fields: Fields, message: Uint8Array): void {
  const { encode, decode } = codec(struct)
  assert.equal(hex(encode(fromFields(fields) as never)), hex(message), 'encoding')
  assert.deepEqual(toFields(decode(message)), fields, 'decoding')
}

function checkUserPacket(v: Vector): void {
  assert.equal(hex(wire.encodeUserMessage(octets(v['payload']))), v.hex, 'encoding')
  assert.equal(hex(wire.decodeUserMessage(octets(v.hex))), v['payload'], 'decoding')
}

function checkCompound(v: Vector, parts: string, truncated: number): void {
  const found = wire.decodeCompound(octets(v.hex))
  assert.deepEqual(found.parts.map(hex), v[parts], 'decoding')
  assert.equal(found.truncated, truncated, 'truncated parts')
}

function checkEncryptedPacket(v: Vector): void {
  const label = Buffer.from(text(v['label']))
  const version = v['encVersion'] === 0 ? 0 : 1
  const [key, nonce, aad] = [octets(v['key']), octets(v['nonce']), octets(v['aad'])]
  const payload = wire.sealPayload(octets(v['plaintext']), { aead: aesGcm, key, nonce, version, aad })
  assert.equal(hex(wire.encodeLabelHeader(label)) + hex(payload), v.hex, 'encoding')
  assert.equal(payload.length, wire.sealedLength(octets(v['plaintext']).length, version), 'sealedLength')
  const inner = wire.stripLabel(octets(v.hex), label)
  assert.equal(hex(wire.openPayload(inner, aad, aesGcm, [key])), v['plaintext'], 'decoding')
}

/** Reads a stream at once and octet by octet. */
function readStream(input: Uint8Array, options: wire.StreamReaderOptions): wire.StreamMessage {
  const whole = new wire.StreamReader(options).push(input)
  assert.ok(whole, 'the stream is complete')
  const slow = new wire.StreamReader(options)
  let last: wire.StreamMessage | undefined
  for (let i = 0; i < input.length && last === undefined; i++) last = slow.push(input.subarray(i, i + 1))
  assert.deepEqual(last, whole, 'octet by octet')
  return whole
}

function assertStream(message: wire.StreamMessage, v: Vector): void {
  if (message.type === 'pushPull') {
    const { join, nodes, userState } = message.body
    assert.deepEqual({ Join: join, Nodes: nodes.length, UserStateLen: userState.length }, v['header'])
    assert.deepEqual(nodes.map(toFields), list(v['nodes']))
    assert.equal(hex(userState), v['userState'] === '' ? '' : (v['userState'] ?? ''))
  } else if (message.type === 'user') {
    assert.equal(hex(message.body), v['payload'])
  } else {
    assert.deepEqual(toFields(message.body), v['fields'])
  }
}

/** The octets of a stream message, bare. */
function encodeStream(message: wire.StreamMessage): Uint8Array {
  if (message.type === 'user') return wire.encodeUserStream(message.body)
  if (message.type === 'ping') return wire.encodePing(message.body)
  if (message.type === 'ack') return wire.encodeAck(message.body)
  if (message.type === 'error') return wire.encodeErrorResponse(message.body)
  const { join, nodes, userState } = message.body
  return wire.encodePushPull(join, nodes.length, Buffer.concat(nodes.map(wire.encodePushNodeState)), userState)
}

function checkStream(v: Vector): void {
  const message = readStream(octets(v.hex), {})
  assertStream(message, v)
  const bare = encodeStream(message)
  if (v['inner'] === undefined) return assert.equal(hex(bare), v.hex, 'encoding')
  assert.equal(hex(bare), v['inner'], 'encoding')
  return assert.equal(hex(wire.encodeCompress(bare)), v.hex, 'compressed')
}

function streamOptions(v: Vector, label: Uint8Array, headed: boolean): wire.StreamReaderOptions {
  const key = octets(v['key'])
  return {
    label: headed ? label : undefined,
    requireEncryption: true,
    open: (payload, head) => {
      const aad = Buffer.concat([head, label])
      if (v['aad'] !== undefined) assert.equal(hex(aad), v['aad'], 'AAD')
      return wire.openPayload(payload, aad, aesGcm, [key])
    },
  }
}

function checkEncryptedStream(v: Vector): void {
  const label = Buffer.from(text(v['label']))
  const version = v['encVersion'] === 0 ? 0 : 1
  const plaintext = octets(v['plaintext'])
  const head = wire.encodeFrameHead(wire.sealedLength(plaintext.length, version))
  const aad = Buffer.concat([head, label])
  assert.equal(hex(aad), v['aad'], 'AAD')
  const start = wire.encodeLabelHeader(label).length + wire.FRAME_HEAD + 1
  const nonce = octets(v.hex).subarray(start, start + 12)
  const sealed = wire.sealPayload(plaintext, { aead: aesGcm, key: octets(v['key']), nonce, version, aad })
  assert.equal(hex(wire.encodeLabelHeader(label)) + hex(head) + hex(sealed), v.hex, 'encoding')
  const message = readStream(octets(v.hex), streamOptions(v, label, true))
  assert.equal(hex(encodeStream(message)), v['innermost'], 'decoding')
}

// ---- decode tolerance --------------------------------------------------------------------------------------------

function checkTolerance(v: Vector): void {
  const result = record(v['result'])
  const message = Uint8Array.of(0, ...octets(v['bodyHex']))
  if (v['struct'] === undefined) return checkCompoundTolerance(message, result)
  const { decode } = codec(text(v['struct']))
  if ('error' in result) return assert.throws(() => decode(message), wire.WireError)
  return assert.deepEqual(toFields(decode(message)), result)
}

function checkCompoundTolerance(message: Uint8Array, result: Fields): void {
  if (result['err'] !== '<nil>') return assert.throws(() => wire.decodeCompound(message), wire.WireError)
  const { parts, truncated } = wire.decodeCompound(message)
  assert.deepEqual(parts.map(hex), list(result['parts']))
  return assert.equal(truncated, result['trunc'])
}

// ---- formulas ----------------------------------------------------------------------------------------------------

/** Milliseconds of a Go duration. */
function duration(go: Json | undefined): number {
  const sign = text(go).startsWith('-') ? -1 : 1
  const unit = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
  let sum = 0
  for (const [, number, name] of text(go).matchAll(/([\d.]+)(ms|h|m|s)/g))
    sum += Number(number) * unit[name as keyof typeof unit]
  return (sign * Math.round(sum * 1000)) / 1000
}

function checkFormula(name: string, value: Json): void {
  if (name.startsWith('pushPullScale')) {
    const interval = duration(/\((.*)\)/.exec(name)?.[1] ?? '')
    for (const [n, expected] of Object.entries(record(value)))
      assert.equal(pushPullScale(interval, Number(n)), duration(expected), `n=${n}`)
  } else if (name.startsWith('retransmitLimit')) {
    const mults = [...name.matchAll(/\((\d+),n\)/g)].map(match => Number(match[1]))
    for (const [n, expected] of Object.entries(record(value)))
      assert.deepEqual(
        mults.map(mult => retransmitLimit(mult, Number(n))),
        expected,
        `n=${n}`,
      )
  } else if (name.startsWith('suspicionTimeout')) {
    const presets = [
      [4, 1000],
      [6, 5000],
      [3, 1000],
    ] as const
    for (const [n, expected] of Object.entries(record(value))) {
      assert.deepEqual(
        presets.map(([mult, interval]) => suspicionTimeout(mult, Number(n), interval)),
        list(expected).map(duration),
        `n=${n}`,
      )
    }
  } else if (name === 'remainingSuspicion') {
    for (const row of list(value).map(record)) {
      const elapsed = Number(row['elapsed_s']) * 1000
      const found = remainingSuspicion(
        Number(row['n']),
        Number(row['k']),
        elapsed,
        duration(row['min']),
        duration(row['max']),
      )
      assert.equal(found, duration(row['remaining']), JSON.stringify(row))
    }
  } else throw new Error(`unknown formula ${name}`)
}

// ---- sessions ----------------------------------------------------------------------------------------------------

function checkEvent(v: Vector): void {
  if (v['proto'] === 'tcp') return checkStreamEvent(v)
  let packet = octets(v.hex)
  const label = Buffer.from(text(v['label']))
  packet = wire.stripLabel(packet, label)
  if (v['plaintext'] !== undefined) {
    packet = wire.openPayload(packet, label, aesGcm, [octets(v['key'])])
    assert.equal(hex(packet), v['plaintext'], 'plaintext')
  }
  const { messages, faults } = wire.decodePacket(packet)
  assert.deepEqual(faults, [])
  const leaves = leavesOf(record(v['message']))
  assert.equal(messages.length, leaves.length, 'messages in the packet')
  return messages.forEach((message, i) => checkLeaf(message, leaves[i]!))
}

function leavesOf(message: Fields): readonly Fields[] {
  if (message['inner'] !== undefined) return leavesOf(record(message['inner']))
  if (message['parts'] !== undefined) return list(message['parts']).flatMap(part => leavesOf(record(part)))
  return [message]
}

function checkLeaf(message: wire.Message, leaf: Fields): void {
  assert.equal(message.type, leaf['typeName'])
  if (message.type === 'user') return assert.equal(hex(message.body), leaf['payload'])
  return checkStruct(STRUCT_OF_TYPE[message.type] ?? message.type, record(leaf['fields']), octets(leaf['hex']))
}

function checkStreamEvent(v: Vector): void {
  const headed = v['label'] !== undefined
  const label = Buffer.from(text(v['label'] ?? v['labelFromRequestDirection']))
  const options = v['key'] === undefined ? { label: headed ? label : undefined } : streamOptions(v, label, headed)
  assertStream(readStream(octets(v.hex), options), v)
}
