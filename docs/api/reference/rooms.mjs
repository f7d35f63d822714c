// Under which heading an exported name stands: by the folder that declares it, in words of the field.

/** Path below `packages/` and its heading; the first that fits. The order is also that of the headings on a page. */
const ROOMS = [
  ['bgp/src/node/', 'Speaker and peers'],
  ['bgp/src/(route|policy|community|extended-community)', 'Routes and policy'],
  ['bgp/src/bfd/node/', 'Sessions in a worker'],
  ['bgp/src/bfd/fsm/', 'State machine'],
  ['bgp/src/bfd/wire/', 'Packets'],
  ['bgp/src/(bmp|mrt)/node/', 'Clients, stations and recorders'],
  ['bgp/src/monitored-speaker', 'What is monitored'],
  ['bgp/src/bmp/wire/', 'Messages'],
  ['bgp/src/mrt/wire/', 'Records'],
  ['bgp/src/fsm/(session|peering|events|timers|options|collision|memory|damping|liveness)', 'Sessions'],
  ['bgp/src/fsm/(capability|negotiate|open|contexts|roles)', 'Capabilities'],
  ['bgp/src/fsm/(graceful|restarting|hard-reset)', 'Graceful restart'],
  ['bgp/src/fsm/bfd', 'BFD'],
  ['bgp/src/rib/(adj|loc|decision|sent|source)', 'RIBs'],
  ['bgp/src/rib/', 'Tables'],
  ['bgp/src/wire/attribute/|bgp/src/wire/path-attributes', 'Path attributes'],
  ['bgp/src/wire/capability/', 'Capabilities'],
  ['bgp/src/wire/(family|nlri|octets|error-code|cease|context|header|framer)', 'Framing, families and codes'],
  ['bgp/src/wire/', 'Messages'],

  ['arp-ndp/src/node/', 'Responder and questions'],
  ['arp-ndp/src/(responder/|address)', 'Decisions'],
  ['arp-ndp/src/acd/', 'Address conflict detection'],
  ['arp-ndp/src/resolver/', 'Resolver'],
  ['arp-ndp/src/wire/ndp/', 'Neighbor Discovery'],
  ['arp-ndp/src/wire/(arp|ethernet|mac)', 'Ethernet and ARP'],
  ['arp-ndp/src/wire/', 'IPv6 and ICMPv6'],

  ['memberlist/src/node/', 'Node'],
  ['memberlist/src/swim/', 'SWIM'],
  ['memberlist/src/simulator/', 'Simulator'],
  ['memberlist/src/wire/(compound|compress|crc|encrypt|label|lzw|packet|stream)', 'Packets and streams'],
  ['memberlist/src/wire/', 'Messages'],

  ['sockets/src/node/(packet-socket|icmpv6|udp|raw-ip)', 'Packets'],
  ['sockets/src/node/(tcp|connect)', 'TCP'],
  ['sockets/src/node/(link|rtnetlink)', 'Interfaces, addresses and routes'],
  ['sockets/src/node/', 'Time and threads'],
  ['sockets/src/bpf/', 'Filters'],
  ['sockets/src/wire/(netlink|rtnetlink|link|address-|neighbor|route|next-hop)', 'Netlink'],
  ['sockets/src/wire/', 'Addresses and control messages'],

  ['options/src/kind(?!s)', 'Kinds of one’s own'],
  ['options/src/kinds', 'Kinds'],
  ['options/src/', 'Checks'],

  ['cluster/src/config/', 'Configuration'],
  ['cluster/src/store/kubernetes/', 'API server'],
  ['cluster/src/store/directory/', 'Folders of manifests'],
  ['cluster/src/store/', 'Stores'],
  ['cluster/src/resources/', 'Resources'],
  ['cluster/src/schema/|cluster/src/crd/', 'Schemas'],
  ['cluster/src/address/', 'Addresses'],
  ['cluster/src/selector/', 'Selectors'],
  ['cluster/src/process/(metrics|registry|reconcile|guide|token|http|endpoints|health)', 'Metrics and probes'],
  ['cluster/src/process/', 'Process'],

  ['controller/src/node/', 'Controller'],
  ['controller/src/reconcile/', 'Reconciler'],
  ['controller/src/allocator/', 'Allocator'],

  ['speaker/src/(speaker|flags|clock|logger|coalesce|health|metrics|router-id)', 'Speaker'],
  ['speaker/src/(core|plan|election|endpoints)', 'Plan'],
  ['speaker/src/announcer/(bgp|peer-|refusal|session-history|engine|connected|limits|neighbor)', 'BGP'],
  ['speaker/src/announcer/bfd', 'BFD'],
  ['speaker/src/announcer/(layer2|conflict|segment)', 'Layer 2'],
  ['speaker/src/announcer/', 'Node'],
  ['speaker/src/gossip/|speaker/src/startup/gossip', 'Gossip'],
  ['speaker/src/drain/', 'Drain'],
  ['speaker/src/status/', 'Status'],
  ['speaker/src/startup/', 'Start'],
  ['speaker/src/page/', 'Status page'],

  ['cli/src/(command|program)', 'Commands'],
  ['cli/src/source/', 'Where a cluster is read from'],
  ['cli/src/', 'Answers'],

  ['[a-z-]+/src/errors', 'Errors'],
].map(([path, heading]) => ({ path: new RegExp(`^packages/(?:${path})`), heading }))

/** Headings in the order of a page. */
export const HEADINGS = [...new Set(ROOMS.map(({ heading }) => heading))]

/**
 * @param {string} file path below the repository
 * @returns {string | undefined} the heading of names that are declared there
 */
export const headingOf = file => ROOMS.find(({ path }) => path.test(file))?.heading
