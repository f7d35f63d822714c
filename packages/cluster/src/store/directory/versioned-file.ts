import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConflictError } from '../store.js'

/** Milliseconds after which a claim counts as left behind by a process that died. A write takes one or two. */
const CLAIM_LIFETIME = 2000
/** Version of a file that is not there. */
export const ABSENT = 0

/** Options of {@link replaceFile}. */
export interface ReplaceOptions {
  /** Version that the file must have; {@link ABSENT} for none; `undefined` for any. */
  readonly expected: number | undefined
  /** Version in a file's text; {@link ABSENT} when there is none in it. */
  readonly versionOf: (text: string) => number
  /** New text; `version` is larger than every earlier one. */
  readonly render: (version: number, present: string | undefined) => string
  /** What the file is about, for messages. */
  readonly subject: string
  /** File mode. @default 0o644 */
  readonly mode?: number
}

/** What {@link replaceFile} wrote. */
export interface Replaced {
  readonly text: string
  readonly version: number
}

/**
 * Replaces a small file if it still has the version that the caller has read, also against other processes: a compare-and-swap.
 * Who first makes the file `.FILE.after-VERSION` may write what follows that version; everybody else gets a conflict. It holds the
 * new text and then takes the file's place by rename, so readers see the old or the new text, never a part.
 *
 * @throws {ConflictError} the file has another version, or another process is writing
 */
export async function replaceFile(path: string, options: ReplaceOptions): Promise<Replaced> {
  for (;;) {
    const { text, version: present } = await readVersion(path, options)
    if (options.expected !== undefined && options.expected !== present) throw conflict(options)
    const version = Math.max(present + 1, Date.now())
    const replacement = options.render(version, text)
    if (await swap(path, present, replacement, options)) return { text: replacement, version }
    if (options.expected !== undefined) throw conflict(options)
    await new Promise(resolve => setTimeout(resolve, 1 + Math.random() * 5))
  }
}

/** Reads a file's text and version; {@link ABSENT} when there is no such file. */
async function readVersion(
  path: string,
  { versionOf }: ReplaceOptions,
): Promise<{ text: string | undefined; version: number }> {
  const text = await readIfThere(path)
  return { text, version: text === undefined ? ABSENT : versionOf(text) }
}

/** Text of a file, or `undefined` when it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whether an error says that a file, or the folder it would be in, is not there. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function swap(path: string, present: number, text: string, options: ReplaceOptions): Promise<boolean> {
  const claim = join(dirname(path), `.${basename(path)}.after-${present}`)
  if (!(await writeNew(claim, text, options.mode ?? 0o644))) {
    await settleAbandoned(claim, path, options)
    return false
  }
  // The claim keeps others from following `present`, but somebody may have done so before it was made.
  if ((await readVersion(path, options)).version !== present) {
    await removeIfThere(claim)
    return false
  }
  return finish(claim, path, text)
}

/** Writes a file that must be new; false when there is one. */
async function writeNew(path: string, text: string, mode: number): Promise<boolean> {
  try {
    await writeFile(path, text, { mode, flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    if (isMissing(error)) {
      await mkdir(dirname(path), { recursive: true })
      return writeNew(path, text, mode)
    }
    await removeIfThere(path) // a full disk leaves a part of it
    throw error
  }
}

/** Completes the write of a process that died between its claim and the rename; or forgets it, if nothing had been written yet. */
async function settleAbandoned(claim: string, path: string, { versionOf }: ReplaceOptions): Promise<void> {
  try {
    const { mtimeMs } = await stat(claim)
    if (Date.now() - mtimeMs < CLAIM_LIFETIME) return
    if (versionOf(await readFile(claim, 'utf8')) === ABSENT) await unlink(claim)
    else await rename(claim, path)
  } catch (error) {
    if (!isMissing(error)) throw error // somebody else has done it
  }
}

/** Removes a file; not being there is fine. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** When the claim is gone, somebody took us for dead: our write counts only if it was completed for us. */
async function finish(claim: string, path: string, text: string): Promise<boolean> {
  try {
    await rename(claim, path)
    return true
  } catch (error) {
    if (isMissing(error)) return (await readIfThere(path)) === text
    throw error
  }
}

const conflict = ({ subject }: ReplaceOptions): ConflictError =>
  new ConflictError(`${subject} was changed by somebody else`)
