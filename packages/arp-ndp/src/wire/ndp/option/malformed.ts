import { OPTION_HEADER_LENGTH, type OptionType } from './header.js'

/**
 * An option of a known type whose contents that type does not allow. It does not spoil the message: options that have no
 * business in one are ignored (RFC 4861 §6.1, 7.1, 8.1), and so are bad ones of RFC 4191 §2.3, 8106 §5.3.1 and 8781 §4.
 */
export interface MalformedOption {
  readonly kind: 'malformed'
  readonly type: OptionType
  /** What follows Type and Length; after decoding a view into the input. */
  readonly body: Uint8Array
  /** What is wrong with it. */
  readonly rule: string
}

/** @param option the whole option, whose length the caller has checked */
export const malformed = (option: Uint8Array, rule: string): MalformedOption => ({
  kind: 'malformed',
  type: option[0]!,
  body: option.subarray(OPTION_HEADER_LENGTH),
  rule,
})
