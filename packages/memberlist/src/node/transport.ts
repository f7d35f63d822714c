import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'

/** What comes in. */
export interface TransportListener {
  onPacket(octets: Uint8Array, address: string, port: number): void
  onStream(socket: Socket): void
  onError(error: Error): void
}

/** Sockets of one node: UDP and TCP on one port. */
export interface Transport {
  readonly port: number
  /** @param onError when the system refuses the datagram */
  send(octets: Uint8Array, address: string, port: number, onError: (error: NodeJS.ErrnoException) => void): void
  close(): Promise<void>
}

/** Asked of the system; it gives what it has. */
const RECEIVE_BUFFER = 2 * 1024 * 1024
/** Tries to find a port that is free for both, when any will do. */
const ATTEMPTS = 10

/**
 * Opens the sockets. With port 0 the system chooses.
 *
 * @throws the system's error, its `code` with it, when the address or port cannot be had
 */
export async function openTransport(address: string, port: number, listener: TransportListener): Promise<Transport> {
  for (let attempt = 1; ; attempt++) {
    const server = await listenTcp(address, port, listener)
    const chosen = (server.address() as AddressInfo).port
    try {
      return assemble(server, await bindUdp(address, chosen, listener), chosen)
    } catch (error) {
      await closeServer(server)
      if (port !== 0 || attempt === ATTEMPTS) throw error
    }
  }
}

async function listenTcp(address: string, port: number, listener: TransportListener): Promise<Server> {
  const server = createServer(socket => listener.onStream(socket))
  server.listen({ host: address, port })
  await once(server, 'listening')
  server.on('error', error => listener.onError(error))
  return server
}

async function bindUdp(address: string, port: number, listener: TransportListener): Promise<UdpSocket> {
  const type = isIPv6(address) ? 'udp6' : 'udp4'
  // Every address we send to is an IP literal: without this, Node.js would defer each datagram for a name look-up.
  const lookup: NonNullable<Parameters<typeof createSocket>[0] & object>['lookup'] = (host, _options, callback) =>
    callback(null, host, type === 'udp6' ? 6 : 4)
  const socket = createSocket({ type, lookup, recvBufferSize: RECEIVE_BUFFER })
  try {
    const listening = once(socket, 'listening') // first, since with our look-up bind is done before it returns
    socket.bind({ address, port, exclusive: true })
    await listening
  } catch (error) {
    socket.close()
    throw error
  }
  socket.on('error', error => listener.onError(error))
  socket.on('message', (octets, from) => listener.onPacket(octets, from.address, from.port))
  return socket
}

function assemble(server: Server, udp: UdpSocket, port: number): Transport {
  const mapped = udp.address().family === 'IPv6'
  return {
    port,
    send(octets, address, toPort, onError) {
      // A socket of the one family reaches the other through mapped addresses.
      const to = mapped && !isIPv6(address) ? `::ffff:${address}` : address
      try {
        udp.send(octets, toPort, to, error => {
          if (error) onError(error)
        })
      } catch (error) {
        // Some of what it refuses, such as a port that is none, Node.js throws at once.
        onError(error as NodeJS.ErrnoException)
      }
    },
    async close() {
      const closed = once(udp, 'close')
      udp.close()
      await Promise.all([closed, closeServer(server)])
    },
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  await closed
}
