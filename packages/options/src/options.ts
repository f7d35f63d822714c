/** All options of a call against a table of their kinds. */
import { type Kind, type Kinds, type Synonyms, wrongType } from './kind.js'
import { listed, nearest } from './names.js'

type Table = Readonly<Record<string, Kind<unknown>>>

/**
 * Options inside of an option: their names have its own in front.
 *
 * @typeParam O their type
 */
export const record =
  <O extends object>(kinds: Kinds<O>, synonyms: Synonyms<O> = {}): Kind<O> =>
  (name, value) =>
    checkRecord(name, value, kinds, synonyms, `${name}.`)

/**
 * Looks at all options of a call: an object that has no names but those of the table, and a value of its kind for each.
 *
 * @typeParam O the options' type
 * @param called what the options are to the caller, where they are no object at all
 * @throws {TypeError | RangeError} the message begins with the name of the option
 */
export function checkOptions<O extends object>(
  given: unknown,
  kinds: Kinds<O>,
  synonyms: Synonyms<O> = {},
  called = 'options',
): asserts given is O {
  checkRecord(called, given, kinds, synonyms, '')
}

function checkRecord<O extends object>(
  called: string,
  value: unknown,
  kinds: Kinds<O>,
  synonyms: Synonyms<O>,
  prefix: string,
): O {
  const table = kinds as unknown as Table
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(called, `an object${needed(table)}`, value)
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(table, name)) throw unknownOption(name, Object.keys(table), synonyms, prefix)
  }
  const given = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(table)) table[name]!(`${prefix}${name}`, given[name])
  return value as O
}

function needed(table: Table): string {
  const names = Object.keys(table).filter(name => !('optional' in table[name]!))
  return names.length === 0 ? '' : ` with ${listed(names)}`
}

function unknownOption(
  name: string,
  known: readonly string[],
  synonyms: Readonly<Record<string, string>>,
  prefix: string,
): TypeError {
  const meant = Object.hasOwn(synonyms, name) ? synonyms[name]! : nearest(name, known)
  const hint = meant === undefined ? `the options here are ${listed(known)}` : `did you mean ${prefix}${meant}?`
  return new TypeError(`${prefix}${name} is not an option: ${hint}`)
}
