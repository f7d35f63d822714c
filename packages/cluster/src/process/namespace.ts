import { readFileSync } from 'node:fs'
import { StartupError } from './startup-error.js'

const ACCOUNT_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/** Options of {@link lookupNamespace}. */
export interface NamespaceOptions {
  /** Value of `--namespace`. */
  readonly flag?: string | undefined
  /** When nothing else says it; for stores outside Kubernetes. */
  readonly fallback?: string | undefined
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** @default the service account's file */
  readonly file?: string
}

/**
 * The namespace where metallb.io objects live: `--namespace`, else `METALLB_NAMESPACE`, else the service account's, else the fallback.
 *
 * @throws {StartupError} none of them is there
 */
export function lookupNamespace({ flag, fallback, env = process.env, file = ACCOUNT_FILE }: NamespaceOptions): string {
  const namespace = flag || env['METALLB_NAMESPACE'] || readAccount(file) || fallback
  if (!namespace) throw new StartupError('the namespace is unknown: give --namespace, or set METALLB_NAMESPACE')
  return namespace
}

function readAccount(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined // not in a pod
  }
}
