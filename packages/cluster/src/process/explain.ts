/** A failure in one line, with what to do about it where that is known. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error))
  const known = explainSystemError(error)
  if (known) return known
  // Our own errors and the system's carry a code and are written for the user; all others are faults of the program.
  if ('code' in error) return oneLine(error.message)
  return `unexpected error: ${oneLine(String(error))}${origin(error)}`
}

function explainSystemError(error: NodeJS.ErrnoException & { address?: string; port?: number }): string | undefined {
  const { code, syscall, address, port, path } = error
  if (syscall === 'listen' || syscall === 'bind') {
    const place = `port ${port ?? '?'}${address === undefined ? '' : ` of ${address}`}`
    if (code === 'EADDRINUSE') return `${place} is in use: stop the process that listens there, or choose another port`
    if (code === 'EACCES')
      return `not allowed to listen on ${place}: choose one above 1023, or run with CAP_NET_BIND_SERVICE`
    if (code === 'EADDRNOTAVAIL') return `cannot listen on ${place}: the address belongs to no interface of this host`
  }
  if (path === undefined) return undefined
  if (code === 'ENOENT')
    return syscall?.startsWith('spawn') ? `command ${path} is not installed` : `${path} does not exist`
  if (code === 'EACCES' || code === 'EPERM') return `not allowed to access ${path}: check its owner and mode`
  if (code === 'EROFS') return `cannot write ${path}: the file system is read-only`
  return undefined
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')

/** The innermost place in the code, for the report of a fault. */
function origin(error: Error): string {
  const frame = error.stack?.split('\n').find(line => line.trimStart().startsWith('at '))
  return frame === undefined ? '' : ` (${frame.trim()})`
}
