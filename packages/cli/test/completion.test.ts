/** Completion scripts, tried in the shells themselves where they are installed. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, run } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

/** Words before the cursor, the last one perhaps unfinished; what a shell offers for them. */
type Complete = (...words: string[]) => Promise<readonly string[]>

const RUN: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['--norc', '-c'],
  zsh: ['-f', '-c'],
  fish: ['--no-config', '-c'],
}
type Shell = 'bash' | 'zsh' | 'fish'

const installed = (shell: Shell): boolean => ['/bin', '/usr/bin'].some(path => existsSync(join(path, shell)))

const sh = (shell: Shell, script: string, cwd: string, ...args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { cwd, timeout: 300_000, env: { ...process.env, HOME: cwd, LC_ALL: 'C' } }
    execFile(shell, [...RUN[shell], script, ...args], options, (error, stdout, stderr) => {
      if (error || stderr) reject(new Error(`${shell}: ${stderr}`, { cause: error }))
      else resolve(stdout)
    })
  })

/** As readline calls it: an equals sign is a word of its own. */
const bash =
  (script: string, cwd: string): Complete =>
  async (...words) => {
    const cut = words.flatMap(word => word.split(/(=)/).filter((piece, i) => i === 0 || piece !== ''))
    const list = cut.map(word => `'${word}'`).join(' ')
    return lines(
      await sh(
        'bash',
        `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${cut.length - 1}; _typemetal; printf '%s\\n' "\${COMPREPLY[@]}"`,
        cwd,
      ),
    )
  }

const fish =
  (script: string, cwd: string): Complete =>
  async (...words) => {
    const said = lines(await sh('fish', `${script}\ncomplete -C '${words.join(' ')}'`, cwd))
    return said.map(line => line.split('\t')[0] ?? '')
  }

/** An interactive zsh on a terminal of its own, which writes down what its completion system is given, and Tab. */
const ZSH = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "source $1/setup"
until [[ -e $1/ready ]]; do zpty -r -t shell > /dev/null; sleep 0.02; done
zpty -n -w shell "$2"$'\\t'
until [[ -e $1/finished ]]; do zpty -r -t shell > /dev/null; sleep 0.02; done
zpty -d shell
[[ ! -e $1/offered ]] || cat $1/offered
`
const SETUP = (own: string): string => `
PROMPT= RPS1=
autoload -Uz compinit; compinit -u -D
source ${own}/script
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a offered
  builtin compadd -O offered "$@"
  print -rl -- $offered >> ${own}/offered
  builtin compadd "$@"
}
finished() { : > ${own}/finished }
comppostfuncs=(finished)
bindkey '^I' complete-word
: > ${own}/ready
`

const zsh =
  (script: string, cwd: string): Complete =>
  async (...words) => {
    const own = join(cwd, `.zsh-${Math.random()}`)
    mkdirSync(own)
    writeFileSync(join(own, 'script'), script)
    writeFileSync(join(own, 'setup'), SETUP(own))
    return lines(await sh('zsh', ZSH, cwd, 'test', own, words.join(' ')))
  }

const lines = (text: string): readonly string[] => text.split('\n').filter(line => line.trim() !== '')

for (const [shell, completer] of Object.entries({ bash, zsh, fish })) {
  const missing = !installed(shell as Shell) && `${shell} is not installed`
  t.test(`${shell} completes commands, options and their values`, { skip: missing }, async t => {
    const work = folder(t)
    mkdirSync(join(work, 'plan'))
    writeFileSync(join(work, 'pools.yaml'), '')
    const { text, code } = await run('completion', shell)
    t.equal(code, 0)
    const complete = completer(text, work)
    const offers = async (words: readonly string[], expected: readonly string[], why?: string): Promise<unknown> =>
      t.same((await complete('typemetal', ...words)).toSorted(), expected, why ?? words.join(' '))
    await offers(['va'], ['validate'])
    await offers(['pl'], ['plan'], 'a command, though a folder has its name')
    await offers(['plan', '--outp'], ['--output'])
    await offers(['plan', '--output', ''], ['json', 'table', 'yaml'])
    await offers(['plan', '-o', 'y'], ['yaml'])
    await offers(['plan', '--output=y'], [shell === 'fish' ? '--output=yaml' : 'yaml'])
    await offers(['migrate', ''], ['check', 'convert'])
    await offers(['migrate', 'check', '--kube'], ['--kubeconfig'])
    await offers(['completion', 'f'], ['fish'])
    await offers(['plan', '--node', 'a', '--no'], ['--node'], 'what may be given again')
    await offers(['plan', '--namespace', ''], [], 'no file is a namespace')
    await offers(['plan', '--kubeconfig', 'po'], ['pools.yaml'])
    await offers(['validate', 'po'], ['pools.yaml'])
  })
}

t.test('kubectl asks a program of its own, by the protocol of cobra', async t => {
  const script = await run('completion', 'kubectl')
  t.match(script.text, /^#!\/bin\/sh\n.*kubectl_complete-typemetal\nexec kubectl-typemetal __complete -- "\$@"\n$/)
  const asked = async (...words: string[]): Promise<string> => (await run('__complete', '--', ...words)).text
  t.equal(await asked('va'), 'validate\tsay everything that is wrong with a configuration\n:4\n')
  t.equal(await asked('plan', '-o', 'y'), 'yaml\thow to print\n:4\n')
  t.equal(await asked('plan', '--output=y'), '--output=yaml\thow to print\n:4\n')
  t.equal(await asked('plan', '--node', 'a', '--no'), '--node\tonly this node; repeatable\n:4\n')
  t.equal(await asked('plan', '--namespace', ''), ':4\n')
  t.equal(await asked('plan', '--kubeconfig', ''), ':0\n', 'files')
  t.match(await asked('migrate', ''), /^check\t.*\nconvert\t.*\n:4\n$/)
  t.notMatch(await asked(''), /__complete/)
  t.notMatch((await run('--help')).text, /__complete/)
})

t.test('another shell is a wrong command line', async t => {
  t.match(await run('completion', 'csh'), { code: 2 })
})
