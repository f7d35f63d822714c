import { BgpSocketError } from '../errors.js'

type Sockets = typeof import('@typemetal/sockets')

const NAME = '@typemetal/sockets'
const explain = (option: string, cause: unknown): BgpSocketError =>
  new BgpSocketError(`${option} needs the package ${NAME}: npm install ${NAME}`, { cause })

/**
 * Says at once, not at the first connection, that an option cannot work.
 *
 * @throws {BgpSocketError} `@typemetal/sockets` is not installed
 */
export function checkSockets(option: string): void {
  try {
    import.meta.resolve(NAME)
  } catch (error) {
    throw explain(option, error)
  }
}

/**
 * The optional package with the socket options that Node.js lacks, loaded when something first needs it.
 *
 * @throws {BgpSocketError} it is not installed
 */
export async function loadSockets(): Promise<Sockets> {
  try {
    return await import('@typemetal/sockets')
  } catch (error) {
    throw explain('a socket option', error)
  }
}
