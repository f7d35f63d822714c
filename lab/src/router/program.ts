/** Finding the programs of routers that may not be installed. */
import { accessSync, constants } from 'node:fs'
import { LabError } from '../errors.js'
import type { RouterKind } from './router.js'

const PROGRAMS: Readonly<
  Record<Exclude<RouterKind, 'embedded'>, { name: string; debian: string; paths: readonly string[] }>
> = {
  frr: { name: 'FRR', debian: 'frr', paths: ['/usr/lib/frr', '/usr/libexec/frr', '/usr/sbin'] },
  bird: { name: 'BIRD', debian: 'bird2', paths: ['/usr/sbin', '/usr/bin', '/usr/local/sbin'] },
}
const NEEDS = { frr: ['bgpd', 'zebra'], bird: ['bird', 'birdc'] } as const

/** Name of the Debian package that brings a router. */
export const debianPackage = (kind: Exclude<RouterKind, 'embedded'>): string => PROGRAMS[kind].debian

/** True when a router can be started here. */
export const routerInstalled = (kind: RouterKind): boolean => kind === 'embedded' || programFolder(kind) !== undefined

/** @throws {LabError} ERR_LAB_MISSING_PACKAGE when a router cannot be started here */
export function requireRouter(kind: RouterKind): void {
  if (kind !== 'embedded') requirePrograms(kind)
}

/**
 * Folder with the programs of a router.
 * @throws {LabError} ERR_LAB_MISSING_PACKAGE
 */
export function requirePrograms(kind: Exclude<RouterKind, 'embedded'>): string {
  const folder = programFolder(kind)
  if (folder !== undefined) return folder
  throw new LabError(
    'ERR_LAB_MISSING_PACKAGE',
    `the router ${kind} cannot run: ${PROGRAMS[kind].name} is not installed (on Debian: apt install ${debianPackage(kind)})`,
  )
}

function programFolder(kind: Exclude<RouterKind, 'embedded'>): string | undefined {
  return PROGRAMS[kind].paths.find(folder => NEEDS[kind].every(name => isExecutable(`${folder}/${name}`)))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
