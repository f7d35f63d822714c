/** Completion scripts, tried in the shells themselves where they are installed. */
import { execFile } from 'node:child_process'
import t from 'tap'
import { run } from './support.js'

// Processes and a busy machine.
t.setTimeout(300_000)

const sh = (shell: string, script: string): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    execFile(shell, shell === 'bash' ? ['--norc', '-c', script] : ['-c', script], (error, stdout, stderr) => {
      if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') resolve(undefined)
      else if (error || stderr) reject(error ?? new Error(stderr))
      else resolve(stdout)
    })
  })

t.test('bash completes commands, options and their values', async t => {
  const { text, code } = await run('completion', 'bash')
  t.equal(code, 0)
  const complete = async (...words: string[]): Promise<readonly string[] | undefined> => {
    const list = words.map(word => `'${word}'`).join(' ')
    const said = await sh(
      'bash',
      `${text}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _typemetal; printf '%s\\n' "\${COMPREPLY[@]}"`,
    )
    return said?.split('\n').filter(Boolean)
  }
  if ((await complete('typemetal', '')) === undefined)
    return t.comment('bash is not installed: its script is looked at only')
  t.same(await complete('typemetal', 'va'), ['validate'])
  t.same(await complete('typemetal', 'plan', '--outp'), ['--output'])
  t.same(await complete('typemetal', 'plan', '--output', ''), ['table', 'json', 'yaml'])
  t.same(await complete('typemetal', 'plan', '-o', 'y'), ['yaml'])
  t.same(await complete('typemetal', 'migrate', ''), ['check', 'convert'])
  t.same(await complete('typemetal', 'migrate', 'check', '--kube'), ['--kubeconfig'])
  t.same(await complete('typemetal', 'completion', 'f'), ['fish'])
  t.same(await complete('typemetal', 'plan', '/et'), ['/etc'])
})

t.test('zsh and fish take the scripts', async t => {
  for (const shell of ['zsh', 'fish'] as const) {
    const { text } = await run('completion', shell)
    t.match(text, /validate/)
    t.match(text, /election-level/)
    const taken = await sh(shell, shell === 'fish' ? text : `autoload -U compinit; compinit -u -D; ${text}`)
    if (taken === undefined) t.comment(`${shell} is not installed: its script is looked at only`)
  }
})

t.test('another shell is a wrong command line', async t => {
  t.match(await run('completion', 'csh'), { code: 2 })
})
