/** What people type who do not know the command yet: each mistake has an answer that says what to do, and none passes for success. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cluster, demo, folder, rows, run, runOn } from './support.js'

// Processes and a busy machine.
t.setTimeout(1_200_000)

t.test('an empty folder is valid with a note, and not with --strict', async t => {
  const empty = folder(t)
  const note = /^note: no object that controller or speakers read was found: is it the right folder\?\n$/
  t.match(await run('validate', empty), { text: 'valid: 0 pools, 0 peers, 0 Services\n', errors: note, code: 0 })
  t.match(await run('validate', empty, '--strict'), { errors: note, code: 1 })
  t.match(await runOn({ readInput: async () => '' }, 'validate', '-'), { errors: note, code: 0 })
})

t.test(
  'the ConfigMap of before 0.13 is no configuration: a warning names the command that makes one of it',
  async t => {
    const path = folder(t)
    writeFileSync(
      join(path, 'config.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: config, namespace: metallb-system }\ndata:\n  config: |\n    address-pools: []\n',
    )
    const { text, code } = await run('validate', path, '--strict')
    t.equal(code, 1)
    t.match(
      text,
      /^warning: ConfigMap metallb-system\/config: data\.config: .*typemetal migrate convert.*config\.yaml:\d+\)$/m,
    )
  },
)

t.test('--exit-code and --prune without anything to compare with are a wrong command line', async t => {
  t.match(await run('plan', demo, '--exit-code'), { code: 2, text: '', errors: /--exit-code .*: --against what\?/ })
  for (const more of [[], ['--against', demo]])
    t.match(await run('plan', demo, '--prune', ...more), { code: 2, text: '', errors: /it needs --against live/ })
})

t.test('a cluster and a folder together are a wrong command line: one of them would be ignored', async t => {
  for (const [command, ...rest] of [
    ['plan'],
    ['plan', '--against', demo],
    ['status'],
    ['status', '--watch'],
    ['drain', 'node-1', '--simulate'],
    ['explain', 'demo/web'],
    ['migrate', 'check'],
  ] as const) {
    const { code, text, errors } = await run(command, ...rest, demo, '--context', 'production')
    t.match({ code, text }, { code: 2, text: '' }, command)
    t.match(
      errors,
      /^typemetal: --context names a cluster, and .* would be read instead: leave one of them out\n$/,
      command,
    )
  }
  t.match(await run('status', demo, '--kubeconfig', 'x'), { code: 2, errors: /--kubeconfig names a cluster/ })
})

t.test('a speaker that is no Node is a mistake in typing', async t => {
  for (const command of [['plan'], ['status'], ['explain', 'demo/web'], ['drain', 'node-1', '--simulate']] as const) {
    const said = await run(...command, demo, '--member', 'node-2', '--member', 'nope')
    t.match(
      said,
      { code: 1, text: '', errors: /there is no Node nope; there are node-1, node-2 and node-3/ },
      command[0],
    )
  }
})

t.test('of many nodes some are named', async t => {
  const path = cluster(t, each => {
    const nodes = Array.from({ length: 200 }, (_, i) => `apiVersion: v1\nkind: Node\nmetadata: { name: n${i} }\n`)
    writeFileSync(join(each, 'more.yaml'), nodes.join('---\n'))
  })
  t.match((await run('drain', 'nope', path, '--simulate')).errors, /there are .* and 198 more\n$/)
})

t.test('--namespace is that of the resources: a cluster without pools there says so', async t => {
  const path = folder(t)
  for (const file of ['nodes.yaml', 'web.yaml']) cpSync(join(demo, file), join(path, file))
  for (const command of [['plan'], ['status'], ['explain', 'demo/web']])
    t.match(
      (await run(...command, path, '-n', 'demo')).errors,
      /^note: there is no IPAddressPool in namespace demo: .*not of Services/,
    )
})

t.test('what is said does not depend on the order in which files are read', async t => {
  const path = folder(t)
  for (const [i, file] of [
    'web.yaml',
    'shop.yaml',
    'docs.yaml',
    'pools.yaml',
    'nodes.yaml',
    'bgp.yaml',
    'layer2.yaml',
  ].entries())
    cpSync(join(demo, file), join(path, `${i}.yaml`))
  const { text } = await run('plan', path, '--node', 'node-1')
  t.same(
    rows(text).map(row => row['SERVICE']),
    ['demo/docs', 'demo/shop', 'demo/web'],
  )
  t.equal((await run('plan', cluster(t), '--node', 'node-1')).text, text)
})

t.test('help is wrapped by the terminal alone, and says no default that is none', async t => {
  for (const command of ['validate', 'plan', 'explain', 'status', 'drain']) {
    const { text } = await run(command, '--help')
    t.notMatch(text, /default: (?:false|""|\[\])/, command)
    const [, description = ''] = text.split('\n\n')
    const lines = description.split('\n')
    t.ok(
      lines.slice(0, -1).every((line, i) => `${line} ${lines[i + 1]?.split(' ')[0]}`.length > 80),
      `${command}: no line ends before it has to`,
    )
  }
})
