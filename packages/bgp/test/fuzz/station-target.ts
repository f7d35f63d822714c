/** A whole BMP station on the loopback: an octet that chooses the pieces, then what a router sends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { BmpError, BmpStation, encodeBmpMessage } from '@typemetal/bgp/bmp'
import { EXAMPLES } from '../bmp-messages.js'
import { OctetSource } from './octet-source.js'
import type { Attempt, FuzzTarget } from '@typemetal/lab'
import { untilTrue } from './witness.js'

const INITIATION = encodeBmpMessage({ type: 'initiation', information: [] })
const LOCAL = '127.0.0.1'

async function open(): Promise<Attempt> {
  const station = new BmpStation({ host: LOCAL, port: 0, maxPeers: 50 })
  await station.start()
  let ended = 0
  let initiations = 0
  const faults: unknown[] = []
  station.on('initiation', () => initiations++)
  station.on('disconnected', (_, error) => {
    ended++
    if (error !== undefined && !(error instanceof BmpError)) faults.push(error)
  })
  const onException = (error: Error): void => void faults.push(error)
  process.on('uncaughtException', onException)
  const good = connect(station.port!, LOCAL)
  await once(good, 'connect')
  return {
    async run(input) {
      const source = new OctetSource(input)
      const size = 1 + source.uint8() * 8
      const octets = source.rest()
      const before = ended
      const socket = connect(station.port!, LOCAL)
      socket.on('error', () => {})
      await once(socket, 'connect')
      for (let at = 0; at < octets.length && socket.writable; at += size) socket.write(octets.slice(at, at + size))
      socket.end()
      await untilTrue(() => ended > before, 60_000)
      socket.destroy()
      assert.equal(ended, before + 1, 'the connection of the router is over')
      const heard = initiations
      good.write(INITIATION)
      await untilTrue(() => initiations > heard, 60_000)
      assert.equal(initiations, heard + 1, 'another router is listened to still')
      assert.deepEqual(faults, [])
    },
    async close() {
      process.off('uncaughtException', onException)
      good.destroy()
      await station.close()
    },
  }
}

export const STATION: FuzzTarget = {
  name: 'bmp-station',
  claim: 'RFC 7854 section 3.3: a router may send anything; at worst its own connection ends',
  corpus: () => {
    const all = EXAMPLES.map(message => encodeBmpMessage(message))
    return all.map((octets, i) => Uint8Array.from([i * 5, ...INITIATION, ...octets, ...all[(i * 3) % all.length]!]))
  },
  open,
}
