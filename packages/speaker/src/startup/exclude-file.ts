/** MetalLB's list of interfaces that layer 2 leaves alone, `excludel2.yaml`. */
import { readFile } from 'node:fs/promises'
import { isFields } from '@typemetal/cluster'
import { StartupError } from '@typemetal/cluster/process'
import { parse } from 'yaml'
import { fromRE2 } from './re2.js'

/** Nobody is behind the loopback interface; answering there can only do harm. */
const ALWAYS = '^lo$'
const KEY = 'announcedInterfacesToExclude'

/**
 * Reads the patterns; a missing file excludes nothing but `lo`.
 * @throws {StartupError} unreadable, not YAML, or a pattern that is no regular expression
 */
export async function readExcludedInterfaces(file: string): Promise<readonly string[]> {
  try {
    return [ALWAYS, ...parseExcludedInterfaces(await readFile(file, 'utf8'))]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [ALWAYS]
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartupError(`${file} cannot be used: ${reason}`, { cause: error })
  }
}

/**
 * The patterns in the text of the file, which are RE2's, as regular expressions of JavaScript.
 * @throws {RangeError} the list is of another shape, or holds what is no regular expression
 */
export function parseExcludedInterfaces(text: string): readonly string[] {
  const document: unknown = parse(text)
  const list = isFields(document) ? (document[KEY] ?? []) : []
  if (document !== null && !isFields(document)) throw new RangeError(`it holds no field ${KEY}`)
  if (!Array.isArray(list)) throw new RangeError(`${KEY} must be a list`)
  return list.map(pattern => {
    if (typeof pattern !== 'string') throw new RangeError(`${KEY} holds ${JSON.stringify(pattern)}, which is no text`)
    try {
      return fromRE2(pattern)
    } catch (error) {
      throw new RangeError(`${KEY} holds "${pattern}", which cannot be used: ${(error as Error).message}`)
    }
  })
}
