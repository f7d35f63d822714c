import { BgpSocketError } from '../errors.js'

type Sockets = typeof import('@typemetal/sockets')

const NAME = '@typemetal/sockets'
const explain = (option: string, cause: unknown): BgpSocketError =>
  new BgpSocketError(`${option} needs the package ${NAME}: npm install ${NAME}`, { cause })

/** Where this module lies when it is no part of a bundle. */
const OWN_FILE = '/node/sockets.js'

/**
 * Why options that need `@typemetal/sockets` cannot work here, in one clause; `undefined` when they can. In a bundle that package is inside,
 * or the bundle could not have been made: whether its addon is there is seen when it is first loaded.
 */
export function missingSockets(): string | undefined {
  if (!import.meta.url.endsWith(OWN_FILE)) return undefined
  try {
    import.meta.resolve(NAME)
    return undefined
  } catch {
    return `the package ${NAME} is not installed`
  }
}

/**
 * Says at once, not at the first connection, that an option cannot work.
 *
 * @throws {BgpSocketError} `@typemetal/sockets` is not installed
 */
export function checkSockets(option: string): void {
  const cause = missingSockets()
  if (cause !== undefined) throw explain(option, cause)
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
