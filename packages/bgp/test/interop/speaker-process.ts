/** One of our speakers in a process of its own, which a test can kill: `node speaker-process.js JSON`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BgpSpeaker, type BgpSpeakerOptions, type PeerOptions, type Route } from '@typemetal/bgp'

/** What the process is to do. */
export interface SpeakerProcessOptions {
  readonly speaker: BgpSpeakerOptions
  readonly peer: PeerOptions
  readonly routes: readonly Route[]
}

const FILE = fileURLToPath(import.meta.url)

/** @returns kills the process without a word */
export function spawnSpeaker(options: SpeakerProcessOptions): AsyncDisposable {
  const child = spawn(process.execPath, [FILE, JSON.stringify(options)], { stdio: 'inherit' })
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

if (process.argv[1] === FILE) {
  const { speaker, peer, routes } = JSON.parse(process.argv[2] ?? '') as SpeakerProcessOptions
  new BgpSpeaker(speaker).addPeer(peer).setRoutes(routes)
}
