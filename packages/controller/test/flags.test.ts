/** The command line. */
import t from 'tap'
import { parseFlags, UsageError } from '../dist/flags.js'

t.test('defaults', async t => {
  t.match(parseFlags([]), {
    port: 7472,
    healthProbePort: 17472,
    namespace: undefined,
    lbClass: '',
    logLevel: 'info',
    webhookMode: 'enabled',
    configDir: [],
    kubeconfig: undefined,
    ineffective: [],
  })
})

t.test('one dash or two, with a blank or =', async t => {
  for (const argv of [
    ['-port', '1', '-namespace', 'x', '-lb-class', 'a,b', '-config-dir', 'd', '-config-dir', 'e'],
    ['--port=1', '--namespace=x', '--lb-class=a,b', '--config-dir=d', '--config-dir=e'],
  ]) {
    t.match(parseFlags(argv), { port: 1, namespace: 'x', lbClass: 'a,b', configDir: ['d', 'e'] })
  }
})

t.test('leading: on unless told otherwise, with the times of Kubernetes', async t => {
  t.match(parseFlags([]), {
    leaderElect: true,
    leaderElectResourceName: 'typemetal-controller',
    leaderElectLeaseDuration: 15_000,
    leaderElectRenewDeadline: 10_000,
    leaderElectRetryPeriod: 2000,
  })
  t.match(parseFlags(['--leader-elect=false', '--leader-elect-lease-duration=1m30s']), {
    leaderElect: false,
    leaderElectLeaseDuration: 90_000,
  })
  t.equal(parseFlags(['--leader-elect']).leaderElect, true)
  for (const flag of ['--leader-elect=maybe', '--leader-elect-retry-period=2', '--leader-elect-retry-period=-1s']) {
    t.throws(() => parseFlags([flag]), { message: /is invalid/ })
  }
})

t.test('TLS and who may read the metrics', async t => {
  const argv = [
    '--tls-min-version=VersionTLS12',
    '--tls-cipher-suites=a',
    '--tls-curve-preferences=29',
    '--metrics-auth',
  ]
  t.match(parseFlags([...argv, '--metrics-cert-dir=/m']), {
    tlsMinVersion: 'VersionTLS12',
    tlsCipherSuites: 'a',
    tlsCurvePreferences: '29',
    metricsCertDir: '/m',
    metricsAuth: true,
    ineffective: [],
  })
  t.match(parseFlags([]), { tlsMinVersion: '', metricsCertDir: '', metricsAuth: false })
})

t.test("the webhooks' flags, and the Secret of the gossip, are MetalLB's", async t => {
  const argv = ['--ml-secret-name=memberlist', '--deployment', 'controller', '--disable-cert-rotation', '--cert-dir=/c']
  t.match(parseFlags([...argv, '--cert-service-name=s', '--webhook-secret=w', '--webhook-mode=onlywebhook']), {
    mlSecretName: 'memberlist',
    deployment: 'controller',
    disableCertRotation: true,
    certDir: '/c',
    certServiceName: 's',
    webhookSecret: 'w',
    webhookMode: 'onlywebhook',
    webhookPort: 9443,
    ineffective: [],
  })
  t.match(parseFlags([]), {
    mlSecretName: '',
    disableCertRotation: false,
    webhookSecret: 'metallb-webhook-cert',
    webhookHttp2: false,
  })
  t.match(parseFlags(['--webhook-http2']), { webhookHttp2: true })
  t.match(parseFlags(['-webhook-http2=false']), { webhookHttp2: false })
})

t.test("MetalLB's flags whose features are not there yet are taken and named", async t => {
  const argv = ['--pod-name=p', '--pprof-bind-address=:1']
  const given = argv.filter(flag => flag.startsWith('--')).flatMap(flag => flag.split('=')[0] ?? [])
  t.same([...parseFlags([...argv, '--webhook-mode=disabled']).ineffective].toSorted(), given.toSorted())
})

t.test('a wrong flag is a UsageError with exit code 2, help has 0', async t => {
  const exitCode = (argv: readonly string[]): number | undefined => {
    try {
      parseFlags(argv)
    } catch (error) {
      return error instanceof UsageError ? error.exitCode : undefined
    }
    return undefined
  }
  for (const argv of [
    ['--bogus'],
    ['stray'],
    ['--port', '65536'],
    ['--port=-1'],
    ['--port=x'],
    ['--webhook-mode=no'],
    ['--port'],
  ]) {
    t.equal(exitCode(argv), 2, argv.join(' '))
  }
  t.equal(exitCode(['--help']), 0)
})
