/** X.509 certificates for a control plane of one test, made by openssl. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../command.js'

/** Files of a certificate and its private key, in PEM. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/** Whom a certificate is for. */
export interface CertificateSubject {
  /** To Kubernetes: the user. */
  readonly commonName: string
  /** To Kubernetes: the user's groups. */
  readonly organizations?: readonly string[]
  /** Addresses and DNS names of a server. */
  readonly hosts?: readonly string[]
}

const DAYS = '7'
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256'] as const

/** Signs certificates; trusted by whoever is given its {@link certificate}. */
export class CertificateAuthority implements CertificateFiles {
  private constructor(
    readonly directory: string,
    readonly certificate: string,
    readonly key: string,
  ) {}

  /**
   * Makes an authority whose files are in a folder.
   *
   * @throws {LabError} ERR_LAB_COMMAND: openssl is missing or refuses
   */
  static async create(directory: string, name: string): Promise<CertificateAuthority> {
    const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)]
    const subject = ['-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign,digitalSignature']
    await run(['openssl', 'req', '-x509', ...NEW_KEY, '-days', DAYS, '-keyout', key, '-out', certificate, ...subject])
    return new CertificateAuthority(directory, certificate, key)
  }

  /**
   * Signs a certificate for a new key.
   *
   * @param name of the two files, without their endings
   */
  async issue(name: string, subject: CertificateSubject): Promise<CertificateFiles> {
    const at = (ending: string): string => join(this.directory, `${name}.${ending}`)
    const [certificate, key, request, extensions] = [at('crt'), at('key'), at('csr'), at('ext')]
    await writeFile(extensions, extensionsOf(subject))
    await run(['openssl', 'req', '-new', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', nameOf(subject)])
    const signer = ['-CA', this.certificate, '-CAkey', this.key, '-extfile', extensions, '-days', DAYS]
    await run(['openssl', 'x509', '-req', '-sha256', '-in', request, '-out', certificate, ...signer])
    return { certificate, key }
  }
}

/** A distinguished name as openssl's `-subj` takes it. */
function nameOf({ commonName, organizations = [] }: CertificateSubject): string {
  const escape = (text: string): string => text.replaceAll(/[\\/+=]/g, '\\$&')
  return [...organizations.map(group => `/O=${escape(group)}`), `/CN=${escape(commonName)}`].join('')
}

function extensionsOf({ hosts = [] }: CertificateSubject): string {
  const names = hosts.map(host => `${/^[\d.]+$|:/.test(host) ? 'IP' : 'DNS'}:${host}`)
  return [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth,clientAuth',
    ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
    '',
  ].join('\n')
}
