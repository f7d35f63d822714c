import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Counter, Registry } from 'prom-client'
import t from 'tap'
import {
  createLogger,
  explainError,
  lookupNamespace,
  requireNode,
  serveHealth,
  serveMetrics,
  silentLogger,
  StartupError,
} from '@typemetal/cluster/process'

/** Lines that a logger of this level writes. */
function logged(
  level: string | undefined,
  use: (log: ReturnType<typeof createLogger>) => void,
): readonly Record<string, unknown>[] {
  const lines: string[] = []
  use(createLogger({ ...(level !== undefined && { level }), destination: { write: line => void lines.push(line) } }))
  return lines.map(line => JSON.parse(line) as Record<string, unknown>)
}

t.test('one JSON object a line', async t => {
  const [line, child] = logged(undefined, log => {
    log.info({ event: 'serviceAnnounced', ips: ['192.0.2.1'], error: new Error('why'), count: 2n }, 'hello')
    log.child({ peer: 'a' }).warn({ error: null }, 'bye')
  })
  t.match(line, { level: 'info', event: 'serviceAnnounced', ips: ['192.0.2.1'], error: 'why', count: 2, msg: 'hello' })
  t.match(line?.['ts'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  t.notOk(Object.keys(line ?? {}).some(key => ['pid', 'hostname', 'time'].includes(key)))
  t.match(child, { level: 'warn', peer: 'a', error: null, msg: 'bye' })
})

t.test('level names', async t => {
  const levels = (level: string): unknown =>
    logged(level, log => {
      for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name]({}, '')
    }).map(line => line['level'])
  t.same(levels('all'), ['debug', 'info', 'warn', 'error'])
  t.same(levels('debug'), ['debug', 'info', 'warn', 'error'])
  t.same(levels('info'), ['info', 'warn', 'error'])
  t.same(levels('warn'), ['warn', 'error'])
  t.same(levels('error'), ['error'])
  t.same(levels('none'), [])
  t.throws(() => createLogger({ level: 'loud' }), {
    code: 'ERR_STARTUP',
    message: 'log level "loud" is unknown: choose all, debug, info, warn, error, none',
  })
  for (const name of ['debug', 'info', 'warn', 'error'] as const) silentLogger.child({})[name]({}, 'nothing happens')
})

t.test('metrics and health over HTTP', async t => {
  const registry = new Registry()
  registry.registerMetric(new Counter({ name: 'metallb_k8s_client_updates_total', help: 'x', registers: [] }))
  await using metrics = await serveMetrics({ registry, port: 0, host: '127.0.0.1' })
  let ready: boolean | string = 'no configuration yet'
  let healthy = true
  await using health = await serveHealth({ port: 0, host: '127.0.0.1', healthy: () => healthy, ready: () => ready })
  const get = async (port: number, path: string, method = 'GET'): Promise<readonly unknown[]> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return [response.status, await response.text(), response.headers.get('content-type')]
  }
  t.match(await get(metrics.port, '/metrics'), [
    200,
    /^metallb_k8s_client_updates_total 0$/m,
    /text\/plain; version=0\.0\.4/,
  ])
  t.match(await get(metrics.port, '/metrics?x', 'HEAD'), [200, ''])
  t.match(await get(metrics.port, '/metrics', 'POST'), [405])
  t.match(await get(metrics.port, '/'), [404])
  t.match(await get(health.port, '/healthz'), [200, 'ok\n'])
  t.match(await get(health.port, '/readyz'), [503, 'no configuration yet\n'])
  ready = true
  healthy = false
  t.match(await get(health.port, '/readyz'), [200, 'ok\n'])
  t.match(await get(health.port, '/healthz'), [503, 'not ok\n'])
  await using broken = await serveHealth({
    port: 0,
    healthy: () => {
      throw new Error('oh')
    },
    ready: () => true,
  })
  t.match(await get(broken.port, '/healthz'), [500, 'oh\n'])
  await broken[Symbol.asyncDispose]()
  await broken[Symbol.asyncDispose]()
  await t.rejects(serveMetrics({ registry, port: metrics.port, host: '127.0.0.1' }), { code: 'EADDRINUSE' })
})

