/** A system call failed, or this system has no such sockets. The message says what to do about it. */
export class SocketError extends Error {
  override readonly name = 'SocketError'
  /** @param options.cause what made the call impossible, when it was not the kernel */
  constructor(
    message: string,
    /** The symbolic errno: `'EPERM'`, `'EADDRINUSE'`, ...; `'ENOSYS'` when the addon or the operating system is missing. */
    readonly code: string,
    /** The system call that failed, as its manual page is named: `'bind'`, `'setsockopt'`, ... */
    readonly syscall: string,
    /** The positive error number; 0 when no system call was made. */
    readonly errno: number,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
  }
}
