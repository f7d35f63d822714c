/** MetalLB's TLS flags, in Node.js's words. */
import { createSecureContext } from 'node:tls'
import { parseTlsOptions } from '@typemetal/cluster/tls'
import t from 'tap'

const parse = (minVersion = '', cipherSuites = '', curvePreferences = '') =>
  parseTlsOptions({ minVersion, cipherSuites, curvePreferences })

t.test('versions: TLS 1.3 unless told otherwise', async t => {
  t.same(parse(), { minVersion: 'TLSv1.3' })
  t.same(parse('VersionTLS12'), { minVersion: 'TLSv1.2' })
  t.same(parse('VersionTLS13'), { minVersion: 'TLSv1.3' })
  t.throws(() => parse('VersionTLS11'), {
    code: 'ERR_STARTUP',
    message: '--tls-min-version: "VersionTLS11" is unknown: choose VersionTLS12 or VersionTLS13',
  })
})

t.test("cipher suites of TLS 1.2, by their IANA names: all of Go's that OpenSSL has", async t => {
  const suites = {
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
    TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
    TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  }
  for (const [iana, openssl] of Object.entries(suites)) {
    t.equal(parse('VersionTLS12', iana).ciphers, openssl)
    t.doesNotThrow(() => createSecureContext(parse('VersionTLS12', iana)), iana)
  }
  t.equal(
    parse('VersionTLS12', ' TLS_RSA_WITH_AES_128_GCM_SHA256 , TLS_RSA_WITH_AES_256_CBC_SHA ').ciphers,
    'AES128-GCM-SHA256:AES256-SHA',
  )
  t.throws(() => parse('VersionTLS12', 'TLS_NONSENSE'), { message: /^--tls-cipher-suites: "TLS_NONSENSE" is unknown/ })
  t.throws(() => parse('VersionTLS12', 'AES128-SHA'), { message: /unknown/ })
  for (const version of ['', 'VersionTLS13']) {
    t.throws(() => parse(version, 'TLS_RSA_WITH_AES_128_GCM_SHA256'), {
      message: '--tls-cipher-suites: cipher suites cannot be configured with TLS 1.3',
    })
  }
})

t.test('groups by their IANA numbers, the best first', async t => {
  t.equal(parse('', '', '29, 23').ecdhCurve, 'X25519:P-256')
  t.doesNotThrow(() => createSecureContext(parse('', '', '23,24,25,29,30')))
  t.throws(() => parse('', '', '29,29'), { message: '--tls-curve-preferences: X25519 is there twice' })
  for (const bad of ['0', '-1', 'X25519', '65536', '1']) {
    t.throws(() => parse('', '', bad), { code: 'ERR_STARTUP', message: /choose 23 \(P-256\)/ })
  }
})
