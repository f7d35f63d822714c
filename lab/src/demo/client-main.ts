/** The client's process: asks Services by HTTP and the LAN by ARP and NDP, as told on standard input ({@link ClientRequest}). */
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { resolve } from '@typemetal/arp-ndp'
import { messageOf } from '../errors.js'
import { monotonic, type ClientReply, type ClientRequest, type Outcome } from './client-protocol.js'

const INTERFACE = 'eth0'
const loops = new Map<number, NodeJS.Timeout>()

const reply = (message: ClientReply): void => console.log(JSON.stringify(message))

/** One request on a connection of its own, as a new client would make it. @returns the body */
function fetchOnce(url: string, timeout: number): Promise<string> {
  return new Promise((yes, no) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeout) }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => (response.statusCode === 200 ? yes(body) : no(new Error(`HTTP ${response.statusCode}`))))
      response.on('error', no)
    })
    request.on('error', no)
  })
}

/** `ECONNREFUSED` and the like, `timeout` for our own deadline. */
function reason(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return 'timeout'
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : messageOf(error)
}

async function ask(url: string, timeout: number): Promise<Outcome> {
  const started = monotonic()
  try {
    const body = await fetchOnce(url, timeout)
    return { started, ended: monotonic(), node: body.split(' ')[0] ?? '' }
  } catch (error) {
    return { started, ended: monotonic(), error: reason(error) }
  }
}

async function handle(request: ClientRequest): Promise<void> {
  const { id } = request
  switch (request.do) {
    case 'get':
      reply({ id, body: await fetchOnce(request.url, request.timeout) })
      break
    case 'resolve': {
      const answers = await resolve({ interface: INTERFACE, address: request.address, timeout: request.timeout })
      reply({ id, macs: [...new Set(answers.map(answer => answer.mac))] })
      break
    }
    case 'ask': {
      const tick = (): void => void ask(request.url, request.timeout).then(outcome => reply({ id, outcome }))
      loops.set(id, setInterval(tick, request.interval))
      break
    }
    case 'stop':
      clearInterval(loops.get(id))
      loops.delete(id)
      break
    default:
      request satisfies never
  }
}

createInterface(process.stdin).on('line', line => {
  const request = JSON.parse(line) as ClientRequest
  handle(request).catch((error: unknown) => reply({ id: request.id, error: reason(error) }))
})
