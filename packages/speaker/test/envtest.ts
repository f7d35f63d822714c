/** A real API server for the tests of this folder, with our CRDs and the accounts of both processes, or the reason why there is none. */
import { needsUserNamespace } from '@typemetal/lab'
import {
  type ApiServer,
  type AuditEvent,
  deployManifests,
  NAMESPACE,
  installCluster,
  refusedRights,
  SUITE_PATIENCE,
  testServers,
} from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'

/** Processes, by their accounts. */
const PROCESSES = ['controller', 'speaker'] as const

t.setTimeout(SUITE_PATIENCE)
const servers = await testServers()

/** The program, where there is one. */
export const { kubectl } = servers

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
  after: (t: Test, requests: readonly AuditEvent[]) => void,
): void {
  const skip = servers.skip || (needsUserNamespace() && 'wants root, for namespaces')
  void t.test(name, { skip, timeout: SUITE_PATIENCE }, async t => {
    await using server = await servers.start({ audit: true })
    await installCluster(
      server,
      PROCESSES.flatMap(who => deployManifests(`rbac/${who}.yaml`)),
    )
    await suite(t, server)
    // What the log still lacks is written at the end.
    await server.stop()
    const all = await server.audit()
    for (const who of PROCESSES) {
      const requests = all.filter(({ user }) => user.username === `system:serviceaccount:${NAMESPACE}:${who}`)
      t.same(refusedRights(requests, NAMESPACE, { never: true }), [], `the ${who} was refused nothing`)
      t.ok(requests.length > 0, 'and it has asked for something')
      if (who === 'speaker') after(t, requests)
    }
  })
}
