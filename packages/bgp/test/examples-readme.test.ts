/** The examples of the README: the first one is run by readme.test.ts, all of them have to compile. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { packageFile } from './example-process.js'

/** What the parts of the tour take for granted. */
const PRELUDE = `
import { createWriteStream, type WriteStream } from 'node:fs'
import { BgpSpeaker, CeaseSubcode, diffPeerOptions, formatCommunities, type Peer } from '@typemetal/bgp'
import { Bfd } from '@typemetal/bgp/bfd'
import { BmpClient } from '@typemetal/bgp/bmp'
import { dumpTable, encodeMrtRecord, MrtRecorder } from '@typemetal/bgp/mrt'
import { decodeMessage, Framer } from '@typemetal/bgp/wire'
declare const speaker: BgpSpeaker, peer: Peer, table: WriteStream, chunk: Uint8Array
`
const COMPILER_OPTIONS = { noEmit: true, composite: false, noUnusedLocals: false, skipLibCheck: true, types: ['node'] }
const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

t.test('README: every example compiles', async t => {
  const [first = '', ...tour] = [...readFileSync(packageFile('README.md'), 'utf8').matchAll(/```js\n(.*?)```/gs)].map(
    ([, code]) => code,
  )
  t.ok(tour.length > 5, `${tour.length} parts of the tour`)
  const directory = mkdtempSync(packageFile('dist-test/readme-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(directory, 'first.ts'), first)
  const parts = tour.map((code, index) => `export async function part${index}() {\n${code}}`)
  writeFileSync(join(directory, 'tour.ts'), [PRELUDE, ...parts].join('\n'))
  const config = { extends: packageFile('../../tsconfig.base.json'), compilerOptions: COMPILER_OPTIONS }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
  // `env`, since the test runner would give its loader to a process of Node.js, and the compiler does not run with it.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, TSC, '-p', directory]
  const [failed, output] = await new Promise<[boolean, string]>(resolve => {
    execFile('env', command, (error, stdout, stderr) => resolve([error !== null, stdout + stderr]))
  })
  t.notOk(failed, output)
})
