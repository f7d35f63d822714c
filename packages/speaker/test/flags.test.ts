/** The command line row by row, what is taken and does nothing, signals, and the file of interfaces with RE2's patterns. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseExcludedInterfaces, parseFlags } from '@typemetal/speaker'

/** Flags of MetalLB's speaker: as it is given, by which variable, and what it becomes. */
const TAKEN: readonly (readonly [
  flag: string,
  value: string,
  variable: string | undefined,
  field: string,
  is: unknown,
])[] = [
  ['namespace', 'lb', 'METALLB_NAMESPACE', 'namespace', 'lb'],
  ['node-name', 'n1', 'METALLB_NODE_NAME', 'nodeName', 'n1'],
  ['pod-name', 'speaker-x', 'METALLB_POD_NAME', 'podName', 'speaker-x'],
  ['port', '9120', undefined, 'port', 9120],
  ['port', '0', undefined, 'port', 0],
  ['health-probe-port', '1', undefined, 'healthProbePort', 1],
  ['log-level', 'all', undefined, 'logLevel', 'all'],
  ['log-level', 'none', undefined, 'logLevel', 'none'],
  ['lb-class', 'example.com/lb', undefined, 'lbClass', 'example.com/lb'],
  ['ml-bindaddr', '10.0.0.1', 'METALLB_ML_BIND_ADDR', 'mlBindaddr', '10.0.0.1'],
  ['ml-bindport', '7947', 'METALLB_ML_BIND_PORT', 'mlBindport', 7947],
  ['ml-secret-key-path', '/key', 'METALLB_ML_SECRET_KEY_PATH', 'mlSecretKeyPath', '/key'],
  ['ml-labels', 'app=metallb', 'METALLB_ML_LABELS', 'mlLabels', 'app=metallb'],
  ['tls-min-version', 'VersionTLS12', undefined, 'tlsMinVersion', 'VersionTLS12'],
  ['tls-cipher-suites', 'A,B', undefined, 'tlsCipherSuites', 'A,B'],
  ['tls-curve-preferences', '29', undefined, 'tlsCurvePreferences', '29'],
  ['metrics-cert-dir', '/certs', undefined, 'metricsCertDir', '/certs'],
]

for (const [flag, value, variable, field, is] of TAKEN) {
  t.test(`--${flag} ${value}`, async t => {
    for (const argv of [[`--${flag}=${value}`], [`-${flag}=${value}`], [`--${flag}`, value], [`-${flag}`, value]]) {
      t.match(parseFlags(argv, {}), { [field]: is }, argv.join(' '))
    }
    if (variable === undefined) return
    t.match(parseFlags([], { [variable]: value }), { [field]: is }, variable)
    const other = { [variable]: value === '7947' ? '1' : 'other' }
    t.match(parseFlags([`--${flag}=${value}`], other), { [field]: is }, 'the flag wins over the variable')
  })
}

t.test('booleans as Go takes them', async t => {
  for (const [flag, field] of [
    ['ignore-exclude-lb', 'ignoreExcludeLb'],
    ['ml-wan-config', 'mlWanConfig'],
    ['metrics-auth', 'metricsAuth'],
  ] as const) {
    for (const on of [
      `--${flag}`,
      `-${flag}`,
      ...['1', 't', 'T', 'TRUE', 'true', 'True'].map(text => `--${flag}=${text}`),
    ]) {
      t.match(parseFlags([on], {}), { [field]: true }, on)
    }
    for (const off of ['0', 'f', 'F', 'FALSE', 'false', 'False']) {
      t.match(parseFlags([`--${flag}=${off}`], {}), { [field]: false }, off)
    }
  }
})

t.test('what means nothing here is taken, and said', async t => {
  for (const [argv, env, said] of [
    [['--host=10.0.0.1'], {}, '--host: '],
    [['--pprof-bind-address=127.0.0.1:6060'], {}, '--pprof-bind-address: '],
    [['--bgp-debounce-timeout=500'], {}, '--bgp-debounce-timeout: '],
    [[], { METALLB_BGP_DEBOUNCE_TIMEOUT: '500' }, '--bgp-debounce-timeout: '],
    [['--frrk8s-namespace=frr'], {}, '--frrk8s-namespace: '],
    [[], { FRRK8S_NAMESPACE: 'frr' }, '--frrk8s-namespace: '],
    [['--frrk8s-secret-passthrough'], {}, '--frrk8s-secret-passthrough: '],
    [[], { METALLB_BGP_TYPE: 'frr' }, 'METALLB_BGP_TYPE=frr: '],
    [[], { METALLB_BGP_TYPE: 'frr-k8s' }, 'METALLB_BGP_TYPE=frr-k8s: '],
    [[], { FRR_CONFIG_FILE: '/etc/frr.conf' }, 'FRR_CONFIG_FILE: '],
    [[], { FRR_RELOADER_PID_FILE: '/pid' }, 'FRR_RELOADER_PID_FILE: '],
    [[], { FRR_LOGGING_LEVEL: 'debugging' }, 'FRR_LOGGING_LEVEL: '],
  ] as const) {
    const { ignored } = parseFlags(argv, env)
    t.equal(ignored.length, 1)
    t.ok(ignored[0]?.startsWith(said), said)
  }
  t.same(
    parseFlags([], { METALLB_BGP_TYPE: 'native', METALLB_HOST: '10.0.0.1' }).ignored,
    [],
    'every manifest sets the host',
  )
})

