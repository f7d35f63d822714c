/** What kubectl shows of Services and pools. */
import type { Service } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { DEADLINE, NAMESPACE } from '@typemetal/lab/kubernetes'
import type { Test } from 'tap'
import { kubectl, onApiServer } from './envtest.js'
import { ControllerProcess } from './envtest-controller.js'
import { type Kubectl, kubectlOf } from './envtest-kubectl.js'
import { metallb, pool, service } from './envtest-objects.js'

const IN_OURS = ['-n', NAMESPACE]
const DUAL: Service['spec'] = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] }

onApiServer('status and events as kubectl prints them', {}, async (t, server) => {
  if (kubectl === undefined) {
    await t.test('kubectl', { skip: 'it is missing' }, async () => {})
    return
  }
  const call = await kubectlOf(server, kubectl)
  await using controller = await ControllerProcess.start(server, { name: 'k', flags: ['--webhook-mode=disabled'] })
  const pinned = metallb('IPAddressPool', 'pinned', {
    addresses: ['198.51.100.0/31'],
    autoAssign: false,
    avoidBuggyIPs: true,
  })
  await call(['apply', '-f', '-'], pool('web', '192.0.2.0/31', '2001:db8::/127'), pinned)
  await controller.ready()
  await call(['apply', '-f', '-'], service('one'), service('both', DUAL), service('none'))
  await t.test('kubectl get svc', async t => services(t, call))
  await t.test('kubectl describe svc', async t => descriptions(t, call))
  await t.test('kubectl get ipaddresspools', async t => pools(t, call))
  await t.test('kubectl get configurationstates', async t => states(t, call))
})

/** Rows of a table: fields are apart by two blanks at least. */
const rows = (text: string): readonly (readonly string[])[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => line.trimEnd().split(/ {2,}/))

/** Prints again until it says this. */
async function printed(call: Kubectl, args: readonly string[], ...said: readonly RegExp[]): Promise<string> {
  return until(
    `kubectl ${args.join(' ')} to say ${said.join(', ')}`,
    async () => {
      const { stdout } = await call(args)
      if (said.every(each => each.test(stdout))) return stdout
      throw new Error(stdout)
    },
    { timeout: DEADLINE, interval: 200 },
  )
}

async function services(t: Test, call: Kubectl): Promise<void> {
  const text = await printed(call, ['get', 'svc'], /2001:db8::/, /192\.0\.2\.0/, /192\.0\.2\.1/)
  const [head = [], ...table] = rows(text)
  t.same(head, ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'])
  const external = new Map(table.map(row => [row[0], row[3]]))
  const given = [external.get('one'), external.get('both')]
  t.ok(given.includes('192.0.2.0,2001:db8::') || given.includes('192.0.2.1,2001:db8::'), 'both families')
  t.equal(external.get('none'), '<pending>')
}

async function descriptions(t: Test, call: Kubectl): Promise<void> {
  const one = await printed(call, ['describe', 'svc', 'one'], /IPAllocated/)
  t.match(one, /^Annotations: +metallb\.io\/ip-allocated-from-pool: web$/m)
  t.match(one, /^LoadBalancer Ingress: +192\.0\.2\.[01] \(VIP\)$/m)
  t.match(one, /^ +Normal +IPAllocated +\S+ +metallb-controller +Assigned IP \["192\.0\.2\.[01]"\]$/m)
  const none = await printed(call, ['describe', 'svc', 'none'], /AllocationFailed/)
  t.match(
    none,
    /^ +Warning +AllocationFailed +\S+ +metallb-controller +Failed to allocate IP for "default\/none": no available IPs$/m,
  )
  const { stdout } = await call(['get', 'events', '--field-selector', 'involvedObject.name=one'])
  t.match(rows(stdout)[1], [/./, 'Normal', 'IPAllocated', 'service/one', /^Assigned IP \["192\.0\.2\.[01]"\]$/])
}

async function pools(t: Test, call: Kubectl): Promise<void> {
  const { stdout } = await call(['get', 'ipaddresspools', ...IN_OURS])
  t.same(
    rows(stdout).map(row => row.slice(0, 4)),
    [
      ['NAME', 'AUTO ASSIGN', 'AVOID BUGGY IPS', 'ADDRESSES'],
      ['pinned', 'false', 'true', '["198.51.100.0/31"]'],
      ['web', 'true', 'false', '["192.0.2.0/31","2001:db8::/127"]'],
    ],
  )
  const text = await printed(call, ['describe', 'ipaddresspool', 'web', ...IN_OURS], /assignedIPv4: +2/)
  t.match(text, /^ +assignedIPv6: +1$/m)
  t.match(text, /^ +availableIPv4: +0$/m)
  t.match(text, /^ +availableIPv6: +1$/m)
}

async function states(t: Test, call: Kubectl): Promise<void> {
  const good = await printed(call, ['get', 'configurationstates', ...IN_OURS], /controller/)
  t.match(rows(good)[1], ['controller', 'Valid'])
  await call(['apply', '-f', '-'], metallb('Community', 'bad', { communities: [{ name: 'x', value: '1:2:3' }] }))
  await printed(call, ['get', 'configurationstates', ...IN_OURS], /Invalid/)
  const text = await printed(call, ['describe', 'configurationstate', 'controller', ...IN_OURS], /Error Summary/)
  t.match(text, /Community metallb-system\/bad: spec\.communities\[0\]/)
  t.match(text, /^ +Reason: +ConfigurationError$/m)
  await call(['delete', 'community', 'bad', ...IN_OURS])
  await printed(call, ['get', 'configurationstates', ...IN_OURS], / Valid/)
}
