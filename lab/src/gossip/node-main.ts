/**
 * A ring node on `@typemetal/memberlist` in a process of its own, driven by lines on standard input, as the Go one in
 * `lab/peers/go` is: same options, same commands, same lines of output.
 */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { type Logger, type Member, Memberlist, type Preset } from '@typemetal/memberlist'
import type { Said } from './said.js'

const { values } = parseArgs({
  options: {
    name: { type: 'string', default: '' },
    bind: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '7946' },
    key: { type: 'string' },
    label: { type: 'string', default: '' },
    preset: { type: 'string', default: 'lan' },
    meta: { type: 'string' },
  },
})

const say = (said: Omit<Said, 'at'>): void => {
  process.stdout.write(`${JSON.stringify({ ...said, at: performance.timeOrigin + performance.now() })}\n`)
}
const octets = (base64 = ''): Uint8Array => Buffer.from(base64, 'base64')
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString()
const logLine =
  (level: string) =>
  (fields: object, message: string): void =>
    say({ event: 'log', line: `[${level}] ${message} ${JSON.stringify(fields)}` })
const log: Logger = {
  debug() {},
  info: logLine('INFO'),
  warn: logLine('WARN'),
  error: logLine('ERR'),
  child: () => log,
}

const list = new Memberlist({
  name: values.name,
  bindAddress: values.bind,
  bindPort: Number(values.port),
  preset: values.preset as Preset,
  label: values.label,
  log,
  delegate: { localState: () => Buffer.from('state of a Node.js node') },
  ...(values.key === undefined ? {} : { secretKeys: [octets(values.key)] }),
  ...(values.meta === undefined ? {} : { meta: Buffer.from(values.meta) }),
})
for (const event of ['join', 'leave', 'update'] as const)
  list.on(event, ({ name, meta }) => say({ event, node: name, meta: text(meta) }))
list.on('conflict', ({ name }) => say({ event: 'conflict', node: name }))
list.on('message', payload => say({ event: 'message', payload: text(payload) }))
list.on('remoteState', state => say({ event: 'remoteState', payload: text(state) }))

function find(name: string | undefined): Member {
  const member = list.members().find(member => member.name === name)
  if (!member) throw new RangeError(`no member ${name}`)
  return member
}

async function perform(command: string | undefined, words: readonly string[]): Promise<Omit<Said, 'at'>> {
  const [first, ...rest] = words
  switch (command) {
    case 'join':
      return { contacted: await list.join(words) }
    case 'members':
      return {
        members: list
          .members()
          .map(({ name }) => name)
          .toSorted(),
      }
    case 'leave':
      await list.leave()
      return {}
    case 'send':
      list.sendBestEffort(find(first), Buffer.from(rest.join(' ')))
      return {}
    case 'reliable':
      await list.sendReliable(find(first), Buffer.from(rest.join(' ')))
      return {}
    case 'meta':
      await list.updateMeta(Buffer.from(first ?? ''))
      return {}
    case 'addkey':
      list.keyring.add(octets(first))
      return {}
    case 'usekey':
      list.keyring.use(octets(first))
      return {}
    case 'removekey':
      list.keyring.remove(octets(first))
      return {}
    case 'counters': {
      const { packetFaults, streamFaults, notes } = list.counters
      return { faults: { ...packetFaults, ...(streamFaults > 0 ? { streamFaults } : {}) }, notes }
    }
    default:
      throw new RangeError(`no command ${command}`)
  }
}

async function answer(line: string): Promise<void> {
  const [command, ...words] = line.trim().split(/\s+/)
  if (command === 'quit') process.exit()
  try {
    say({ answer: command ?? '', ...(await perform(command, words)) })
  } catch (error) {
    say({ answer: command ?? '', error: String(error) })
  }
}

await list.start()
say({ event: 'ready' })
// One after the other, as the Go program does: answers come in the order of the commands.
for await (const line of createInterface(process.stdin)) await answer(line)
process.exit()
