/** One of our speakers with BFD in a process of its own, for another network namespace: `node bfd-speaker-process.js JSON`. */
import { fileURLToPath } from 'node:url'
import { BgpSpeaker, type BgpSpeakerOptions, type PeerOptions, type Route } from '@typemetal/bgp'
import { Bfd } from '@typemetal/bgp/bfd'
import type { Host } from './interop/namespace.js'

/** What the process is to do. */
export interface BfdSpeakerProcessOptions {
  readonly speaker: BgpSpeakerOptions
  readonly peer: PeerOptions
  readonly routes: readonly Route[]
}

const FILE = fileURLToPath(import.meta.url)

/** Starts it there; with SIGTERM it takes leave of its peer. */
export const spawnBfdSpeaker = (host: Host, options: BfdSpeakerProcessOptions): ReturnType<Host['spawn']> =>
  host.spawn(process.execPath, [FILE, JSON.stringify(options)])

if (process.argv[1] === FILE) {
  const { speaker, peer, routes } = JSON.parse(process.argv[2] ?? '') as BfdSpeakerProcessOptions
  const bfd = await Bfd.start()
  const node = new BgpSpeaker({ ...speaker, bfd })
  await node.start()
  node.addPeer(peer).setRoutes(routes)
  process.once('SIGTERM', () => void node.close().then(() => bfd.close()))
}
