/** The program as a process: exit codes, streams, names, colours, pipes. */
import { execFile, spawn } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mayColor, version } from 'typemetal'
import { bin, demo, folder, run, runOn } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

const start = (
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> =>
  new Promise(resolve => {
    execFile(process.execPath, [file, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })

t.test('a folder that is not there: one line and code 3', async t => {
  const { code, stderr } = await start(bin, ['validate', '/nonexistent'])
  t.equal(code, 3)
  t.match(stderr, /^typemetal: .*\/nonexistent does not exist\n$/)
})

t.test('a wrong command line: code 2, the fault and where to look', async t => {
  for (const args of [['validate'], ['plan', '--output', 'xml'], ['plam'], ['explain', '--nope', 'x']]) {
    const { code, stderr } = await start(bin, args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, /^error: /)
    t.notMatch(stderr, /\n +at /, 'no stack')
  }
})

t.test('--version and version', async t => {
  t.match(await start(bin, ['--version']), { code: 0, stdout: `${version}\n` })
  t.match(JSON.parse((await start(bin, ['version', '-o', 'json'])).stdout), {
    typemetal: version,
    node: process.versions.node,
  })
})

t.test('as kubectl plugin it names itself so', async t => {
  const link = join(folder(t), 'kubectl-typemetal')
  symlinkSync(bin, link)
  t.match((await start(link, ['--help'])).stdout, /^Usage: kubectl typemetal /)
})

t.test('every command has help with an example', async t => {
  const { stdout } = await start(bin, ['--help'])
  const names = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<|\S* +)/gm)]
    .map(match => match[1] ?? '')
    .filter(name => name !== 'help')
  t.ok(names.length >= 9, names.join())
  for (const name of names)
    t.match((await run(name, '--help')).text, name === 'migrate' ? /check/ : /Examples?:\n {2}\S/, name)
  t.match((await run('migrate', 'check', '--help')).text, /Examples:/)
})

t.test('a reader that goes away is no error', async t => {
  const child = spawn(process.execPath, [bin, 'plan', demo, '--all', '-o', 'yaml'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  const code = await new Promise(resolve => child.once('exit', resolve))
  t.same({ code, errors }, { code: 0, errors: '' })
})

t.test('a full disk: one line and code 3, as half an answer is none', async t => {
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>(resolve => {
    execFile('sh', ['-c', '"$@" > /dev/full', 'sh', process.execPath, bin, 'plan', demo], (error, _, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    )
  })
  t.equal(code, 3)
  t.match(stderr, /^typemetal: cannot write: ENOSPC.*\n$/)
})

t.test('colours only where they can be seen (no-color.org)', async t => {
  t.notOk((await start(bin, ['explain', 'demo/web', demo])).stdout.includes('\u001B'), 'a pipe')
  t.ok((await runOn({ color: true }, 'explain', 'demo/web', demo)).text.includes('\u001B[32m✓'))
  t.equal(mayColor(true, {}), true)
  t.equal(mayColor(true, { NO_COLOR: '1' }), false)
  t.equal(mayColor(true, { NO_COLOR: '' }), true, 'empty counts as absent')
  t.equal(mayColor(false, {}), false)
  t.equal(mayColor(true, { TERM: 'dumb' }), false)
  t.equal(mayColor(false, { FORCE_COLOR: '1' }), true)
})

t.test('the demo: what it needs is in its help, and said where there is no checkout', async t => {
  t.match((await run('demo', '--help')).text, /Needs a checkout/)
  // As npm installs it: the package alone, with what it depends on.
  const site = folder(t)
  const home = join(bin, '..', '..')
  cpSync(join(home, 'dist'), join(site, 'a', 'package', 'dist'), { recursive: true })
  cpSync(join(home, 'package.json'), join(site, 'a', 'package', 'package.json'))
  symlinkSync(join(home, 'node_modules'), join(site, 'a', 'package', 'node_modules'))
  symlinkSync(join(home, '..', '..', 'node_modules'), join(site, 'a', 'node_modules'))
  const { code, stderr } = await start(join(site, 'a', 'package', 'dist', 'main.js'), ['demo'])
  t.equal(code, 1)
  t.match(stderr, /^typemetal: the demo is a laboratory .*needs Linux, iproute2, a C compiler, root or user/)
})
