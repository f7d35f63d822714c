import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SocketError } from '../errors.js'

/** The addon's functions. Each returns a number of zero or more, or -errno; see addon/addon.h. */
export interface Native {
  open(domain: number, type: number, protocol: number): number
  close(descriptor: number): number
  release(descriptor: number): number
  bind(descriptor: number, address: Uint8Array): number
  connect(descriptor: number, address: Uint8Array): number
  listen(descriptor: number, backlog: number): number
  name(descriptor: number, into: Uint8Array): number
  setOption(descriptor: number, level: number, name: number, value: Uint8Array): number
  getOption(descriptor: number, level: number, name: number, into: Uint8Array): number
  attachFilter(descriptor: number, instructions: Uint8Array): number
  send(descriptor: number, payloads: readonly Uint8Array[], name?: Uint8Array, control?: Uint8Array): number
  receive(
    descriptor: number,
    arena: Uint8Array,
    slotSize: number,
    nameSpace: number,
    controlSpace: number,
    results: Uint32Array,
  ): number
  watch(descriptor: number, events: number, callback: (status: number, events: number) => void): number
  rewatch(descriptor: number, events: number): number
  unwatch(descriptor: number): number
  openTimer(): number
  setTimer(descriptor: number, seconds: number, nanoseconds: number): number
  readTimer(descriptor: number): number
  setRealTime(priority: number): number
}

/** Messages of one {@link Native.send} or {@link Native.receive} call at most. */
export const MAX_BATCH = 64
/** `uv_poll_event`. */
export const PollEvent = { readable: 1, writable: 2 } as const

const WIDE_ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el']
let loaded: Native | undefined

/**
 * The addon, loaded on first use: importing this package loads nothing and works everywhere.
 *
 * @throws {SocketError} `ENOSYS` on a system that is not Linux, on a 32-bit one, or when the addon was not built
 */
export function native(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  const missing = (message: string, cause?: unknown): SocketError =>
    new SocketError(`@typemetal/sockets: ${message}`, 'ENOSYS', 'dlopen', 0, { cause })
  if (process.platform !== 'linux') throw missing(`Linux only, and this is ${process.platform}`)
  if (!WIDE_ARCHITECTURES.includes(process.arch)) throw missing(`64-bit systems only, and this is ${process.arch}`)
  const folder = fileURLToPath(new URL('../..', import.meta.url))
  try {
    const find = createRequire(import.meta.url)('node-gyp-build') as (folder: string) => Native
    return find(folder)
  } catch (cause) {
    const what = isBroken(cause)
      ? `the native addon does not load (${cause.message})`
      : 'the native addon was not built'
    throw missing(`${what}: run node ${folder}scripts/build-addon.mjs, which needs a C compiler`, cause)
  }
}

/** Whether the addon's file was there. */
const isBroken = (cause: unknown): cause is Error =>
  cause instanceof Error && 'code' in cause && cause.code === 'ERR_DLOPEN_FAILED'
