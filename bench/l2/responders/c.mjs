// A responder in C: a blocking recvmmsg, a table, a sendmmsg, and no more.
import { compiler, RANGES } from '../far-end.mjs'

/** @type {import('../scene.mjs').Kind} */
export const c = {
  id: 'c',
  name: 'C in user space',
  process: true,
  version: compiler,
  async start({ host, program, protocol, count, range }) {
    const argv = [program, 'respond', 'eth0', protocol, RANGES[protocol][range], String(count)]
    const process = host.spawn(argv, { name: 'respond' })
    await process.waitForLine(line => line.startsWith('{"ready"'))
    /** It announces what it is asked to have, and goes on answering for what it had. */
    const ask = async (_, { first }) => {
      const called = Date.now()
      await host.exec([program, 'announce', 'eth0', protocol, RANGES[protocol].first, String(first)])
      return { called }
    }
    return { process, ask }
  },
}
