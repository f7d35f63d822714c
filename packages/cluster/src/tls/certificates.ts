// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 wants it to be there first
import 'reflect-metadata'
import { createPrivateKey, randomBytes, webcrypto, X509Certificate, type KeyObject } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** What a Secret of MetalLB's webhooks holds, as PEM texts under these names. */
export interface CertificateBundle {
  /** Who signs; the API server is told to trust it. */
  readonly 'ca.crt': string
  readonly 'ca.key': string
  /** What the webhook server shows. */
  readonly 'tls.crt': string
  readonly 'tls.key': string
}

/** What is to be made anew, and why; `undefined`: nothing. */
export interface RenewalNeed {
  readonly renew: 'all' | 'server'
  readonly reason: string
}

/** What a certificate is made for. */
export interface CertificateSubject {
  /** Name that the API server calls us by: `<service>.<namespace>.svc`. */
  readonly dnsName: string
  readonly now: Date
}

const DAY = 24 * 3600 * 1000
/** What would not hold for so long any more is made anew. */
const AHEAD = 90 * DAY
/** Certificates hold from a little before they are made: clocks differ. */
const BEFORE = 3600 * 1000
const CA_LIFETIME = 3650 * DAY
const SERVER_LIFETIME = 365 * DAY
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
const KEY_PARAMETERS = { ...ALGORITHM, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }

/**
 * Looks whether a Secret's certificates are good for the next 90 days: readable, matching keys, the one signed by the other, for the
 * right name.
 *
 * @param bundle as it was read; anything may be missing
 */
export function renewalNeed(
  bundle: Partial<CertificateBundle>,
  { dnsName, now }: CertificateSubject,
): RenewalNeed | undefined {
  const horizon = now.getTime() + AHEAD
  const ca = read(bundle['ca.crt'], bundle['ca.key'])
  if (typeof ca === 'string') return { renew: 'all', reason: `the CA certificate ${ca}` }
  if (!ca.certificate.ca) return { renew: 'all', reason: 'the CA certificate is none of a CA' }
  if (ends(ca.certificate) < horizon) return { renew: 'all', reason: 'the CA certificate ends soon' }
  const server = read(bundle['tls.crt'], bundle['tls.key'])
  if (typeof server === 'string') return { renew: 'server', reason: `the server certificate ${server}` }
  const { certificate } = server
  if (!certificate.verify(ca.certificate.publicKey))
    return { renew: 'server', reason: 'the server certificate is not signed by the CA' }
  if (certificate.checkHost(dnsName) === undefined)
    return { renew: 'server', reason: `the server certificate is not for ${dnsName}` }
  if (ends(certificate) < horizon) return { renew: 'server', reason: 'the server certificate ends soon' }
  return undefined
}

/** Makes certificates as MetalLB does: RSA of 2048 bits, a CA for ten years, the server's for one. */
export async function issueCertificates(subject: CertificateSubject): Promise<CertificateBundle> {
  const keys = await generateKeys()
  const names = 'CN=cert, O=metallb'
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: names,
    serialNumber: serialNumber(),
    ...lifetime(subject.now, CA_LIFETIME),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'cert' }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const ca = { 'ca.crt': pem(certificate), 'ca.key': await keyPem(keys.privateKey) }
  return { ...ca, ...(await issueServerCertificate(ca, subject)) }
}

/**
 * Makes a server certificate that the CA of a bundle has signed.
 *
 * @throws {Error} the CA's certificate or key cannot be read
 */
export async function issueServerCertificate(
  ca: Pick<CertificateBundle, 'ca.crt' | 'ca.key'>,
  { dnsName, now }: CertificateSubject,
): Promise<Pick<CertificateBundle, 'tls.crt' | 'tls.key'>> {
  const issuer = new x509.X509Certificate(ca['ca.crt'])
  const signingKey = await importKey(createPrivateKey(ca['ca.key']))
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${dnsName}`,
    issuer: issuer.subject,
    serialNumber: serialNumber(),
    ...lifetime(now, SERVER_LIFETIME),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return { 'tls.crt': pem(certificate), 'tls.key': await keyPem(keys.privateKey) }
}

/** @returns what is wrong, as the rest of a sentence, or both parts */
function read(
  certificate: string | undefined,
  key: string | undefined,
): { readonly certificate: X509Certificate; readonly key: KeyObject } | string {
  if (!certificate || !key) return 'is not there'
  try {
    const parts = { certificate: new X509Certificate(certificate), key: createPrivateKey(key) }
    return parts.certificate.checkPrivateKey(parts.key) ? parts : 'does not belong to its key'
  } catch {
    return 'cannot be read'
  }
}

const ends = ({ validTo }: X509Certificate): number => Date.parse(validTo)

const lifetime = (now: Date, length: number): { readonly notBefore: Date; readonly notAfter: Date } => ({
  notBefore: new Date(now.getTime() - BEFORE),
  notAfter: new Date(now.getTime() + length),
})

/** 126 bits of chance, positive. */
function serialNumber(): string {
  const octets = randomBytes(16)
  octets[0] = (octets[0]! & 0x3f) | 0x40
  return octets.toString('hex')
}

const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(KEY_PARAMETERS, true, ['sign', 'verify'])

const importKey = (key: KeyObject): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), ALGORITHM, false, ['sign'])

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`

/** PKCS #1, which MetalLB's own controller can read, too. */
async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  const exported = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return exported.export({ type: 'pkcs1', format: 'pem' }).toString()
}
