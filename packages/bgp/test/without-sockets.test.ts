/** The package as somebody has it who has not installed `@typemetal/sockets`. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { packageFile } from './example-process.js'

const require = createRequire(import.meta.url)

/** Runs a module there. @returns what it printed */
function runWithout(code: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-bgp-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const modules = join(directory, 'node_modules')
  mkdirSync(join(modules, '@typemetal'), { recursive: true })
  for (const part of ['dist', 'package.json']) {
    cpSync(packageFile(part), join(modules, '@typemetal/bgp', part), { recursive: true })
  }
  for (const name of ['@typemetal/options', 'binary-parser', 'ip-address']) {
    symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(modules, name))
  }
  const file = join(directory, 'program.mjs')
  writeFileSync(file, code)
  // `env`, since the test runner gives its loader to every process of Node.js.
  return execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, file], { encoding: 'utf8' })
}

t.test('BGP and BFD can be imported without @typemetal/sockets, and BFD says in a sentence what it needs', async t => {
  const output = runWithout(`
    import { BgpSpeaker } from '@typemetal/bgp'
    import { Bfd, Session } from '@typemetal/bgp/bfd'
    await new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' }).close()
    const session = new Session({}, { myDiscriminator: 1, random: () => 0, now: 0 })
    console.log(session.state)
    await Bfd.start().catch(({ name, code, message }) => console.log(name, code, message))
  `)
  t.equal(
    output,
    'Down\nBfdError ERR_BGP_BFD BFD needs the package @typemetal/sockets: npm install @typemetal/sockets\n',
  )
})

t.test('a bundle has @typemetal/sockets inside, though nobody finds it by its name any more', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-bgp-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const code = `
    import { BgpSpeaker, missingSockets } from '@typemetal/bgp'
    const speaker = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' })
    speaker.addPeer({ address: '192.0.2.1', asn: 64513, passive: true, md5Key: 'k', multihop: false })
    await speaker.close()
    console.log(missingSockets())
  `
  const outfile = join(directory, 'program.mjs')
  await build({
    stdin: { contents: code, resolveDir: packageFile('.') },
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: {
      js: `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);`,
    },
    outfile,
  })
  const output = execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, outfile], { encoding: 'utf8' })
  t.equal(output, 'undefined\n')
})
