/** What went wrong in the lab, for programs; the message is for people and says what to do. */
export type LabErrorCode =
  | 'ERR_LAB_NO_IP_COMMAND'
  | 'ERR_LAB_PRIVILEGE'
  | 'ERR_LAB_COMMAND'
  | 'ERR_LAB_PROCESS'
  | 'ERR_LAB_TIMEOUT'
  | 'ERR_LAB_MISSING_PACKAGE'
  | 'ERR_LAB_CHECK'
  | 'ERR_LAB_API'

/** Any failure of the lab itself. */
export class LabError extends Error {
  override readonly name = 'LabError'
  constructor(
    readonly code: LabErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** `error` as one line of text, whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
