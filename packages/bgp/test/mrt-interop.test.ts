/**
 * GoBGP takes a table of ours into its RIB; its own command line shows what it has read. It does not know the short MP_REACH_NLRI
 * of RFC 6396 section 4.3.4.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dumpTable, encodeMrtRecord } from '@typemetal/bgp/mrt'
import { isInside, missingPrivilege, run, stop, until } from './interop/namespace.js'
import { PlayedSpeaker, route } from './observed-speaker.js'

const GOBGPD = '/usr/bin/gobgpd'
const API = '50098'
const PREFIXES = ['192.0.2.0/24', '203.0.113.64/26', '2001:db8:1::/48']

/** gobgp ends before the last ones have left it. */
const FILLERS = Array.from({ length: 2000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)

interface GobgpPath {
  readonly nlri: { readonly prefix: string }
  readonly attrs: readonly {
    readonly type: number
    readonly as_paths?: readonly { readonly asns: readonly number[] }[]
  }[]
}

/** What GoBGP has of a family. */
function ribOf(family: 'ipv4' | 'ipv6'): readonly GobgpPath[] {
  const table = JSON.parse(run('gobgp', '-p', API, 'global', 'rib', '-a', family, '-j')) as Record<string, GobgpPath[]>
  return Object.values(table).flat()
}

const reason = existsSync(GOBGPD) ? missingPrivilege() : 'needs GoBGP: apt-get install gobgpd'
if (reason) t.test(`RFC 6396: ${reason}`, { skip: reason }, async () => {})
else if (isInside()) {
  t.test('RFC 6396 section 4.3: GoBGP takes in our TABLE_DUMP_V2', { timeout: 900_000 }, async t => {
    const speaker = new PlayedSpeaker()
    const peer = speaker.addPeer('10.0.0.2')
    peer.up()
    for (const prefix of [...PREFIXES, ...FILLERS]) peer.routes.set(prefix, route(prefix))
    const directory = mkdtempSync(join(tmpdir(), 'tmbgp-mrt-'))
    const file = join(directory, 'table.mrt')
    writeFileSync(file, Buffer.concat([...dumpTable(speaker, { wholeMpReachNlri: true })].map(encodeMrtRecord)))
    const config = join(directory, 'gobgpd.toml')
    writeFileSync(config, '[global.config]\nas = 64512\nrouter-id = "10.0.0.9"\nport = -1\n')
    const gobgpd = spawn(GOBGPD, ['-f', config, '--api-hosts', `127.0.0.1:${API}`], { stdio: 'ignore' })
    try {
      await until('gobgpd answers', () => run('gobgp', '-p', API, 'global').includes('64512'))
      run('gobgp', '-p', API, 'mrt', 'inject', 'global', file, '--queue-size', '1')
      const read = (): readonly GobgpPath[] =>
        [...ribOf('ipv4'), ...ribOf('ipv6')].filter(({ nlri }) => PREFIXES.includes(nlri.prefix))
      await until('the routes', () => read().length === PREFIXES.length)
      const paths = read()
      for (const { attrs } of paths) {
        const asPath = attrs.find(({ type }) => type === 2)?.as_paths?.flatMap(({ asns }) => asns)
        t.same(asPath, [4_200_000_001])
      }
    } finally {
      await stop(gobgpd)
      rmSync(directory, { recursive: true, force: true })
    }
  })
}
