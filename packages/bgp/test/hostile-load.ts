/** Peers that ask too much of a speaker, and what it costs it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BgpSpeaker, type BgpSpeakerOptions } from '@typemetal/bgp'
import { createOpen } from '@typemetal/bgp/fsm'
import { encodeMessage, type Nlri, type OpenMessage } from '@typemetal/bgp/wire'
import { Witness } from './fuzz/witness.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export const LOCAL = '127.0.0.1'
/** Where the hostile peer comes from. */
export const HOSTILE = '127.0.2.1'
const WITNESS = '127.0.9.1'
const FAMILIES = ['ipv4-unicast', 'ipv6-unicast'] as const

/** Octets that live on the heap and in array buffers, garbage aside. */
export function memoryHeld(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

export const pause = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

/** Octets in the place of a message that would only be encoded again. */
export const repeat = (octets: Uint8Array, times: number): Uint8Array =>
  Buffer.concat(Array.from({ length: times }, () => octets))

/** 10.x.y.0/24 by number. */
export const prefix24 = (number: number): Nlri => ({ length: 24, prefix: Uint8Array.of(10, number >> 8, number) })

/** The hostile peer's OPEN. */
export const hostileOpen = (more: Partial<Parameters<typeof createOpen>[0]> = {}): OpenMessage =>
  createOpen({ asn: 64_513, bgpIdentifier: 66, holdTime: 0, families: FAMILIES, ...more })

export interface HostileScene extends AsyncDisposable {
  readonly speaker: BgpSpeaker
  /** The session beside, which is to notice nothing. */
  readonly witness: Witness
  /** A TCP connection of the hostile peer. @param allowHalfOpen it does not close because we do */
  dial(localAddress?: string, allowHalfOpen?: boolean): Promise<Socket>
  /** One with an Established session on it. */
  establish(open?: OpenMessage): Promise<Socket>
}

/** A speaker with a well-behaved peer, and another that is to be feared. */
export async function openScene(
  options: Partial<BgpSpeakerOptions> = {},
  peer: Partial<Parameters<BgpSpeaker['addPeer']>[0]> = {},
): Promise<HostileScene> {
  const listen = { address: LOCAL, port: 0 }
  const speaker = new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.0.0.1', listen, ...options })
  speaker.addPeer({ address: WITNESS, asn: 64_999, passive: true, propagate: true })
  const hostile = speaker.addPeer({ address: HOSTILE, asn: 64_513, passive: true, propagate: true, ...peer })
  await speaker.start()
  const witness = await Witness.connect(speaker.port!, WITNESS, 64_999)
  const sockets: Socket[] = []
  const dial = async (localAddress = HOSTILE, allowHalfOpen = false): Promise<Socket> => {
    const socket = connect({ host: LOCAL, port: speaker.port!, localAddress, allowHalfOpen })
    socket.on('error', () => {})
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }
  return {
    speaker,
    witness,
    dial,
    async establish(open = hostileOpen()) {
      const established = new Promise<void>(resolve => hostile.on('state', to => to === 'Established' && resolve()))
      const socket = await dial()
      socket.write(encodeMessage(open))
      socket.write(encodeMessage({ type: 'keepalive' }))
      await established
      return socket
    },
    async [Symbol.asyncDispose]() {
      witness.close()
      for (const socket of sockets) socket.destroy()
      await speaker.close()
    },
  }
}
