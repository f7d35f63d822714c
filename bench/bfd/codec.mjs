// What one control packet costs, beside the least that does the same by hand: a DataView and an object that is used again.
import { checkControlPacket, CONTROL_PACKET_LENGTH, decodeControlPacket, encodeControlPacket } from '@typemetal/bgp/bfd'

/** Packets that go round, so that none is a constant. */
const PACKETS = 64
const STATES = ['AdminDown', 'Down', 'Init', 'Up']

const packets = Array.from({ length: PACKETS }, (_, i) => ({
  diagnostic: i & 7,
  state: STATES[i & 3],
  poll: (i & 4) !== 0,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMult: 3 + (i & 3),
  myDiscriminator: 0x8000_0001 + i,
  yourDiscriminator: 0x1234 + i,
  desiredMinTxInterval: 50_000 + i,
  requiredMinRxInterval: 50_000,
  requiredMinEchoRxInterval: 0,
}))
const octets = packets.map(packet => encodeControlPacket(packet))
const views = octets.map(({ buffer, byteOffset, length }) => new DataView(buffer, byteOffset, length))

function checkByHand(view) {
  if (view.byteLength < 24 || view.getUint8(0) >> 5 !== 1) return false
  const length = view.getUint8(3)
  if (length < 24 || length > view.byteLength || view.getUint8(2) === 0 || (view.getUint8(1) & 1) !== 0) return false
  return view.getUint32(4) !== 0 && (view.getUint32(8) !== 0 || view.getUint8(1) >> 6 < 2)
}

const decoded = { ...packets[0], state: 0 }

function decodeByHand(view) {
  if (!checkByHand(view)) return undefined
  const flags = view.getUint8(1)
  decoded.diagnostic = view.getUint8(0) & 31
  decoded.state = flags >> 6
  decoded.poll = (flags & 0x20) !== 0
  decoded.final = (flags & 0x10) !== 0
  decoded.controlPlaneIndependent = (flags & 8) !== 0
  decoded.demand = (flags & 2) !== 0
  decoded.detectMult = view.getUint8(2)
  decoded.myDiscriminator = view.getUint32(4)
  decoded.yourDiscriminator = view.getUint32(8)
  decoded.desiredMinTxInterval = view.getUint32(12)
  decoded.requiredMinRxInterval = view.getUint32(16)
  decoded.requiredMinEchoRxInterval = view.getUint32(20)
  return decoded
}

const into = new Uint8Array(CONTROL_PACKET_LENGTH)
const intoView = new DataView(into.buffer)

function encodeByHand(packet) {
  const flags = (packet.poll ? 0x20 : 0) | (packet.final ? 0x10 : 0) | (packet.controlPlaneIndependent ? 8 : 0)
  intoView.setUint8(0, 0x20 | packet.diagnostic)
  intoView.setUint8(1, (STATES.indexOf(packet.state) << 6) | flags | (packet.demand ? 2 : 0))
  intoView.setUint8(2, packet.detectMult)
  intoView.setUint8(3, CONTROL_PACKET_LENGTH)
  intoView.setUint32(4, packet.myDiscriminator)
  intoView.setUint32(8, packet.yourDiscriminator)
  intoView.setUint32(12, packet.desiredMinTxInterval)
  intoView.setUint32(16, packet.requiredMinRxInterval)
  intoView.setUint32(20, packet.requiredMinEchoRxInterval)
  return into
}

/** Loops, each a function of its own, so that V8 compiles each for what it calls; the sum is what keeps the work from being left out. */
const LOOPS = {
  decode: [
    rounds => {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += decodeControlPacket(octets[i % PACKETS]).yourDiscriminator
      return sum
    },
    rounds => {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += decodeByHand(views[i % PACKETS]).yourDiscriminator
      return sum
    },
  ],
  check: [
    rounds => {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += checkControlPacket(octets[i % PACKETS]) === undefined ? 1 : 0
      return sum
    },
    rounds => {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += checkByHand(views[i % PACKETS]) ? 1 : 0
      return sum
    },
  ],
  encode: [
    rounds => {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += encodeControlPacket(packets[i % PACKETS], into)[7]
      return sum
    },
    rounds => {
      let sum = 0
      for (let i = 0; i < rounds; i++) sum += encodeByHand(packets[i % PACKETS])[7]
      return sum
    },
  ],
}

/** Nanoseconds of one. */
function time(loop, rounds) {
  const started = performance.now()
  loop(rounds)
  return ((performance.now() - started) * 1e6) / rounds
}

/** @returns rows for `report.mjs` */
export function codec({ quick }) {
  console.error('codec')
  const rounds = quick ? 500_000 : 5_000_000
  return Object.entries(LOOPS).map(([what, [ours, theirs]]) => {
    if (ours(PACKETS) !== theirs(PACKETS)) throw new Error(`${what}: they do not say the same`)
    const row = { what: `${what} a control packet`, unit: 'ns', ours: [], peer: 'by hand', theirs: [] }
    for (let trial = 0; trial < 7; trial++) {
      row.ours.push(Number(time(ours, rounds).toPrecision(3)))
      row.theirs.push(Number(time(theirs, rounds).toPrecision(3)))
    }
    return row
  })
}
