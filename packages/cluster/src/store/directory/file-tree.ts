import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './versioned-file.js'

/** What {@link listFiles} has found. */
export interface Listing {
  /** What is at the path itself, see {@link identityOf}; `undefined` when that could not be seen. */
  readonly identity: string | undefined
  /** Files with a signature that changes when they do. */
  readonly files: ReadonlyMap<string, string>
  /** Directories that were read, and those that could not be. */
  readonly directories: ReadonlySet<string>
  /** Files and directories that could not be looked at, and why: what is there, or below, is not known. */
  readonly failures: ReadonlyMap<string, Error>
}

/**
 * Lists the files below a directory, at any depth; follows symbolic links. Hidden entries are left out:
 * editors and Kubernetes volumes (`..data`) keep their scratch there.
 *
 * @param path where to begin; may be a file
 * @param accepts which paths to look at
 * @param onDirectory told of each directory, and which one it is ({@link identityOf}), before its entries are read, so that a watch
 *   set there misses nothing
 * @returns `undefined` when nothing is at `path`
 */
export async function listFiles(
  path: string,
  accepts: (path: string) => boolean,
  onDirectory: (path: string, identity: string) => void,
): Promise<Listing | undefined> {
  const files = new Map<string, string>()
  const directories = new Set<string>()
  const failures = new Map<string, Error>()
  const visited = new Set<string>()
  let first: string | undefined
  const visit = async (path: string): Promise<boolean> => {
    try {
      const found = await statIfThere(path)
      if (!found) return false
      first ??= identity(found)
      if (!found.isDirectory()) {
        files.set(path, signature(found))
        return true
      }
      // A link that leads back up would never end.
      const id = `${found.dev}:${found.ino}`
      if (visited.has(id)) return true
      visited.add(id)
      directories.add(path)
      onDirectory(path, identity(found))
      const names = (await readdir(path)).filter(name => !name.startsWith('.')).toSorted()
      await Promise.all(
        names
          .map(name => join(path, name))
          .filter(accepts)
          .map(visit),
      )
    } catch (error) {
      // It was there a moment ago.
      if (isMissing(error)) return false
      failures.set(path, error as Error)
    }
    return true
  }
  return (await visit(path)) ? { identity: first, files, directories, failures } : undefined
}

/** What tells the directory, or file, at a path from another one that takes its place; `undefined` when there is none. */
export async function identityOf(path: string): Promise<string | undefined> {
  const found = await statIfThere(path)
  return found && identity(found)
}

interface Stats {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly birthtimeNs: bigint
  isDirectory(): boolean
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return undefined // a link to nothing, or to itself
    throw error
  }
}

const signature = ({ ino, size, mtimeNs }: Stats): string => `${ino}:${size}:${mtimeNs}`

/** Numbers of inodes are soon given to others. */
const identity = ({ dev, ino, birthtimeNs }: Stats): string => `${dev}:${ino}:${birthtimeNs}`
