// `npm run bench:wire`: what decoding one message costs, beside binary-parser on the same octets in the same run.
import { decodeArp, decodeEthernet } from '@typemetal/arp-ndp/wire'
import { decodeMessage } from '@typemetal/bgp/wire'
import { Parser } from 'binary-parser'
import { Bench } from 'tinybench'
import { benchArguments, report } from './report.mjs'

const options = benchArguments()
const hex = text => Uint8Array.from(Buffer.from(text, 'hex'))

// AS 65000 announces 192.0.2.1/32 with one community.
const update = hex(
  'ffffffffffffffffffffffffffffffff0037020000001b4001010040020602010000fde84003040a000002c00804fde8006420c0000201',
)
const request = hex('ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000202')

const attribute = new Parser()
  .endianness('big')
  .uint8('flags')
  .uint8('type')
  .uint8('length')
  .buffer('value', { length: 'length' })
const updateParser = new Parser()
  .endianness('big')
  .buffer('marker', { length: 16 })
  .uint16('length')
  .uint8('type')
  .uint16('withdrawnLength')
  .buffer('withdrawnRoutes', { length: 'withdrawnLength' })
  .uint16('attributesLength')
  .array('pathAttributes', { type: attribute, lengthInBytes: 'attributesLength' })
  .uint8('prefixLength')
  .buffer('prefix', { length: 4 })
const arpParser = new Parser()
  .endianness('big')
  .buffer('destination', { length: 6 })
  .buffer('source', { length: 6 })
  .uint16('etherType')
  .uint16('hardwareType')
  .uint16('protocolType')
  .uint8('hardwareLength')
  .uint8('protocolLength')
  .uint16('operation')
  .buffer('senderHardwareAddress', { length: 6 })
  .buffer('senderProtocolAddress', { length: 4 })
  .buffer('targetHardwareAddress', { length: 6 })
  .buffer('targetProtocolAddress', { length: 4 })

/** Medians of several rounds, in nanoseconds a message. */
async function measure(run) {
  const samples = []
  for (let round = 0; round < (options.quick ? 3 : 7); round++) {
    const bench = new Bench({ time: options.quick ? 200 : 1000, warmupTime: 100 }).add('it', run)
    await bench.run()
    samples.push(Math.round(bench.tasks[0].result.latency.p50 * 1e6))
  }
  return samples
}

const row = async (what, ours, theirs) => ({
  what,
  unit: 'ns',
  ours: await measure(ours),
  peer: 'binary-parser',
  theirs: await measure(theirs),
})
report(
  'wire',
  [
    await row(
      'BGP UPDATE, validated to values',
      () => decodeMessage(update),
      () => updateParser.parse(update),
    ),
    await row(
      'Ethernet and ARP request',
      () => decodeArp(decodeEthernet(request).payload),
      () => arpParser.parse(request),
    ),
  ],
  options,
)
