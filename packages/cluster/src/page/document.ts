import { createHash } from 'node:crypto'
import { MARKUP, SCRIPT, STYLE } from './assets.js'

/** The one document of a page, and what a browser may do with it. */
export interface PageDocument {
  readonly html: string
  /** Value of the header Content-Security-Policy. */
  readonly policy: string
}

/** Puts style and script into the markup, and allows these two alone. */
export function pageDocument(): PageDocument {
  const html = MARKUP.replace('/* style */', () => STYLE).replace('/* script */', () => SCRIPT)
  const policy = [
    "default-src 'none'",
    `script-src ${source(SCRIPT)}`,
    `style-src ${source(STYLE)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // Where a browser knows it, text from the cluster cannot become markup even by mistake.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return { html, policy: policy.join('; ') }
}

const source = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
