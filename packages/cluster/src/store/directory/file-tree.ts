import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './versioned-file.js'

/**
 * Lists the files below a directory, at any depth; follows symbolic links. Hidden entries are left out:
 * editors and Kubernetes volumes (`..data`) keep their scratch there.
 *
 * @param path where to begin; may be a file
 * @param accepts which paths to look at
 * @param onDirectory told of each directory before its entries are read, so that a watch set there misses nothing
 * @returns files with a signature that changes when they do; `undefined` when nothing is at `path`
 */
export async function listFiles(
  path: string,
  accepts: (path: string) => boolean,
  onDirectory: (path: string) => void,
): Promise<ReadonlyMap<string, string> | undefined> {
  const files = new Map<string, string>()
  const visited = new Set<string>()
  const visit = async (path: string): Promise<boolean> => {
    const found = await statIfThere(path)
    if (!found) return false
    if (!found.isDirectory()) {
      files.set(path, signature(found))
      return true
    }
    // A link that leads back up would never end.
    const id = `${found.dev}:${found.ino}`
    if (visited.has(id)) return true
    visited.add(id)
    onDirectory(path)
    const names = (await readdir(path)).filter(name => !name.startsWith('.')).toSorted()
    await Promise.all(
      names
        .map(name => join(path, name))
        .filter(accepts)
        .map(visit),
    )
    return true
  }
  return (await visit(path)) ? files : undefined
}

interface Stats {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
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