t.test('what MetalLB refuses of what means nothing is refused here, too', async t => {
  t.throws(() => parseFlags([], { METALLB_BGP_TYPE: 'quagga' }), {
    exitCode: 2,
    message: 'METALLB_BGP_TYPE is "quagga", which is none of native, frr, frr-k8s',
  })
  for (const value of ['0', '-1', '3s', 'x']) {
    t.throws(() => parseFlags([`--bgp-debounce-timeout=${value}`], {}), { exitCode: 2, message: /milliseconds/ }, value)
  }
  t.throws(() => parseFlags([], { METALLB_BGP_DEBOUNCE_TIMEOUT: 'x' }), {
    exitCode: 2,
    message: /^METALLB_BGP_DEBOUNCE_TIMEOUT "x" .*milliseconds/,
  })
  t.throws(() => parseFlags([], { METALLB_ML_BIND_PORT: 'abc' }), {
    exitCode: 2,
    message: /^METALLB_ML_BIND_PORT "abc" must be a port/,
  })
})

/** Patterns as Go reads them: what they find something in, and what not. */
const PATTERNS: readonly (readonly [pattern: string, found: readonly string[], not: readonly string[]])[] = [
  ['^veth.*', ['veth1'], ['xveth1']],
  ['cali', ['cali1', 'xcali'], ['cal']],
  ['(?i)^eth', ['ETH0', 'eth1', 'Eth'], ['xeth']],
  ['^(?i:docker)[A-Z]$', ['DOCKERX', 'dockerX'], ['dockerx']],
  ['a(?i)b(?-i)c', ['aBc', 'abc'], ['aBC', 'ABc']],
  ['(a(?i)b)c', ['aBc'], ['aBC']],
  ['(?i)^[a-c]x$', ['Ax', 'BX', 'cx'], ['dx']],
  [String.raw`(?i)^[\x61-\x63]$`, ['A', 'b'], ['d']],
  [String.raw`(?i)^\x61$`, ['A', 'a'], ['b']],
  [String.raw`(?i)^\Qa.b\E$`, ['A.b'], ['axb']],
  ['(?i)^[[:lower:]]+$', ['AB'], ['A1']],
  [String.raw`\Aveth\z`, ['veth'], ['veth0']],
  [String.raw`^[[:alpha:]]+\d$`, ['eth0'], ['0']],
  ['(?P<kind>cali|tunl).*', ['cali1', 'tunl0'], ['x']],
  ['(?U)^x+$', ['xx'], ['y']],
  ['^x{2,3}$', ['xx'], ['x']],
  ['(?m)^a$', ['b\na'], ['ba']],
  ['(?s)a.b', ['a\nb'], []],
  [String.raw`\.`, ['eth0.1'], ['eth0']],
  [String.raw`^\061$`, ['1'], ['061']],
  ['[]a]', [']'], ['b']],
]

for (const [pattern, found, not] of PATTERNS) {
  t.test(`RE2 ${pattern}`, async t => {
    const [source = ''] = parseExcludedInterfaces(JSON.stringify({ announcedInterfacesToExclude: [pattern] }))
    for (const name of found) t.match(name, new RegExp(source))
    for (const name of not) t.notMatch(name, new RegExp(source))
  })
}

t.test('a pattern that RE2 refuses, or that cannot be said here, is refused in one sentence', async t => {
  for (const [pattern, why] of [
    ['(', 'it is no regular expression'],
    ['(?=a)', '"(?=a" is nothing that RE2 knows'],
    [String.raw`(a)\1`, String.raw`"\1" is nothing that RE2 knows`],
    [String.raw`\pL`, String.raw`"\p" is not available: classes of Unicode are not; name the letters`],
    ['[a', 'a bracket "[" is not closed'],
    ['a\\', 'it ends with a backslash'],
    ['[b-a]', 'it is no regular expression'],
  ] as const) {
    const text = JSON.stringify({ announcedInterfacesToExclude: [pattern] })
    const message = `announcedInterfacesToExclude holds "${pattern}", which cannot be used: ${why}`
    t.throws(() => parseExcludedInterfaces(text), { name: 'RangeError', message })
  }
  t.throws(() => parseExcludedInterfaces('just text'), { message: 'it holds no field announcedInterfacesToExclude' })
  t.same(parseExcludedInterfaces('announcedInterfacesToExclude:'), [], 'an empty list')
})

t.test('SIGINT, SIGTERM and SIGQUIT end the process in peace', async t => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-speaker-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const flags = ['--node-name=n1', `--config-dir=${folder}`, '--port=0', '--health-probe-port=0']
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
    const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += String(chunk)
      if (!child.killed && text.includes('waiting for the own Node object')) child.kill(signal)
    }
    const [code, by] = child.exitCode === null ? ((await once(child, 'exit')) as unknown[]) : [child.exitCode, null]
    t.same([code, by], [0, null], signal)
    for (const line of text.trimEnd().split('\n')) t.match(JSON.parse(line), { level: String, ts: String, msg: String })
  }
})
