/** Base of every error this package makes; compare {@link MemberlistError.code}, not the message. */
export abstract class MemberlistError extends Error {
  abstract readonly code: `ERR_MEMBERLIST_${string}`
  /** The name of the class, for logs. */
  override get name(): string {
    return this.constructor.name
  }
}

/** A join reached nobody: each cause is the failure of one address. */
export class JoinError extends MemberlistError {
  override readonly code = 'ERR_MEMBERLIST_JOIN'
  constructor(
    message: string,
    /** One error per address tried, in the order of the call. */
    readonly errors: readonly Error[],
  ) {
    super(message, { cause: errors[0] })
  }
}

/** The node is not in a state for what was asked: not started, or closed already. */
export class StateError extends MemberlistError {
  override readonly code = 'ERR_MEMBERLIST_STATE'
}

/** A peer did not do its part of an exchange: no answer in time, a refused connection, an error reply. */
export class ExchangeError extends MemberlistError {
  override readonly code = 'ERR_MEMBERLIST_EXCHANGE'
}
