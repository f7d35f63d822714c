// The allocator alone: no cluster, no files. Run: node examples/allocate.mjs
import { parseBlocks } from '@typemetal/cluster'
import { Allocator } from '@typemetal/controller'

const allocator = new Allocator()
allocator.setPools(
  new Map([
    [
      'web',
      {
        name: 'web',
        labels: {},
        blocks: parseBlocks('192.0.2.0-192.0.2.1'),
        autoAssign: true,
        avoidBuggyIPs: false,
        l2Advertisements: [],
        bgpAdvertisements: [],
      },
    ],
  ]),
)

const request = (name, sharingKey, ...ports) => ({
  service: `default/${name}`,
  namespace: 'default',
  labels: {},
  family: 'IPv4',
  policy: 'SingleStack',
  families: [],
  ports,
  sharingKey,
  backendKey: '',
})

for (const asked of [
  request('shop', '', 'TCP/443'),
  request('dns-tcp', 'dns', 'TCP/53'),
  request('dns-udp', 'dns', 'UDP/53'),
  request('mail', '', 'TCP/25'),
]) {
  const answer = allocator.allocate(asked)
  console.log(asked.service, 'refusal' in answer ? answer.refusal : answer.addresses.map(({ text }) => text).join())
}
console.log(allocator.counters('web'))
