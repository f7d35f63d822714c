/** Tokens that are files, which somebody rotates: a pod's service account, or `tokenFile` of a kubeconfig. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { User } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { fieldOf } from '../../schema/plain.js'

/**
 * The file with a user's token. The library reads a pod's only once a minute, and that of a kubeconfig never; a rotated token must be
 * there when the old one is refused. A file that the library reads itself is taken from it.
 *
 * @param kubeconfig the file that names the user; absent: not a file given by us
 */
export async function findTokenFile(user: User | null, kubeconfig: string | undefined): Promise<string | undefined> {
  if (user === null) return undefined
  const ofPod: unknown = fieldOf(fieldOf(user.authProvider, 'config'), 'tokenFile')
  if (typeof ofPod === 'string') {
    delete (user as { authProvider?: unknown }).authProvider
    return ofPod
  }
  if (kubeconfig === undefined || user.token) return undefined
  const users: unknown = fieldOf(parse(await readFile(kubeconfig, 'utf8')), 'users')
  const entry: unknown = Array.isArray(users) ? users.find(each => fieldOf(each, 'name') === user.name) : undefined
  const file = fieldOf(fieldOf(entry, 'user'), 'tokenFile')
  return typeof file === 'string' ? resolve(dirname(kubeconfig), file) : undefined
}

/** @throws the file cannot be read */
export const readToken = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim()
