/** A real API server for the tests of this folder, with our CRDs and the accounts of both processes, or the reason why there is none. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { customResourceDefinitions, type KubernetesObject } from '@typemetal/cluster'
import { needsUserNamespace, until } from '@typemetal/lab'
import { ApiServer, type AuditEvent, kubernetesBinaries } from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'

/** Where `metallb.io` objects live. */
export const NAMESPACE = 'metallb-system'
/** Milliseconds: the programs may have to be built first, or are being built. */
const PATIENCE = 2_400_000
/** Milliseconds that something may take on a machine that is busy with other tests. */
export const DEADLINE = 60_000
/** Processes, by their accounts. */
const PROCESSES = ['controller', 'speaker'] as const

t.setTimeout(PATIENCE)
const binaries = await kubernetesBinaries()

/** The program, where there is one. */
export const kubectl = 'missing' in binaries ? undefined : binaries.kubectl

/** What the API server wrote down about a request. */
export interface Request extends AuditEvent {
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
}

/**
 * Runs a suite on an API server of its own, which may be started anew in it, and in which controller and speaker may do what we ship and
 * no more: that one of them was refused anything that it is never allowed fails the suite. Skipped with the reason where there can be
 * none, unless TYPEMETAL_REQUIRE_KUBERNETES=1.
 *
 * @param after is given all requests of the speaker, when it has ended
 */
export function onApiServer(
  name: string,
  suite: (t: Test, server: ApiServer) => Promise<void>,
  after: (t: Test, requests: readonly Request[]) => void,
): void {
  const missing = 'missing' in binaries ? binaries.missing : needsUserNamespace() && 'wants root, for namespaces'
  const skip = process.env['TYPEMETAL_REQUIRE_KUBERNETES'] === '1' ? false : missing
  void t.test(name, { skip, timeout: PATIENCE }, async t => {
    if ('missing' in binaries) throw new assert.AssertionError({ message: `no API server: ${binaries.missing}` })
    await using server = await ApiServer.start({ binaries, audit: true })
    await prepare(server)
    await suite(t, server)
    // What the log still lacks is written at the end.
    await server.stop()
    const all = await server.audit()
    for (const who of PROCESSES) {
      const requests = all.filter(({ user }) => user.username === `system:serviceaccount:${NAMESPACE}:${who}`)
      t.same([...refused(requests)], [], `the ${who} was refused nothing`)
      t.ok(requests.length > 0, 'and it has asked for something')
      if (who === 'speaker') after(t, requests)
    }
  })
}

/** What somebody was refused and never allowed: an API server that starts does not know for a moment what anybody may do. */
function refused(requests: readonly Request[]): ReadonlySet<string> {
  const shown = (wanted: boolean): ReadonlySet<string> => {
    const these = requests.filter(({ responseStatus }) => (responseStatus?.code === 403) === wanted)
    return new Set(these.map(request => rightOf(request)))
  }
  const allowed = shown(false)
  return new Set([...shown(true)].filter(each => !allowed.has(each)))
}

/** What a request wants: where, verb, resource and group. In a namespace of its own counts only where that is ours. */
export function rightOf({ verb, objectRef = {} }: Request): string {
  const { apiGroup = '', resource = '', subresource, namespace } = objectRef
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`
  return right(namespace === NAMESPACE, verb, apiGroup, whole)
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** All that a file of `deploy/rbac` allows, in the words of {@link rightOf}, sorted. */
export function granted(file: string): readonly string[] {
  const roles = manifests(file).filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
  const rights = roles.flatMap(({ kind, rules }: KubernetesObject & { readonly rules?: readonly Rule[] }) =>
    (rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap(group =>
        resources.flatMap(resource => verbs.map(verb => right(kind === 'Role', verb, group, resource))),
      ),
    ),
  )
  return rights.toSorted()
}

const right = (home: boolean, verb: string, group: string, resource: string): string =>
  `${home ? 'at home' : 'everywhere'}: ${verb} ${resource}${group === '' ? '' : `.${group}`}`

/** The objects of a file of `deploy/`. */
function manifests(file: string): readonly KubernetesObject[] {
  const path = fileURLToPath(new URL(`../../../deploy/${file}`, import.meta.url))
  return parseAllDocuments(readFileSync(path, 'utf8')).map(document => document.toJS() as KubernetesObject)
}

/** Our namespace, our CRDs, the accounts and their rules. */
async function prepare({ admin }: ApiServer): Promise<void> {
  await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const definitions = customResourceDefinitions()
  await Promise.all(definitions.map(definition => admin.apply(definition)))
  for (const who of PROCESSES) for (const object of manifests(`rbac/${who}.yaml`)) await admin.apply(object)
  for (const { spec } of definitions) {
    // A new kind is not served at once.
    const path = `/apis/${spec.group}/${spec.versions[0]?.name ?? ''}/${spec.names.plural}`
    await until(`${spec.names.plural} to be served`, () => admin.list(path), { timeout: DEADLINE })
  }
}
