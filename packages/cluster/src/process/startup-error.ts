/** The process cannot start, and this sentence tells the user what to do about it. */
export class StartupError extends Error {
  readonly code = 'ERR_STARTUP'
}
