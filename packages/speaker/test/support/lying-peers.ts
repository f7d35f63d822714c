/** Peers that lie, each on an address of its own, all in one process of a host. */
import type { Host, LabProcess } from '@typemetal/lab'

/** What each of them does with whoever connects. */
export const LIARS = {
  '10.10.0.2': 'says an AS that it does not have',
  '10.10.0.3': 'refuses every OPEN',
  '10.10.0.4': 'sends noise',
  '10.10.0.5': 'hangs up at once',
  '10.10.0.6': 'accepts and says nothing',
  '10.10.0.7': 'has a session, and then sends an UPDATE that is none',
} as const

const MARKER = 'ff'.repeat(16)
/** AS 64999 and AS 64513, Hold Time 90, BGP Identifier 10.10.0.2 and 10.10.0.7; no capabilities. */
const WRONG_OPEN = `${MARKER}001d0104fde7005a0a0a000200`
const OPEN = `${MARKER}001d0104fc01005a0a0a000700`
const KEEPALIVE = `${MARKER}001304`
/** Cease, Connection Rejected. */
const REFUSAL = `${MARKER}0015030605`
/** Withdrawn Routes Length far beyond the message. */
const BAD_UPDATE = `${MARKER}001702ffff0000`

const CODE = `
const { createServer } = require('node:net')
const { randomBytes } = require('node:crypto')
const hex = text => Buffer.from(text, 'hex')
const acts = {
  '10.10.0.2': socket => socket.once('data', () => socket.write(hex('${WRONG_OPEN}'))),
  '10.10.0.3': socket => socket.once('data', () => socket.end(hex('${REFUSAL}'))),
  '10.10.0.4': socket => socket.write(randomBytes(65536)),
  '10.10.0.5': socket => socket.destroy(),
  '10.10.0.6': () => {},
  '10.10.0.7': socket => socket.once('data', () => {
    socket.write(hex('${OPEN}${KEEPALIVE}'))
    socket.once('data', () => socket.write(hex('${BAD_UPDATE}')))
  }),
}
for (const [address, act] of Object.entries(acts)) {
  createServer(socket => {
    console.log('met', address, Math.round(performance.now()))
    socket.on('error', () => {})
    socket.on('data', () => {})
    act(socket)
  }).listen(179, address, () => console.log('ready', address))
}
`

/** Starts them; each prints `met ADDRESS AT` for every connection, `AT` in milliseconds of their own clock. */
export async function startLiars(host: Host): Promise<LabProcess> {
  const addresses = Object.keys(LIARS)
  await host.exec(['sh', '-c', addresses.map(address => `ip address add ${address}/24 dev eth0`).join('; ')])
  const liars = host.spawn([process.execPath, '-e', CODE], { name: 'liars' })
  for (const address of addresses) await liars.waitForLine(line => line === `ready ${address}`)
  return liars
}
