/** Rights of RBAC in words: what requests wanted, what was refused, and what manifests allow. */
import type { KubernetesObject } from '@typemetal/cluster'
import type { AuditEvent } from './api-server.js'

/** What a request wanted: verb, resource and group, and whether in namespace `home`; elsewhere is everywhere. */
export function rightOf({ verb, objectRef = {} }: AuditEvent, home: string): string {
  const { apiGroup = '', resource = '', subresource, namespace } = objectRef
  return right(namespace === home, verb, apiGroup, subresource === undefined ? resource : `${resource}/${subresource}`)
}

/** What requests for objects wanted, each once, sorted. */
export function rightsOf(requests: readonly AuditEvent[], home: string): readonly string[] {
  const wanted = requests.filter(({ objectRef }) => objectRef !== undefined).map(request => rightOf(request, home))
  return [...new Set(wanted)].toSorted()
}

/**
 * What was refused, each once, sorted.
 * @param options.never only what was never allowed: an API server that starts does not know for a moment what anybody may do
 */
export function refusedRights(
  requests: readonly AuditEvent[],
  home: string,
  { never }: { readonly never: boolean },
): readonly string[] {
  const shown = (wanted: boolean): ReadonlySet<string> => {
    const these = requests.filter(({ responseStatus }) => (responseStatus?.code === 403) === wanted)
    return new Set(these.map(request => rightOf(request, home)))
  }
  const allowed = shown(false)
  return [...shown(true)].filter(each => !never || !allowed.has(each)).toSorted()
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** All that Roles (at home) and ClusterRoles (everywhere) among these objects allow, in the words of {@link rightOf}, sorted. */
export function grantedRights(objects: readonly KubernetesObject[]): readonly string[] {
  const roles = objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
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
