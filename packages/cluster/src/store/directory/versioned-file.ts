import { copyFile, link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
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
  /** Version in a file's text. */
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
 * Replaces a small file if it still has the version that the caller has read, also against other processes: a compare-and-swap
 * made of a hard link. Who links the new text to the name `.FILE.after-VERSION` first may write the version that follows; everybody
 * else gets a conflict. The new text then takes the file's place by rename, so readers see the old or the new one, never a part.
 *
 * @throws {ConflictError} the file has another version, or another process is writing
 */
export async function replaceFile(path: string, options: ReplaceOptions): Promise<Replaced> {
  await mkdir(dirname(path), { recursive: true })
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

let written = 0

async function swap(path: string, present: number, text: string, options: ReplaceOptions): Promise<boolean> {
  const hidden = join(dirname(path), `.${basename(path)}`)
  const claim = `${hidden}.after-${present}`
  const temporary = `${hidden}.${process.pid}.${written++}`
  await writeFile(temporary, text, { mode: options.mode ?? 0o644 })
  try {
    if (!(await linkNew(temporary, claim))) {
      await finishAbandoned(claim, path)
      return false
    }
  } finally {
    await rm(temporary, { force: true })
  }
  // The claim excludes others from following `present`, but somebody may have done so before it was made.
  if ((await readVersion(path, options)).version !== present) {
    await rm(claim, { force: true })
    return false
  }
  return renameIfThere(claim, path)
}

/** Gives a file a second name that must be free. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
      // Some file systems know no hard links; there a copy must do, which another process could read half-written.
      if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(error.code ?? '')) throw error
      await copyFile(from, to, 1 /* COPYFILE_EXCL */)
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Completes the write of a process that died between its claim and the rename. */
async function finishAbandoned(claim: string, path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(claim)
    if (Date.now() - mtimeMs > CLAIM_LIFETIME) await rename(claim, path)
  } catch (error) {
    if (!isMissing(error)) throw error // it was completed meanwhile
  }
}

/** When the claim is gone, somebody took us for dead and completed the write, which is as good. */
async function renameIfThere(from: string, to: string): Promise<true> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return true
}

const conflict = ({ subject }: ReplaceOptions): ConflictError =>
  new ConflictError(`${subject} was changed by somebody else`)
