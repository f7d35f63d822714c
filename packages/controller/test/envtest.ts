/** A real API server for the tests of this folder, with our CRDs and the controller's account, or the reason why there is none. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { customResourceDefinitions, type KubernetesObject } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { ApiServer, type ApiServerOptions, type AuditEvent, kubernetesBinaries } from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'

/** Where `metallb.io` objects live. */
export const NAMESPACE = 'metallb-system'
/** As whom the controller works. */
export const ACCOUNT = { namespace: NAMESPACE, name: 'controller' } as const
/** The same, as the API server calls it. */
const USERNAME = `system:serviceaccount:${NAMESPACE}:${ACCOUNT.name}`

/** Milliseconds: the programs may have to be built first, or are being built. */
const PATIENCE = 2_400_000
/** Milliseconds that something may take on a machine that is busy with other tests. */
export const DEADLINE = 60_000

t.setTimeout(PATIENCE)
const binaries = await kubernetesBinaries()

/** The program, where there is one. */
export const kubectl = 'missing' in binaries ? undefined : binaries.kubectl

/** What the API server wrote down about a request of the controller. */
export interface Request extends AuditEvent {
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
}

/** How {@link onApiServer} starts the server. */
export interface ServerOptions extends Omit<ApiServerOptions, 'binaries'> {
  /** The suite starts the API server anew, which does not know for a moment what anybody may do. @default false */
  readonly restarts?: boolean
}

/**
 * Runs a suite on an API server of its own, which ends with it, and in which the controller may do what we ship and no more: that it
 * was refused anything fails the suite. Skipped with the reason where there can be none, unless TYPEMETAL_REQUIRE_KUBERNETES=1.
 *
 * @param after is given all requests of the controller, when it has ended
 */
export function onApiServer(
  name: string,
  { restarts = false, ...options }: ServerOptions,
  suite: (t: Test, server: ApiServer) => Promise<void>,
  after: (t: Test, requests: readonly Request[]) => void = () => {},
): void {
  const missing = 'missing' in binaries ? binaries.missing : false
  const skip = process.env['TYPEMETAL_REQUIRE_KUBERNETES'] === '1' ? false : missing
  void t.test(name, { skip, timeout: PATIENCE }, async t => {
    if ('missing' in binaries) throw new assert.AssertionError({ message: `no API server: ${binaries.missing}` })
    await using server = await ApiServer.start({ binaries, audit: true, ...options })
    await prepare(server)
    await suite(t, server)
    // What the log still lacks is written at the end.
    await server.stop()
    const requests = (await server.audit()).filter(({ user }) => user.username === USERNAME)
    t.same([...refused(requests, restarts)], [], 'the controller was refused nothing')
    t.ok(requests.length > 0, 'and it has asked for something')
    after(t, requests)
  })
}

/** What the controller was refused; with restarts, only what it was never allowed. */
function refused(requests: readonly Request[], restarts: boolean): ReadonlySet<string> {
  const shown = (wanted: boolean): ReadonlySet<string> => {
    const these = requests.filter(({ responseStatus }) => (responseStatus?.code === 403) === wanted)
    return new Set(these.map(request => whatFor(request)))
  }
  const allowed = shown(false)
  return new Set([...shown(true)].filter(each => !restarts || !allowed.has(each)))
}

const whatFor = ({
  verb,
  objectRef: { apiGroup = '', resource = '', subresource = '' } = {},
}: Partial<Request>): string => `${verb} ${resource}.${apiGroup} ${subresource}`

/** The objects of a file of `deploy/`. */
export function manifests(file: string): readonly KubernetesObject[] {
  const path = fileURLToPath(new URL(`../../../deploy/${file}`, import.meta.url))
  return parseAllDocuments(readFileSync(path, 'utf8')).map(document => document.toJS() as KubernetesObject)
}

/** Our namespace, our CRDs, the account and its rules. */
async function prepare({ admin }: ApiServer): Promise<void> {
  await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const definitions = customResourceDefinitions()
  await Promise.all(definitions.map(definition => admin.apply(definition)))
  for (const object of manifests('rbac/controller.yaml')) await admin.apply(object)
  for (const { spec } of definitions) {
    // A new kind is not served at once.
    const path = `/apis/${spec.group}/${spec.versions[0]?.name ?? ''}/${spec.names.plural}`
    await until(`${spec.names.plural} to be served`, () => admin.list(path), { timeout: DEADLINE })
  }
}
