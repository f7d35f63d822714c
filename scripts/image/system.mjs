// What of this machine goes into an image: node, the libraries it is linked with, certificates.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fail } from '../prepare.mjs'

const NODE = '/usr/bin/node'
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
/** The system has no users to speak of; programs ask for names all the same. */
const FILES = {
  '/etc/passwd': [
    'root:x:0:0:root:/:/sbin/nologin',
    'typemetal:x:1000:1000:typemetal:/:/sbin/nologin',
    'nobody:x:65534:65534:nobody:/:/sbin/nologin',
  ],
  '/etc/group': ['root:x:0:', 'typemetal:x:1000:', 'nogroup:x:65534:'],
  '/etc/nsswitch.conf': ['hosts: files dns'],
}

/** Runs a program to its end. @returns what it printed */
export function output(command, ...args) {
  const { stdout, stderr, status, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (error || status !== 0) fail(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/**
 * Puts libraries, certificates and the files of a system's users into a folder.
 *
 * @param programs files whose libraries are wanted
 * @returns path of each library here
 */
export function writeSystem(folder, programs) {
  const libraries = new Set(programs.flatMap(program => librariesOf(program)))
  for (const path of libraries) copy(path, join(folder, path), 0o755)
  // Node has certificates of its own; others find them here.
  if (existsSync(CERTIFICATES)) copy(CERTIFICATES, join(folder, CERTIFICATES), 0o644)
  for (const [path, lines] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${lines.join('\n')}\n`)
  }
  mkdirSync(join(folder, 'tmp'))
  chmodSync(join(folder, 'tmp'), 0o1777)
  return [...libraries]
}

/**
 * Puts the node that runs this into a folder, without its symbols.
 *
 * @param capability whether who runs it gets CAP_NET_RAW without being root
 */
export function writeNode(folder, capability) {
  const path = join(folder, NODE)
  copy(realpathSync(process.execPath), path, 0o755)
  // Those for the linker stay, which addons need.
  output('strip', '--strip-unneeded', path)
  if (!capability) return
  if (process.geteuid() !== 0) fail('a file capability is for root to set: run this as root')
  output('setcap', 'cap_net_raw+ep', path)
}

/** Everything that the linker loads with a program, and the linker. */
function librariesOf(program) {
  const lines = output('ldd', program).split('\n')
  const missing = lines.find(line => line.includes('not found'))
  if (missing) fail(`${program}: ${missing.trim()}`)
  return lines.map(line => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1]).filter(path => path !== undefined)
}

function copy(from, to, mode) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
  chmodSync(to, mode)
}
