// `npm run soak -- [--minutes N] [--services N] [--rate N] [--seed N] [--json FILE] [--node-flags=TEXT]`: the real speaker, with ten BGP
// peers and layer 2, while Services, endpoints, its Node, its interfaces, its peers and the configuration come and go. It passes when memory
// is flat, no descriptor is left open and what is announced in the end is what should be. A day: --minutes 1440.
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Lab, needsUserNamespace } from '@typemetal/lab'
import { PEERS, PLACE } from '../bench/speaker/objects.mjs'

const MAIN = fileURLToPath(new URL('../packages/speaker/dist/main.js', import.meta.url))
const FAR_END = fileURLToPath(new URL('../bench/speaker/far-end.mjs', import.meta.url))
const INSIDE = fileURLToPath(new URL('soak/inside.mjs', import.meta.url))
const PORT = 9999
/** Milliseconds beyond the churn: to start, to come to rest, to stop. */
const PATIENCE = 5 * 60_000

function fail(message) {
  console.error(`soak: ${message}`)
  process.exit(1)
}

function readArguments() {
  const number = { type: 'string' }
  const { values } = parseArgs({
    options: {
      minutes: { ...number, default: '5' },
      services: { ...number, default: '300' },
      rate: { ...number, default: '10' },
      seed: { ...number, default: String(Date.now() % 2 ** 31) },
      json: { type: 'string' },
      'node-flags': { type: 'string' },
    },
  })
  const { json, 'node-flags': nodeFlags, ...texts } = values
  const numbers = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]))
  const wrong = Object.entries(numbers).find(([, value]) => !(value > 0))
  if (wrong) fail(`--${wrong[0]} wants a number above 0`)
  return { json, ...numbers, ...(nodeFlags !== undefined && { nodeFlags: nodeFlags.split(' ').filter(Boolean) }) }
}

const { json, ...options } = readArguments()
if (!existsSync(MAIN)) fail('npm run build comes first')
if (needsUserNamespace()) fail('wants root, to make network namespaces')

/** Runs it to its end. @returns the verdict; `undefined` when it ended early, with the last words */
async function soak() {
  const lab = await Lab.create()
  try {
    return await soakIn(lab)
  } finally {
    await lab[Symbol.asyncDispose]()
  }
}

async function soakIn(lab) {
  const [lan, spare] = [await lab.bridge('lan'), await lab.bridge('spare')]
  const at = address => `${address}/${PLACE.mask}`
  const peers = Array.from({ length: PEERS }, (_, i) => at(PLACE.peer(i)))
  const far = await lab.host('far', { links: [{ bridge: lan, addresses: [at(PLACE.far), ...peers] }] })
  const links = [{ bridge: lan, addresses: [at(PLACE.node)] }, { bridge: spare }]
  const node = await lab.host('node', { links })
  const end = far.spawn([process.execPath, FAR_END, String(PORT), 'eth0'], { name: 'far-end' })
  await end.waitForLine(line => line === 'listening')
  const settings = JSON.stringify({ ...options, program: MAIN, port: PORT, directory: lab.directory })
  const inside = node.spawn([process.execPath, INSIDE, settings], { name: 'soak' })
  const timer = setTimeout(() => inside.kill('SIGKILL'), options.minutes * 60_000 + PATIENCE)
  let verdict
  inside.on('line', line => {
    if (line.startsWith('{"verdict"')) verdict = JSON.parse(line)
    else console.error(line)
  })
  await inside.exited
  clearTimeout(timer)
  return { verdict, words: inside.tail(20) }
}

const { verdict, words } = await soak()
if (!verdict) fail(`it has ended early${words}`)
if (json) writeFileSync(json, `${JSON.stringify({ ...options, ...verdict }, null, 2)}\n`)
for (const line of verdict.verdict) console.log(line)
process.exitCode = verdict.ok ? 0 : 1
