/** A real API server for the tests of this folder, with our CRDs and the controller's account, or the reason why there is none. */
import {
  type ApiServer,
  type ApiServerOptions,
  type AuditEvent,
  deployManifests,
  NAMESPACE,
  installCluster,
  refusedRights,
  SUITE_PATIENCE,
  testServers,
} from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'

/** As whom the controller works. */
export const ACCOUNT = { namespace: NAMESPACE, name: 'controller' } as const
/** The same, as the API server calls it. */
const USERNAME = `system:serviceaccount:${NAMESPACE}:${ACCOUNT.name}`

t.setTimeout(SUITE_PATIENCE)
const servers = await testServers()

/** The program, where there is one. */
export const { kubectl } = servers

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
  after: (t: Test, requests: readonly AuditEvent[]) => void = () => {},
): void {
  void t.test(name, { skip: servers.skip, timeout: SUITE_PATIENCE }, async t => {
    await using server = await servers.start({ audit: true, ...options })
    await installCluster(server, deployManifests('rbac/controller.yaml'))
    await suite(t, server)
    // What the log still lacks is written at the end.
    await server.stop()
    const requests = (await server.audit()).filter(({ user }) => user.username === USERNAME)
    t.same(refusedRights(requests, NAMESPACE, { never: restarts }), [], 'the controller was refused nothing')
    t.ok(requests.length > 0, 'and it has asked for something')
    after(t, requests)
  })
}