t.test('errors in one line that says what to do', async t => {
  const system = (fields: object): Error => Object.assign(new Error('raw'), fields)
  for (const [error, expected] of [
    [new StartupError('give --node-name'), 'give --node-name'],
    [
      system({ code: 'EADDRINUSE', syscall: 'listen', port: 7472, address: '::' }),
      'port 7472 of :: is in use: stop the process that listens there, or choose another port',
    ],
    [
      system({ code: 'EACCES', syscall: 'listen', port: 179 }),
      'not allowed to listen on port 179: choose one above 1023, or run with CAP_NET_BIND_SERVICE',
    ],
    [
      system({ code: 'EADDRNOTAVAIL', syscall: 'listen', port: 1, address: '192.0.2.1' }),
      'cannot listen on port 1 of 192.0.2.1: the address belongs to no interface of this host',
    ],
    [system({ code: 'ENOENT', syscall: 'open', path: '/x' }), '/x does not exist'],
    [system({ code: 'ENOENT', syscall: 'spawn ip', path: 'ip' }), 'command ip is not installed'],
    [system({ code: 'EACCES', syscall: 'open', path: '/x' }), 'not allowed to access /x: check its owner and mode'],
    [system({ code: 'EROFS', syscall: 'open', path: '/x' }), 'cannot write /x: the file system is read-only'],
    [system({ code: 'EIO', syscall: 'open', path: '/x' }), 'raw'],
    [system({ code: 'EMFILE', syscall: 'listen' }), 'raw'],
    [Object.assign(new Error('two\n  lines'), { code: 'X' }), 'two lines'],
    ['text', 'text'],
  ] as const) {
    t.equal(explainError(error), expected)
  }
  t.match(explainError(new TypeError('x is not a function')), /^unexpected error: TypeError: x is not a function \(at /)
  t.equal(explainError(Object.assign(new Error('x'), { stack: '' })), 'unexpected error: Error: x')
})

t.test('the namespace', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'typemetal-ns-'))
  const file = join(directory, 'namespace')
  await writeFile(file, 'from-account\n')
  const none = join(directory, 'none')
  t.equal(lookupNamespace({ flag: 'a', env: { METALLB_NAMESPACE: 'b' }, file }), 'a')
  t.equal(lookupNamespace({ flag: '', env: { METALLB_NAMESPACE: 'b' }, file }), 'b')
  t.equal(lookupNamespace({ env: {}, file, fallback: 'c' }), 'from-account')
  t.equal(lookupNamespace({ env: {}, file: none, fallback: 'c' }), 'c')
  t.throws(() => lookupNamespace({ env: {}, file: none }), { code: 'ERR_STARTUP' })
  await rm(directory, { recursive: true })
})

t.test('the version of Node.js', async t => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '26.1.0']) requireNode(version)
  for (const version of ['20.18.9', '18.20.0'])
    t.throws(() => requireNode(version), { message: `Node.js ${version} is too old: install 20.19 or newer` })
  requireNode()
})

/** Runs a program made of `main`'s body; the texts and code it ends with. */
async function run(
  body: string,
  afterReady?: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const program = `import { runProcess, serveHealth, StartupError } from '@typemetal/cluster/process'
await runProcess(async signal => { ${body} }, 'typemetal-test')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('.', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const outputs = Promise.all([text(child.stdout), text(child.stderr)])
  if (afterReady) child.stdout.once('data', () => afterReady(signal => child.kill(signal)))
  const [code] = (await once(child, 'close')) as [number | null]
  const [stdout, stderr] = await outputs
  return { stdout, stderr, code }
}

t.test('runProcess', { jobs: 2 }, async t => {
  const until = `await new Promise(resolve => { const timer = setInterval(() => {}, 1000); signal.addEventListener('abort', () => { clearInterval(timer); resolve() }); console.log('ready') })`
  const cases: readonly (readonly [
    name: string,
    Promise<{ stdout: string; stderr: string; code: number | null }>,
    expected: object,
  ])[] = [
    ['ends with 0 when main returns', run(`console.log('done')`), { code: 0, stdout: 'done\n', stderr: '' }],
    [
      'a signal ends it in order',
      run(`${until}; console.log(signal.reason.message); process.exitCode = 0`, kill => kill('SIGTERM')),
      { code: 0, stdout: 'ready\nreceived SIGTERM\n', stderr: '' },
    ],
    [
      'a second signal ends it at once',
      run(
        `process.on('SIGUSR2', () => process.kill(process.pid, 'SIGINT')); signal.addEventListener('abort', () => process.kill(process.pid, 'SIGUSR2')); console.log('ready'); await new Promise(() => setInterval(() => {}, 1000))`,
        kill => kill('SIGINT'),
      ),
      { code: 1, stderr: '' },
    ],
    [
      'a wait cut short by the signal is no failure',
      run(
        `setTimeout(() => process.kill(process.pid, 'SIGQUIT'), 10); await (await import('node:timers/promises')).setTimeout(60000, undefined, { signal })`,
      ),
      { code: 0, stderr: '' },
    ],
    [
      'a start that fails',
      run(`throw new StartupError('give --node-name')`),
      { code: 1, stderr: 'typemetal-test: give --node-name\n' },
    ],
    [
      'a fault of the program',
      run(`null.x`),
      {
        code: 1,
        stderr:
          /^typemetal-test: unexpected error: TypeError: Cannot read properties of null \(reading 'x'\) \(at .*\)\n$/,
      },
    ],
    [
      'a rejection nobody waits for',
      run(`Promise.reject(new Error('lost')); await new Promise(() => setInterval(() => {}, 1000))`),
      { code: 1, stderr: /^typemetal-test: unexpected error: Error: lost \(at .*\)\n$/ },
    ],
  ]
  for (const [name, result, expected] of cases) t.match(await result, expected, name)

  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const busy = await run(
    `await serveHealth({ port: ${port}, host: '127.0.0.1', healthy: () => true, ready: () => true })`,
  )
  t.match(busy, {
    code: 1,
    stderr: `typemetal-test: port ${port} of 127.0.0.1 is in use: stop the process that listens there, or choose another port\n`,
  })
  server.close()
})
